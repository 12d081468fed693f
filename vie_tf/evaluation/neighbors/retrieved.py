"""Queries and their nearest videos, for the result file, the picture and the page."""

from __future__ import annotations

import dataclasses
from typing import Any, Iterator, NamedTuple, Sequence

import numpy as np

from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.manifest import Manifest, VideoEntry


class Cell(NamedTuple):
    """A video with its caption.

    Attributes:
      video: query or neighbor.
      lines: lines of the caption.
      is_wrong: whether the last line is a wrong prediction.
    """

    video: VideoEntry
    lines: list[str]
    is_wrong: bool = False


@dataclasses.dataclass(frozen=True)
class Retrieved:
    """The nearest videos of every query.

    Attributes:
      data_dir: folder of the records.
      manifest: manifest of the data set.
      queries: videos, [Q].
      gallery: videos, [N].
      neighbor_index: positions in the gallery, nearest first, [Q, k].
      similarities: cosines, [Q, k].
      predicted: classes by kNN, -1 without labeled neighbors, [Q]; None without labels.
    """

    data_dir: str
    manifest: Manifest
    queries: tuple[VideoEntry, ...]
    gallery: tuple[VideoEntry, ...]
    neighbor_index: np.ndarray
    similarities: np.ndarray
    predicted: np.ndarray | None

    def prediction(self, query: int) -> int | None:
        """Returns the predicted class; None if it or the query's own is missing."""
        if self.predicted is None or self.queries[query].label < 0:
            return None
        label = int(self.predicted[query])
        return label if label >= 0 else None

    def describe(self, query: int) -> dict[str, Any]:
        """Returns a query and its neighbors for the result file."""
        video, prediction = self.queries[query], self.prediction(query)
        content: dict[str, Any] = {"query": video.source}
        if prediction is not None:
            content["label"] = self.manifest.class_names[video.label]
            content["predicted"] = self.manifest.class_names[prediction]
        content["nearest"] = [
            {"video": neighbor.source, "similarity": round(similarity, 4)}
            for neighbor, similarity in self._neighbors(query)
        ]
        return content

    def cells(self, query: int) -> list[Cell]:
        """Returns a query and its neighbors with their captions."""
        video, prediction = self.queries[query], self.prediction(query)
        first = Cell(video, [self._name(video)])
        if prediction is not None:
            names = self.manifest.class_names
            lines = [f"GT: {names[video.label]}", f"Pred: {names[prediction]}"]
            first = Cell(video, lines, is_wrong=prediction != video.label)
        neighbors = [
            Cell(neighbor, [self._name(neighbor), f"similarity {similarity:.3f}"])
            for neighbor, similarity in self._neighbors(query)
        ]
        return [first, *neighbors]

    def open_frames(self, queries: Sequence[int]) -> FrameReader:
        """Makes a reader for the frames of some queries and their neighbors."""
        videos = [cell.video for query in queries for cell in self.cells(query)]
        distinct = {video.id: video for video in videos}.values()
        return FrameReader.open(self.data_dir, self.manifest, tuple(distinct))

    def _neighbors(self, query: int) -> Iterator[tuple[VideoEntry, float]]:
        videos = (self.gallery[index] for index in self.neighbor_index[query])
        return zip(videos, self.similarities[query].tolist())

    def _name(self, video: VideoEntry) -> str:
        has_label = video.label >= 0
        return self.manifest.class_names[video.label] if has_label else video.source


def choose_queries(labels: Sequence[int], count: int) -> list[int]:
    """Chooses at most `count` queries, whose classes take turns.

    The choice depends on positions, not on results: showing successes would mislead.
    """
    turn: dict[int, int] = {}
    turns = []
    for position, label in enumerate(labels):
        turns.append((turn.setdefault(label, 0), label, position))
        turn[label] += 1
    return [position for _, _, position in sorted(turns)[:count]]


def middle_frames(
    video: VideoEntry, num_frames: int, frames_per_second: float
) -> tuple[list[int], float]:
    """Chooses equally spaced frames around the middle of a video.

    Args:
      video: video; the indices of a short one are modulo its number of frames.
      num_frames: number of frames.
      frames_per_second: their rate, or the video's own rate if that is lower.

    Returns:
      Frame indices, and their duration in seconds.
    """
    interval = max(round(video.fps / frames_per_second), 1)
    span = (num_frames - 1) * interval + 1
    first = max(video.frames - span, 0) // 2
    indices = [first + number * interval for number in range(num_frames)]
    return indices, num_frames * interval / video.fps
