"""Networks of runs for programs without VIE-TF: SavedModel, TFLite, ONNX, Keras."""
