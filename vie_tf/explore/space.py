"""The vectors that the videos of an index are compared by, as directions.

They are the components of `vie_tf.search.search_space` where an index has them, or else
embeddings as they lie around their mean.

Letters: R rows of the index, D dimension, Q vectors of a query.
"""

from __future__ import annotations

import dataclasses
from typing import Callable

import numpy as np

from vie_tf.metrics.features import unit_norm
from vie_tf.metrics.search_features import SEARCH_FEATURES
from vie_tf.search import search_space
from vie_tf.search.embedder import averaged
from vie_tf.search.embedding_index import EmbeddingIndex
from vie_tf.search.nearest_videos import endpoint_of

_FEWEST_FOR_MEAN = 3
_ROWS_AT_ONCE = 512
_LEAST_SPREAD = 1e-6  # of embeddings that are more than one point


@dataclasses.dataclass(frozen=True)
class Space:
    """Directions of the rows of an index.

    Attributes:
      endpoint: endpoint whose features a query is compared by.
      vectors: directions, unit norm, [R, D] float32.
      directions: maps the features of a query's clips, [num_clips, ...], to [Q, D]: one
        for each clip where rows are clips, or else one.
    """

    endpoint: str
    vectors: np.ndarray
    directions: Callable[[np.ndarray], np.ndarray]


def of_index(index: EmbeddingIndex, search_by: str = "components") -> Space:
    """Reads the space of an index.

    Args:
      index: index of videos or of clips.
      search_by: `components` where there are some, or `embedding`.

    Raises:
      UserError: the index has no vectors, or its files are damaged.
    """
    endpoint = endpoint_of(index, search_by)
    if endpoint == SEARCH_FEATURES:
        rows, components = search_space.load(index)
        return Space(
            endpoint,
            rows,
            lambda clips: components.project(averaged(endpoint, clips[None])),
        )
    vectors = unit_norm(np.asarray(index.array(endpoint), np.float32))
    mean, is_of_clips = mean_of(vectors), is_index_of_clips(index)

    def directions(clips: np.ndarray) -> np.ndarray:
        rows = clips if is_of_clips else clips.mean(axis=0)[None]
        return centered(unit_norm(rows), mean)

    return Space(endpoint, centered(vectors, mean), directions)


def is_index_of_clips(index: EmbeddingIndex) -> bool:
    """Returns whether a row of an index is a clip, and not a video."""
    return bool(index.metadata["made_from"]["average"] == "none")


def mean_of(vectors: np.ndarray) -> np.ndarray | None:
    """Returns the mean of vectors [R, D], from which directions are compared.

    Embeddings of a small collection lie in a narrow cone, where all cosines are close
    to 1; from their mean they point in all directions.  Too few vectors, or vectors
    that are all alike, have no such mean: None.
    """
    if len(vectors) < _FEWEST_FOR_MEAN:
        return None
    # In float32 the sum of 100,000 rows would lose digits; in float64 it takes long.
    means = [
        vectors[start : start + _ROWS_AT_ONCE].mean(axis=0) * _ROWS_AT_ONCE
        for start in range(0, len(vectors) - _ROWS_AT_ONCE + 1, _ROWS_AT_ONCE)
    ]
    rest = vectors[len(means) * _ROWS_AT_ONCE :].sum(axis=0)
    mean = np.sum([*means, rest], axis=0, dtype=np.float64) / len(vectors)
    if np.abs(vectors[:_ROWS_AT_ONCE] - mean).max() < _LEAST_SPREAD:
        return None
    return np.asarray(mean, np.float32)


def centered(vectors: np.ndarray, mean: np.ndarray | None) -> np.ndarray:
    """Returns directions [R, D] from a mean [D], unit norm; as they are without one."""
    return vectors if mean is None else unit_norm(vectors - mean)
