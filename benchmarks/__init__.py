"""What things cost on this machine; each module prints its own table."""

import os

# As `vie_tf` does; but TensorFlow reads them when it loads, and benchmarks, whose
# imports are sorted, load it before `vie_tf`.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
