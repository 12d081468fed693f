"""VIE-TF: unsupervised learning of video embeddings in TensorFlow 2.

The names of `__all__` are imported when they are first used, so that `import vie_tf`
does not wait for TensorFlow.
"""

from __future__ import annotations

import importlib
import logging
import os
import warnings
from typing import TYPE_CHECKING, Any

from vie_tf import quiet_import

if TYPE_CHECKING:
    from vie_tf.api.data_set import dataset
    from vie_tf.api.index import Index
    from vie_tf.api.loaded_run import LoadedRun, load
    from vie_tf.input.clip_recipe import ClipRecipe
    from vie_tf.metrics import knn
    from vie_tf.models.registry import build, clip_recipe, register_model
    from vie_tf.objectives import Objective, losses, register_objective
    from vie_tf.objectives.bank.memory_bank import MemoryBank
    from vie_tf.objectives.clustering import k_means
    from vie_tf.storage.errors import UserError

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
# Several runs in one process have graphs of their own, as they should.
logging.getLogger("tensorflow").addFilter(
    lambda record: "tf.function retracing" not in record.getMessage()
)
warnings.filterwarnings("ignore", message=r"\s*TensorFlow Addons", append=True)

# Packages and modules of the public names.
_HOMES = {
    "ClipRecipe": "vie_tf.input.clip_recipe",
    "Index": "vie_tf.api.index",
    "LoadedRun": "vie_tf.api.loaded_run",
    "MemoryBank": "vie_tf.objectives.bank.memory_bank",
    "Objective": "vie_tf.objectives",
    "UserError": "vie_tf.storage.errors",
    "build": "vie_tf.models.registry",
    "clip_recipe": "vie_tf.models.registry",
    "dataset": "vie_tf.api.data_set",
    "k_means": "vie_tf.objectives.clustering",
    "knn": "vie_tf.metrics",
    "load": "vie_tf.api.loaded_run",
    "losses": "vie_tf.objectives",
    "register_model": "vie_tf.models.registry",
    "register_objective": "vie_tf.objectives",
}

__all__ = [
    "ClipRecipe",
    "Index",
    "LoadedRun",
    "MemoryBank",
    "Objective",
    "UserError",
    "__version__",
    "build",
    "clip_recipe",
    "dataset",
    "k_means",
    "knn",
    "load",
    "losses",
    "register_model",
    "register_objective",
]


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _HOMES[name]
    try:
        found = getattr(importlib.import_module(module), name)
    except AttributeError:
        found = importlib.import_module(f"{module}.{name}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Lists the public names beside those that are there."""
    return sorted({*globals(), *__all__})
