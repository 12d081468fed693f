"""Networks that map clips to embeddings; `build(name)` makes one."""

from vie_tf.models.embedder import decayed_variables
from vie_tf.models.registry import (
    MODELS,
    build,
    clip_recipe,
    family,
    of_both_halves,
    register_model,
)
from vie_tf.models.tf1_names import tf1_names

__all__ = [
    "MODELS",
    "build",
    "clip_recipe",
    "decayed_variables",
    "family",
    "of_both_halves",
    "register_model",
    "tf1_names",
]
