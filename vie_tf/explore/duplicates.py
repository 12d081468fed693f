"""Videos that are in a collection twice, perhaps re-encoded, cropped, brighter or cut.

Pairs that may be doubles are those whose vectors are closer than the nearest videos of
this collection usually are, and those whose frames look alike (`similar_frames`).
Where the videos can be read, their frames decide (`same_frames`).  Without them the
threshold on distances is stricter.

Letters: V videos, D dimension.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
from typing import Iterable, Mapping, Sequence

import numpy as np

from vie_tf.drawing.frame_series import FrameSeries
from vie_tf.drawing.thumbnails import FrameRequest, ReadThumbnails
from vie_tf.explore import same_frames, similar_frames
from vie_tf.explore.outliers import robust_scores
from vie_tf.metrics import nearest

_NEIGHBORS = 3  # of each video that may be its doubles
MOST_ALIKE = 5000  # videos, all frames of which are compared coarsely
_MOST_WITH_WINDOWS = 1000  # videos among which cropped ones are looked for by frames
_PAIRS_AT_ONCE = 1000  # whose frames are in memory, where there are more videos
_SERIES_ALONE = FrameRequest(1.0, 0, height=96, width=128, with_series=True)
_FEW = 8  # videos, all of which are looked at
# Robust standard deviations of the logarithm of distance to the nearest video.
_CLOSE_ENOUGH_TO_CHECK = -0.5
_CLOSE_ENOUGH = -3.0
_LEAST_DISTANCE = 1e-9


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two videos that may be the same.

    Attributes:
      one: position of the first video.
      other: position of the second video, greater.
      cosine: cosine of their vectors.
      score: how much closer they are than nearest videos of the collection usually are,
        in robust standard deviations of the logarithm of distance, negative.
      difference: fraction of what moves in them that moves otherwise, and more where
        their pictures differ (`same_frames.difference`); None if their frames were not
        compared.
    """

    one: int
    other: int
    cosine: float
    score: float
    difference: float | None = None

    @property
    def is_double(self) -> bool:
        """Whether they count as the same video."""
        if self.difference is None:
            return self.score <= _CLOSE_ENOUGH
        return self.difference <= same_frames.SAME


def find(vectors: np.ndarray, read: ReadThumbnails | None) -> list[Pair]:
    """Looks for the doubles of a collection.

    Args:
      vectors: unit norm, [V, D] float32.
      read: reads the videos, whose frames decide; None for distances alone.

    Returns:
      Pairs that were looked at, the closest first; `is_double` says which are doubles.
    """
    if read is None:
        return candidates(vectors)
    if len(vectors) <= MOST_ALIKE:
        return find_by_series(vectors, series_of(range(len(vectors)), read))
    # Frames of all would fill the memory.
    pairs, compared_pairs = candidates(vectors), []
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        some = pairs[start : start + _PAIRS_AT_ONCE]
        videos = sorted({video for pair in some for video in (pair.one, pair.other)})
        compared_pairs += compared(some, series_of(videos, read))
    return compared_pairs


def find_by_series(
    vectors: np.ndarray, series: Mapping[int, FrameSeries], most: int | None = None
) -> list[Pair]:
    """Looks for doubles as `find`, among videos that were read.

    Args:
      vectors: unit norm, [V, D] float32.
      series: frames of the videos that can be read, by position.
      most: largest number of pairs whose frames are compared, half of them close and
        half alike; None for all.
    """
    half = None if most is None else most // 2
    some = {video: similar_frames.spread(one.pixels()) for video, one in series.items()}
    alike = similar_frames.pairs(some, _NEIGHBORS, len(some) <= _MOST_WITH_WINDOWS)
    likeliest = sorted(alike, key=lambda pair: -alike[pair])[:half]
    return compared(joined(vectors, candidates(vectors)[:half], likeliest), series)


def candidates(vectors: np.ndarray) -> list[Pair]:
    """Returns the pairs whose vectors are close for this collection, closest first.

    Args:
      vectors: unit norm, [V, D] float32.
    """
    if len(vectors) < 2:
        return []
    own_index = np.arange(len(vectors))
    found = nearest.search(vectors, vectors, _NEIGHBORS, own_index)
    distances = np.maximum(1.0 - found.similarities.astype(float), _LEAST_DISTANCE)
    logs = np.log(distances)  # [V, k]
    scores = robust_scores(np.concatenate([logs[:, 0], logs.ravel()]))[len(logs) :]
    pairs: dict[tuple[int, int], Pair] = {}
    for position, score in enumerate(scores.tolist()):
        video, place = divmod(position, logs.shape[1])
        other = int(found.neighbor_index[video, place])
        key = min(video, other), max(video, other)
        if score <= _CLOSE_ENOUGH_TO_CHECK or len(vectors) < _FEW:
            cosine = float(found.similarities[video, place])
            pairs.setdefault(key, Pair(*key, cosine, score))
    return sorted(pairs.values(), key=lambda pair: (-pair.cosine, pair.one))


def joined(
    vectors: np.ndarray, close: Sequence[Pair], others: Iterable[tuple[int, int]]
) -> list[Pair]:
    """Adds further pairs of positions to close ones, which have a score."""
    known = {(pair.one, pair.other): pair for pair in close}
    for one, other in others:
        cosine = float(vectors[one] @ vectors[other])
        known.setdefault((one, other), Pair(one, other, cosine, 0.0))
    return sorted(known.values(), key=lambda pair: (-pair.cosine, pair.one))


def series_of(videos: Iterable[int], read: ReadThumbnails) -> dict[int, FrameSeries]:
    """Reads the frames that are compared, but of unreadable videos."""
    return {
        video: thumbnails.series
        for video, thumbnails in read(list(videos), _SERIES_ALONE)
        if not thumbnails.fault and thumbnails.series is not None
    }


def compared(pairs: Sequence[Pair], series: Mapping[int, FrameSeries]) -> list[Pair]:
    """Compares the frames of pairs; those without frames stay as they are."""

    def with_difference(pair: Pair) -> Pair:
        if pair.one not in series or pair.other not in series:
            return pair
        found = same_frames.difference(series[pair.one], series[pair.other])
        return dataclasses.replace(pair, difference=found)

    # Most of the time is that of OpenCV and NumPy, which run beside each other.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(with_difference, pairs))


def sets_of(pairs: Sequence[Pair]) -> list[list[int]]:
    """Joins doubles of doubles into sets of positions, the largest set first."""
    parent: dict[int, int] = {}

    def root(video: int) -> int:
        while parent.setdefault(video, video) != video:
            video = parent[video]
        return video

    for pair in pairs:
        if pair.is_double:
            parent[root(pair.other)] = root(pair.one)
    sets: dict[int, list[int]] = {}
    for video in sorted(parent):
        sets.setdefault(root(video), []).append(video)
    return sorted(sets.values(), key=lambda one: (-len(one), one[0]))
