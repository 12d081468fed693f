"""Recall at k and mean average precision of retrieval.

Comes in: labels of neighbors, and features.  Goes out: fractions.  A gallery video is
right for a query if it has the same label; a video without a label (-1) is never right.
A query for which the gallery has no right video counts as 0 in all numbers.

Letters: Q queries, N videos of the gallery, D dimension, k neighbors.
"""

from __future__ import annotations

import os
from concurrent import futures
from typing import Sequence

import numpy as np

# Similarities held at once.
_BLOCK_FLOATS = 2**24
_NUM_BINS = 2**16


def recalls(
    neighbor_labels: np.ndarray, labels: np.ndarray, ks: Sequence[int]
) -> dict[str, float]:
    """Computes R@k, the fraction of queries with a right video among their k nearest.

    Args:
      neighbor_labels: labels of the K nearest videos, nearest first, [Q, K].
      labels: labels of the queries, at least 0, [Q].
      ks: numbers of neighbors; one above K takes all K.

    Returns:
      A fraction for every k; keys are text, as in JSON.
    """
    is_right = neighbor_labels == labels[:, None]  # [Q, K]
    return {str(k): float(np.mean(np.any(is_right[:, :k], axis=1))) for k in ks}


def average_precision(similarities: np.ndarray, is_right: np.ndarray) -> float:
    """Averages the precision at the place of each right video.

    The precision at a video is the fraction of right ones among all that are at least
    as similar; so equal similarities share their place, as in scikit-learn's
    `average_precision_score`.

    Args:
      similarities: similarities of the gallery videos, [N].
      is_right: whether each is right, [N] bool.

    Returns:
      A fraction, 0 where no video is right.
    """
    if not is_right.any():
        return 0.0
    # Sorting everything takes ten times as long as the rest.  The order within a bin
    # matters only if the bin has a right video, so only those bins are sorted; videos
    # of the others are counted.
    bins = _bins(similarities)
    has_right = np.zeros(_NUM_BINS, bool)
    has_right[bins[is_right]] = True
    found = np.sort(similarities[is_right])  # [P]
    beside = np.sort(similarities[has_right[bins]])
    counts = np.bincount(bins, minlength=_NUM_BINS)
    counts[has_right] = 0
    from_bin_up = np.cumsum(counts[::-1])[::-1]  # [_NUM_BINS]
    # The number of videos that are at least as similar.
    num_all = len(beside) - np.searchsorted(beside, found)
    num_all += from_bin_up[np.sort(bins[is_right])]
    num_right = len(found) - np.searchsorted(found, found)
    return float(np.mean(num_right / num_all))


def _bins(similarities: np.ndarray) -> np.ndarray:
    """Returns the histogram bin of each similarity, [N] int32."""
    above = similarities - similarities.min()
    span = above.max()
    if not span > 0:
        return np.zeros(len(above), np.int32)
    return (above / span * (_NUM_BINS - 1)).astype(np.int32)


def mean_average_precision(
    gallery: np.ndarray,
    gallery_labels: np.ndarray,
    queries: np.ndarray,
    labels: np.ndarray,
    own_index: np.ndarray | None = None,
) -> float:
    """Averages the queries' average precisions over the whole gallery, a fraction.

    Args:
      gallery: [N, D] float32.
      gallery_labels: [N] integers.
      queries: [Q, D] float32.
      labels: [Q] integers, at least 0.
      own_index: [Q] positions of the queries themselves in the gallery, which are left
        out; None where queries are not in the gallery.
    """
    block = max(_BLOCK_FLOATS // len(gallery), 1)

    def of_query(position: int, row: np.ndarray) -> float:
        is_right = gallery_labels == labels[position]
        if own_index is not None:
            row = np.delete(row, own_index[position])
            is_right = np.delete(is_right, own_index[position])
        return average_precision(row, is_right)

    precisions: list[float] = []
    # NumPy lets other threads work while it goes over a row.
    with futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(queries), block):
            similarities = queries[start : start + block] @ gallery.T  # [B, N]
            positions = range(start, start + len(similarities))
            precisions += threads.map(of_query, positions, similarities)
    return float(np.mean(precisions))
