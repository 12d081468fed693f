"""Videos that are in a collection twice, perhaps re-encoded, cropped, brighter or cut.

Embeddings choose the pairs that may be doubles: those closer than the nearest videos of
this collection usually are.  Where the videos can be read, their frames decide
(`same_frames`).  Without them the threshold on distances is stricter.

Letters: V videos, D dimension.
"""

from __future__ import annotations

import dataclasses
from typing import Sequence

import numpy as np

from vie_tf.explore import same_frames
from vie_tf.explore.outliers import robust_scores
from vie_tf.metrics import nearest
from vie_tf.storage.thumbnails import ReadThumbnails

_NEIGHBORS = 5  # of each video that may be its doubles
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
      difference: largest local difference of their frames in standard deviations of a
        frame; None if they were not compared.
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


def candidates(vectors: np.ndarray, most: int | None = None) -> list[Pair]:
    """Returns the pairs that may be doubles, the closest first.

    Args:
      vectors: unit norm, [V, D] float32.
      most: largest number of pairs; None for all.
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
        if score <= _CLOSE_ENOUGH_TO_CHECK or len(vectors) < 8:
            cosine = float(found.similarities[video, place])
            pairs.setdefault(key, Pair(*key, cosine, score))
    ordered = sorted(pairs.values(), key=lambda pair: (-pair.cosine, pair.one))
    return ordered[:most]


def check_frames(pairs: Sequence[Pair], read: ReadThumbnails) -> list[Pair]:
    """Compares the frames of candidates; pairs that cannot be read stay unchecked."""
    videos = sorted({video for pair in pairs for video in (pair.one, pair.other)})
    frames = {
        video: same_frames.prepare(thumbnails.frames)
        for video, thumbnails in read(videos, same_frames.REQUEST)
        if not thumbnails.fault
    }
    return [
        dataclasses.replace(
            pair,
            difference=same_frames.difference(frames[pair.one], frames[pair.other]),
        )
        if pair.one in frames and pair.other in frames
        else pair
        for pair in pairs
    ]


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
