"""Lines in the terminal, TensorBoard, and alarms of a run."""
