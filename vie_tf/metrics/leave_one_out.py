"""Scores of videos of which each is left out of the gallery in turn.

Comes in: one vector for each video, and labels.  Goes out: fractions.

Letters: N videos, D dimension, C classes.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np

from vie_tf.metrics import knn, retrieval
from vie_tf.metrics.features import unit_norm
from vie_tf.storage.errors import UserError


def is_right(
    rows: np.ndarray, labels: np.ndarray, k: int = 10, temperature: float = 0.07
) -> np.ndarray:
    """Classifies each video by its k nearest others, and says whether that is right.

    Args:
      rows: [N, D] floats; their norm does not matter.
      labels: [N] integers, -1 for a video without a label.
      k: number of neighbors that vote.
      temperature: temperature of the votes' weights.

    Returns:
      [Q] bool, for the Q videos whose class has another one (`counted`).

    Raises:
      UserError: no class has two videos.
    """
    rows, is_counted = unit_norm(rows).astype(np.float32), counted(labels)
    probabilities = knn.classify_videos(
        rows,
        labels,
        rows[is_counted, None],
        int(labels.max()) + 1,
        k=k,
        temperature=temperature,
        own_index=np.flatnonzero(is_counted),
    )  # [Q, C]
    return np.argmax(probabilities, axis=1) == labels[is_counted]


def scores(
    rows: np.ndarray, labels: np.ndarray, ks: Sequence[int] = (1, 10)
) -> dict[str, float]:
    """Computes leave-one-out kNN accuracies and mean average precision, as fractions.

    Args:
      rows: [N, D] floats; their norm does not matter.
      labels: [N] integers, -1 for a video without a label.
      ks: numbers of neighbors.

    Returns:
      `knn1`, `knn10` and so on, and `map`.

    Raises:
      UserError: no class has two videos.
    """
    found = {f"knn{k}": float(np.mean(is_right(rows, labels, k))) for k in ks}
    rows, is_counted = unit_norm(rows).astype(np.float32), counted(labels)
    found["map"] = retrieval.mean_average_precision(
        *(rows, labels, rows[is_counted], labels[is_counted]),
        own_index=np.flatnonzero(is_counted),
    )
    return found


def counted(labels: np.ndarray) -> np.ndarray:
    """Returns which videos are classified: those whose class has another, [N] bool.

    Raises:
      UserError: no class has two videos.
    """
    found = knn.can_be_right(labels, labels, leaves_one_out=True)
    if not found.any():
        raise UserError(
            "No class has two videos, so no neighbor can be right: give classes more"
            " videos."
        )
    return found
