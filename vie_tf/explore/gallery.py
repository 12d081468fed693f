"""Searches the videos, or the clips, of an index for those nearest to a query.

Letters: R rows of the index, D dimension, Q vectors of a query.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from typing import Sequence

import numpy as np

from vie_tf.explore.percentiles import Percentiles
from vie_tf.explore.space import of_index
from vie_tf.metrics import nearest
from vie_tf.search.embedding_index import EmbeddingIndex
from vie_tf.terminal.wording import counted


@dataclasses.dataclass(frozen=True)
class Found:
    """A video that is near to a query.

    Attributes:
      row: its row of the index.
      source: its name.
      label: name of its class, empty without one.
      cosine: cosine of their directions.
      percentile: percentage of the index's pairs that are farther apart.
      span: seconds in the video from which to which the nearest clip goes; None where
        rows are videos.
    """

    row: int
    source: str
    label: str
    cosine: float
    percentile: float
    span: tuple[float, float] | None = None


class Gallery:
    """The vectors of an index, ready to be searched.

    Args:
      index: index of videos or of clips.
      search_by: `components` where there are some, or `embedding`.

    Attributes:
      endpoint: endpoint whose features are compared.
      directions: maps the features of a query's clips, [num_clips, ...], to the vectors
        [Q, D] that it is searched by.
      num_videos: number of videos.

    Raises:
      UserError: the index has no vectors, or its files are damaged.
    """

    def __init__(self, index: EmbeddingIndex, search_by: str = "components") -> None:
        self._index = index
        space = of_index(index, search_by)
        self.endpoint, self.directions = space.endpoint, space.directions
        self._rows, self._vectors = index.videos(), space.vectors
        self.num_videos = int(index.metadata["num_videos"])
        self._num_clips = -(-len(self._rows) // self.num_videos)  # of a video

    @functools.cached_property
    def percentiles(self) -> Percentiles:
        """How near pairs of the index are; of clips, those of one video, too."""
        return Percentiles(self._vectors)

    @functools.cached_property
    def _row_of_source(self) -> dict[str, int]:
        return {row["source"]: number for number, row in enumerate(self._rows)}

    @functools.cached_property
    def sources(self) -> tuple[str, ...]:
        """Names of the videos of the rows, [R]."""
        return tuple(row["source"] for row in self._rows)

    def source_of(self, path: str) -> str | None:
        """Returns the name of a file within the index; None if it is not there."""
        folder = self._index.metadata["videos"]
        if os.path.isfile(folder):
            name = os.path.basename(folder)
            return name if os.path.realpath(folder) == os.path.realpath(path) else None
        for plain in (os.path.abspath, os.path.realpath):
            name = os.path.relpath(plain(path), plain(folder)).replace(os.sep, "/")
            if name in self._row_of_source:
                return name
        return None

    def vectors_of(self, source: str) -> np.ndarray:
        """Returns the features of a video of the index, [Q, D], as `directions`."""
        end = self._row_of_source[source] + 1  # the last of its clips
        start = end
        while start and self._rows[start - 1]["source"] == source:
            start -= 1
        return self._vectors[start:end]

    def nearest(
        self, queries: np.ndarray, count: int, without: str | None = None
    ) -> list[Found]:
        """Finds the videos nearest to a query, nearest first.

        Args:
          queries: [Q, D] of `directions`; the nearest clip of any of them counts.
          count: largest number of videos.
          without: name of a video that is not found, such as the query itself.
        """
        each = self._num_clips
        wanted = min((count + (without is not None)) * each, len(self._vectors))
        found = nearest.search(self._vectors, queries, wanted)
        order = np.argsort(-found.similarities, axis=None, kind="stable")
        hits: dict[str, Found] = {}
        for position in order.tolist():
            row = int(found.neighbor_index.ravel()[position])
            source = self._rows[row]["source"]
            if source != without and source not in hits:
                cosine = float(found.similarities.ravel()[position])
                hits[source] = self._found(row, cosine)
                if len(hits) == count:
                    break
        return list(hits.values())

    def _found(self, row: int, cosine: float) -> Found:
        video = self._rows[row]
        span = None
        frames = [int(number) for number in video.get("frames", "").split()]
        if frames:
            fps = float(self._index.metadata["frames"]["fps"])
            span = min(frames) / fps, (max(frames) + 1) / fps
        percentile = float(self.percentiles(np.array([cosine]))[0])
        return Found(row, video["source"], video["label"], cosine, percentile, span)


def format_found(found: Sequence[Found], query: str, num_videos: int) -> list[str]:
    """Formats what was found in lines.

    Args:
      found: nearest videos.
      query: name of the query.
      num_videos: number of videos that were searched.
    """
    videos = counted(num_videos, "video")
    lines = [
        f"Nearest to {query} among {videos}, and how many of all pairs are farther"
        " apart:"
    ]
    for place, one in enumerate(found, 1):
        label = f"  ({one.label})" if one.label else ""
        span = f"  from {one.span[0]:.1f} s to {one.span[1]:.1f} s" if one.span else ""
        lines.append(f"{place:>4}  {one.percentile:7.3f}%  {one.source}{label}{span}")
    return lines
