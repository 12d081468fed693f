"""How near two videos are, as the share of the collection's pairs that are farther.

A cosine says little by itself: in one collection 0.98 is a double, in another it is
chance.  Its rank among the cosines of all pairs says the same everywhere.

Letters: V videos, D dimension, P pairs.
"""

from __future__ import annotations

import numpy as np

_MOST_ROWS = 1024  # half a million pairs
_SEED = 0


class Percentiles:
    """Cosines of pairs of a collection, in order.

    Args:
      vectors: unit norm, [V, D] float32; a sample is taken of a large collection.
    """

    def __init__(self, vectors: np.ndarray) -> None:
        if len(vectors) > _MOST_ROWS:
            rng = np.random.default_rng(_SEED)
            chosen = rng.choice(len(vectors), _MOST_ROWS, replace=False)
            vectors = np.asarray(vectors[np.sort(chosen)])
        one, other = np.triu_indices(len(vectors), 1)
        self._cosines = np.sort((vectors @ vectors.T)[one, other])

    def __call__(self, cosines: np.ndarray) -> np.ndarray:
        """Returns the percentage of pairs that are farther apart, float64.

        Between the cosines of two pairs, and for equal ones, the lower percentage is
        taken.  Without a pair it is 100.
        """
        if not len(self._cosines):
            return np.full(np.shape(cosines), 100.0)
        rank = np.searchsorted(self._cosines, np.asarray(cosines, np.float32))
        return 100.0 * rank / len(self._cosines)


def format_percentile(percentile: float) -> str:
    """Formats a percentile with as many digits as tell neighbors apart."""
    if percentile >= 99.995:
        return "100"
    digits = 2 if percentile >= 99 else 1 if percentile >= 90 else 0
    return f"{percentile:.{digits}f}"
