"""Videos in, TFRecords out: index -> decode -> shards -> manifest."""

import os

# As in vie_tf, which workers may import only after TensorFlow.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
