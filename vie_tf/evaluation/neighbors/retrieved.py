"""Queries and their nearest videos, for the result file, the picture and the page."""

from __future__ import annotations

import dataclasses
from typing import Any, Iterator, NamedTuple, Sequence

import numpy as np

from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.manifest import Manifest, VideoEntry


class Line(NamedTuple):
    """A line of a caption.

    Attributes:
      text: text of the line.
      is_right: whether it names the class of the query; None where it names none, or
        the query has none.
    """

    text: str
    is_right: bool | None = None

    @property
    def marked(self) -> str:
        """The text behind a mark, so that its color is not needed."""
        return {None: "", True: "\u2713 ", False: "\u2717 "}[self.is_right] + self.text


class Cell(NamedTuple):
    """A video with its caption.

    Attributes:
      video: query or neighbor.
      lines: lines of the caption.
    """

    video: VideoEntry
    lines: list[Line]

    @property
    def is_right(self) -> bool | None:
        """Whether a neighbor or a prediction is right; None if that is unknown."""
        judged = (line.is_right for line in self.lines if line.is_right is not None)
        return next(judged, None)


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
      num_voters: number of neighbors that the classes are predicted by.
    """

    data_dir: str
    manifest: Manifest
    queries: tuple[VideoEntry, ...]
    gallery: tuple[VideoEntry, ...]
    neighbor_index: np.ndarray
    similarities: np.ndarray
    predicted: np.ndarray | None
    num_voters: int

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
        lines = [Line(self._name(video))]
        if prediction is not None:
            name = self.manifest.class_names[prediction]
            lines.append(Line(f"predicted: {name}", prediction == video.label))
        neighbors = [
            Cell(
                neighbor,
                [
                    Line(self._name(neighbor), self._is_same_class(video, neighbor)),
                    *self._files(neighbor),
                    Line(f"similarity {similarity:.3f}"),
                ],
            )
            for neighbor, similarity in self._neighbors(query)
        ]
        return [Cell(video, [*lines, *self._files(video)]), *neighbors]

    def _files(self, video: VideoEntry) -> list[Line]:
        """Returns the line with the file name of a video that is named by its class."""
        return [] if self._name(video) == video.source else [Line(video.source)]

    def legend(self) -> str:
        """Says what the marks mean, and who votes; nothing without labels."""
        if self.predicted is None:
            return ""
        num_shown = self.neighbor_index.shape[1]
        some = f", of which {num_shown} are shown"
        return (
            "\u2713 the class of the query, \u2717 another; the prediction is the vote"
            f" of the {self.num_voters} nearest"
        ) + (some if num_shown < self.num_voters else "")

    def _is_same_class(self, query: VideoEntry, neighbor: VideoEntry) -> bool | None:
        if self.predicted is None or min(query.label, neighbor.label) < 0:
            return None
        return query.label == neighbor.label

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
