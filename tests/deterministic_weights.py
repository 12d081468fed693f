"""Stand-ins for trained weights and inputs, as functions of a TF1 variable's name.

The reference values in `tests/parity` were computed by the authors' TF1 code with
these numbers, so nothing but the results has to be stored.  The recipe (generator,
order of draws, scales) is given by those values and cannot be changed.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np


def _random(name: str, seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed + zlib.crc32(name.encode())))


def value_of(name: str, shape: Sequence[int], seed: int = 0) -> np.ndarray:
    """Value of a variable, for example of `resnet_model/conv2d_3/kernel`."""
    random, leaf = _random(name, seed), name.rpartition("/")[2]
    if leaf in ("gamma", "moving_variance"):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    if leaf == "cluster_labels":
        return random.integers(0, 25, shape)
    scales = {
        "kernel": np.sqrt(2 / np.prod(shape[:-1])),
        "bias": 0.1,
        "beta": 0.1,
        "moving_mean": 0.1,
        "memory_bank": 1.0,
    }
    normal = random.standard_normal(shape)
    if leaf == "memory_bank":
        rows = normal.astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return (normal * scales[leaf]).astype(np.float32)


def clips_for(model: str, shape: Sequence[int], seed: int = 0) -> np.ndarray:
    """The uint8 input of a model, in the shape that the TF1 code took."""
    random = _random(f"{model}/image", seed)
    return random.integers(0, 256, shape, dtype=np.uint8)
