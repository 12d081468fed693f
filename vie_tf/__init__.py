"""VIE-TF: unsupervised learning of video embeddings in TensorFlow 2."""

import logging
import os
import warnings

from vie_tf import quiet_import

__version__ = "0.1.0"  # pyproject.toml reads this line

# TensorFlow and tensorflow-addons greet every import with lines that no user can
# act on (CUDA plug-ins registered twice, end-of-life notices).  What matters is
# raised as an exception, and the devices in use are printed by train_loop.  Set
# TF_CPP_MIN_LOG_LEVEL=0 to see everything.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
quiet_import.install()
# TensorFlow leaves oneDNN off on CPUs without AVX-512 VNNI, although convolutions are
# two to five times faster with it there too (measured on AVX2).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
logging.getLogger("tensorflow").setLevel(logging.WARNING)
warnings.filterwarnings("ignore", message=r"\s*TensorFlow Addons", append=True)
