"""Small frames of a video, for people and for the comparison of videos.

`data_prep.thumbnails` reads them from video files, `vie_tf.explore.pictures` from
records; both promise the same.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Iterator, Sequence

import cv2
import numpy as np

from vie_tf.drawing.frame_series import FrameSeries


@dataclasses.dataclass(frozen=True)
class FrameRequest:
    """Which frames of a video are wanted.

    Attributes:
      per_second: frames per second of the video.
      most: largest number of frames; 0 for the series alone.
      height: largest height of a frame in pixels.
      width: largest width of a frame in pixels.
      from_middle: whether frames lie around the middle, not from the start.
      with_series: whether the frames by which recordings are compared are wanted, too.
    """

    per_second: float
    most: int
    height: int
    width: int
    from_middle: bool = False
    with_series: bool = False

    def first_second(self, duration: float) -> float:
        """Returns where the wanted part of a video of some seconds begins."""
        span = self.most / self.per_second
        return max(0.0, (duration - span) / 2) if self.from_middle else 0.0


@dataclasses.dataclass(frozen=True)
class Thumbnails:
    """Small frames of one video.

    Attributes:
      frames: [F, H, W, 3] uint8 RGB; no frame where there is a fault.
      duration: seconds of the whole video; 0 if it is not known.
      fault: reason why there is no frame; empty if there are some.
      series: frames by which recordings are compared, if they were wanted.
    """

    frames: np.ndarray
    duration: float = 0.0
    fault: str = ""
    series: FrameSeries | None = None


ReadThumbnails = Callable[
    [Sequence[int], FrameRequest], Iterator[tuple[int, Thumbnails]]
]
"""Yields some videos of a collection, in any order, with their thumbnails."""


def without_frames(fault: str) -> Thumbnails:
    """Returns the thumbnails of a video that cannot be read."""
    return Thumbnails(np.zeros([0, 1, 1, 3], np.uint8), fault=fault)


def shrunk(frame: np.ndarray, request: FrameRequest) -> np.ndarray:
    """Shrinks a frame [H, W, 3] into the size that is wanted, in its own proportions.

    Small frames are not enlarged.
    """
    height, width = frame.shape[:2]
    scale = min(request.height / height, request.width / width, 1.0)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
