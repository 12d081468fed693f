"""What a run tells: lines, TensorBoard, and alarms."""
