"""Principal components of features, half whitened: few numbers to compare videos by.

What all videos share hides what tells them apart, so the mean is removed.  A few
directions with a large variance hide the others, so every component is divided by the
square root of its standard deviation, half of what whitening does; whitening would
raise noise as high as what matters.

Letters: V videos, D features, K components.
"""

from __future__ import annotations

import dataclasses
from typing import Sequence

import numpy as np

from vie_tf.metrics.features import unit_norm

# Videos that mean and components are taken from, at equal distances in the collection:
# its statistics change little with more, and memory is bounded.
MAX_FITTED = 4096
# Power of the standard deviation.  With 0.75 the nearest ten were of the same class as
# often, but the whole order was worse (docs/small_collections.md).
WHITENING = 0.5
# Variance below this fraction of the largest is rounding.
_LEAST_VARIANCE = 1e-10
_ROWS_AT_ONCE = 4096


@dataclasses.dataclass(frozen=True)
class Components:
    """A linear map of features to components.

    Attributes:
      mean: mean of the features, [D] float32.
      directions: the map of features without their mean, [D, K] float32.
    """

    mean: np.ndarray
    directions: np.ndarray

    def project(self, rows: np.ndarray) -> np.ndarray:
        """Maps features to components of unit norm.

        Args:
          rows: [R, D] float32, may be on disk: few are read at once.

        Returns:
          [R, K] float32; a row that equals the mean gives zeros.
        """
        projected = np.empty([len(rows), self.directions.shape[1]], np.float32)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            centered = np.asarray(rows[part], np.float32) - self.mean
            projected[part] = unit_norm(centered @ self.directions)
        return projected


def fit(
    rows: np.ndarray,
    num_components: int,
    block_sizes: Sequence[int] | None = None,
    whitening: float = WHITENING,
) -> Components:
    """Computes mean and components of a collection.

    Args:
      rows: features, [V, D] float32, may be on disk.
      num_components: largest number of components; V - 1 and D bound it, too.
      block_sizes: sizes of the parts of a row, which are given the same variance, such
        as two streams; None for a single part.
      whitening: power of the standard deviation that a component is divided by: 1
        whitens, 0 leaves the deviations as they are.

    Returns:
      K components, of the largest variance first.  K is 0 where all rows are equal.
    """
    chosen = np.unique(np.linspace(0, len(rows) - 1, MAX_FITTED).round().astype(int))
    sample = np.asarray(rows[chosen], np.float64)  # [S, D]
    mean = sample.mean(axis=0)
    centered = sample - mean
    scales = _block_scales(centered, block_sizes or [rows.shape[1]])  # [D]
    directions, deviations = _principal(centered * scales, num_components)
    directions = directions * scales[:, None] / deviations**whitening
    return Components(mean.astype(np.float32), directions.astype(np.float32))


def _block_scales(centered: np.ndarray, block_sizes: Sequence[int]) -> np.ndarray:
    """Returns the factor of each feature that gives all blocks a variance of 1."""
    variances = centered.var(axis=0)
    ends = np.cumsum(block_sizes)
    totals = [variances[end - size : end].sum() for size, end in zip(block_sizes, ends)]
    factors = [1 / np.sqrt(total) if total > 0 else 0.0 for total in totals]
    return np.repeat(factors, block_sizes)


def _principal(
    centered: np.ndarray, num_components: int
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the directions of the largest variance.

    Args:
      centered: [S, D] float64, of mean zero.
      num_components: largest number of them.

    Returns:
      Directions [D, K] of unit norm, and the standard deviations along them, [K].
    """
    num_rows, num_features = centered.shape
    is_wide = num_features > num_rows
    square = centered @ centered.T if is_wide else centered.T @ centered
    variances, vectors = np.linalg.eigh(square / num_rows)
    # From the largest on; those of a mean that was removed are rounding.
    variances, vectors = variances[::-1], vectors[:, ::-1]
    is_real = variances > _LEAST_VARIANCE * max(variances[0], 0.0)
    count = min(num_components, int(is_real.sum()))
    variances, vectors = variances[:count], vectors[:, :count]
    if is_wide:
        vectors = centered.T @ vectors  # [D, K]
        vectors /= np.linalg.norm(vectors, axis=0, keepdims=True)
    # The sign is free: the largest entry is positive, so that a file can be repeated.
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    return vectors * np.sign(largest), np.sqrt(variances)
