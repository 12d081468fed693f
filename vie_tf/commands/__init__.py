"""Commands of `python -m vie_tf`: their arguments, read before TensorFlow is loaded."""
