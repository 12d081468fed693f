"""A video before it is opened: its file, its segment, its label, its split, its id."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class FoundVideo:
    """A video as a reader finds it.

    Attributes:
      path: absolute path of a video file, a folder of numbered pictures, or a picture,
        depending on `ConversionConfig.media`.
      source: unique name of the video in messages, records and the manifest: its path
        relative to the root with `/` between the parts, followed by
        `#t=START,END` (seconds) for a segment.
      label: name of its class, or None.
      split: `train`, `val` or `test` if a list assigns one, else None.
      start_secs: start of the segment in the file, None for the beginning.
      end_secs: end of the segment, None for the end of the file.
    """

    path: str
    source: str
    label: str | None
    split: str | None = None
    start_secs: float | None = None
    end_secs: float | None = None


@dataclasses.dataclass(frozen=True)
class VideoRow(FoundVideo):
    """A video of the data set.

    Attributes:
      split: `train`, `val` or `test`.
      id: number that no other video of the data set gets, not even a later one.
        Without `--append` ids are 0 .. number of videos - 1, in an order that mixes
        the classes.
    """

    split: str = ""
    id: int = -1
