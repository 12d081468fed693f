"""Run: the folder that training writes and evaluation reads."""

from __future__ import annotations

from absl import flags

_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder of the run: checkpoints, TensorBoard, config.json, eval."
)


def model_dir() -> str:
    """Returns the folder.

    Raises:
      ValueError: it was not given.
    """
    if not _MODEL_DIR.value:
        raise ValueError("--model_dir is missing: give the folder of the run.")
    return _MODEL_DIR.value
