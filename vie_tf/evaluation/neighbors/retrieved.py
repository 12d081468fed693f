"""What was retrieved: queries, their nearest videos, and both in words."""

from __future__ import annotations

import dataclasses
from typing import Any, Sequence

import numpy as np

from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.manifest import Manifest, VideoEntry


@dataclasses.dataclass(frozen=True)
class Retrieved:
    """The nearest videos of every query.

    Attributes:
      data_dir: folder of the data set.
      manifest: manifest of `data_dir`.
      queries: [Q].
      gallery: [N].
      rows: [Q, k] positions in the gallery, nearest first.
      similarities: [Q, k] cosines.
      predicted: [Q] labels by kNN, -1 where no neighbor has one; None without labels.
    """

    data_dir: str
    manifest: Manifest
    queries: tuple[VideoEntry, ...]
    gallery: tuple[VideoEntry, ...]
    rows: np.ndarray
    similarities: np.ndarray
    predicted: np.ndarray | None

    def open_frames(self, queries: Sequence[int]) -> FrameReader:
        """Makes a reader for the frames of some queries and their neighbors."""
        videos = [self.queries[query] for query in queries]
        rows = np.unique(self.rows[np.asarray(queries, int)])
        videos += [self.gallery[row] for row in rows]
        return FrameReader.open(self.data_dir, self.manifest, videos)

    def prediction(self, query: int) -> int | None:
        """The label that is predicted; None where it, or the query's, is missing."""
        if self.predicted is None or self.queries[query].label < 0:
            return None
        label = int(self.predicted[query])
        return label if label >= 0 else None

    def is_wrong(self, query: int) -> bool:
        """Whether another label is predicted than the query has."""
        return self.prediction(query) not in (None, self.queries[query].label)

    def describe(self, query: int) -> dict[str, Any]:
        """Returns one query and its neighbors in words, for the JSON file."""
        video, prediction = self.queries[query], self.prediction(query)
        content: dict[str, Any] = {"query": video.source}
        if prediction is not None:
            content["label"] = self.manifest.class_names[video.label]
            content["predicted"] = self.manifest.class_names[prediction]
        content["nearest"] = [
            {
                "video": self.gallery[row].source,
                "similarity": round(float(similarity), 4),
            }
            for row, similarity in zip(self.rows[query], self.similarities[query])
        ]
        return content

    def lines_of_query(self, query: int) -> list[str]:
        """What stands below a query: its label and the predicted one, or its file."""
        video, prediction = self.queries[query], self.prediction(query)
        if prediction is None:
            return [self.name_of(video)]
        return [
            f"GT: {self.manifest.class_names[video.label]}",
            f"Pred: {self.manifest.class_names[prediction]}",
        ]

    def lines_of_neighbor(self, query: int, number: int) -> list[str]:
        """What stands below the neighbor of this number, from 0."""
        video = self.gallery[self.rows[query, number]]
        similarity = self.similarities[query, number]
        return [self.name_of(video), f"similarity {similarity:.3f}"]

    def name_of(self, video: VideoEntry) -> str:
        """Its class, or its file where it has none."""
        return (
            self.manifest.class_names[video.label] if video.label >= 0 else video.source
        )


def choose_queries(labels: Sequence[int], count: int) -> list[int]:
    """Chooses queries for the picture, by turns from every class.

    Chosen by position, not by result: a picture of successes only would mislead.

    Args:
      labels: of all queries.
      count: at most this many.
    """
    turn: dict[int, int] = {}
    turns = []
    for position, label in enumerate(labels):
        turns.append((turn.setdefault(label, 0), label, position))
        turn[label] += 1
    return [position for _, _, position in sorted(turns)[:count]]
