"""What is known of a video before it is opened: the one row model of all readers."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class FoundVideo:
    """What a reader knows of a video.

    Attributes:
      path: absolute path, to open it: a video file, a folder of numbered pictures, or
        a picture (`ConversionConfig.media` says which).
      source: path relative to the root with `/` between the parts, for a segment with
        `#t=START,END` (seconds) behind it; unique, names the video in messages, in
        the records and in the manifest.
      label: name of its class, or None.
      split: `train`, `val` or `test` where a list says so, else None.
      start_secs: where the segment starts in the file, None for its beginning.
      end_secs: where it ends, None for the end of the file.
    """

    path: str
    source: str
    label: str | None
    split: str | None = None
    start_secs: float | None = None
    end_secs: float | None = None


@dataclasses.dataclass(frozen=True)
class Row:
    """A video that has its place in the data set.

    Attributes:
      path: as of `FoundVideo`, like all that is not described here.
      source: see there.
      label: see there.
      id: unique, given once and never again; without `--append` 0 .. number of videos
        - 1, in an order that mixes the classes.
      split: `train`, `val` or `test`.
      start_secs: see there.
      end_secs: see there.
    """

    path: str
    source: str
    label: str | None
    id: int
    split: str
    start_secs: float | None = None
    end_secs: float | None = None
