"""Videos that are like no other of their collection.

Letters: V videos, D dimension.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from vie_tf.metrics import nearest

_NEIGHBORS = 5
_FAR = 3.5  # robust standard deviations, as in Iglewicz and Hoaglin's rule
_SCALE_OF_MAD = 1.4826  # to the standard deviation of a normal distribution


@dataclasses.dataclass(frozen=True)
class Outliers:
    """How far each video is from those nearest to it.

    Attributes:
      order: positions of the videos, the oddest first, [V] int64.
      scores: distance to the nearest videos in robust standard deviations above the
        collection's median, [V] float64.
      is_outlier: whether the score is beyond 3.5, [V] bool.
    """

    order: np.ndarray
    scores: np.ndarray
    is_outlier: np.ndarray


def find(vectors: np.ndarray) -> Outliers:
    """Scores the videos of a collection.

    Args:
      vectors: unit norm, [V, D] float32.
    """
    if len(vectors) < 3:
        zero = np.zeros(len(vectors))
        return Outliers(np.arange(len(vectors)), zero, zero > 0)
    own_index = np.arange(len(vectors))
    found = nearest.search(vectors, vectors, _NEIGHBORS, own_index)
    # The mean of several, so that a pair of the same odd video is odd, too.
    distances = (1.0 - found.similarities.astype(np.float64)).mean(axis=1)
    scores = robust_scores(distances)
    order = np.argsort(-distances, kind="stable")
    return Outliers(order, scores, scores > _FAR)


def robust_scores(values: np.ndarray) -> np.ndarray:
    """Returns how many robust standard deviations values [V] are above their median."""
    median = np.median(values)
    spread = _SCALE_OF_MAD * np.median(np.abs(values - median))
    if spread <= 1e-12 * max(1.0, float(np.abs(median))):
        return np.zeros(len(values))
    return np.asarray((values - median) / spread)
