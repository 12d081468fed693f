"""Which frames of a video are wanted, and those that were found.

One pass over a video gives its thumbnails and the series by which recordings are
compared.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from vie_tf.drawing.frame_series import (
    PER_SECOND,
    FrameSeries,
    small_gray,
    stretches,
)
from vie_tf.drawing.thumbnails import FrameRequest, Thumbnails


class Take(NamedTuple):
    """What a frame is for.

    Attributes:
      is_thumbnail: whether it is a thumbnail.
      moment: its moment in the series; None if it is not of it.
    """

    is_thumbnail: bool
    moment: int | None


class WantedFrames:
    """Collects the frames of one video, which come in the order of their time.

    Args:
      request: frames that are wanted.
      duration: seconds of the video; 0 if it is not known.
      fps: frame rate of the video.

    Attributes:
      request: frames that are wanted.
    """

    def __init__(self, request: FrameRequest, duration: float, fps: float) -> None:
        self.request = request
        self._first = request.first_second(duration)
        self._half = 0.5 / fps  # a frame this much before a moment is the nearest to it
        self._num_thumbnails = self._next_moment = 0
        self._frames: list[np.ndarray] = []
        self._grays: list[np.ndarray] = []
        self._moments: list[int] = []
        self._stretches = stretches(duration) if request.with_series else []

    def spans(self) -> list[tuple[float, float]]:
        """Returns from which to which second the video has to be read, rising."""
        spans = list(self._stretches)
        if self.request.most:
            seconds = self.request.most / self.request.per_second
            spans.append((self._first, self._first + seconds))
        joined: list[tuple[float, float]] = []
        for start, end in sorted(spans):
            if joined and start <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((start, end))
        return joined

    def take(self, secs: float) -> Take | None:
        """Returns what the next frame, at some second, is for; None if for nothing."""
        count = self._num_thumbnails
        place = self._first + count / self.request.per_second
        is_thumbnail = count < self.request.most and secs >= place - self._half
        self._num_thumbnails += is_thumbnail
        moment = None
        is_within = any(start <= secs < end for start, end in self._stretches)
        if is_within and secs >= self._next_moment / PER_SECOND - self._half:
            moment = max(self._next_moment, round(secs * PER_SECOND))
            self._next_moment = moment + 1
        found = Take(is_thumbnail, moment)
        return found if is_thumbnail or moment is not None else None

    def add(self, take: Take, frame: np.ndarray) -> None:
        """Adds a frame that was taken, [H, W, 3] uint8 RGB of the wanted size."""
        if take.moment is not None:
            self._moments.append(take.moment)
            self._grays.append(small_gray(frame))
        if take.is_thumbnail:
            if self._frames and frame.shape != self._frames[0].shape:
                frame = cv2.resize(frame, self._frames[0].shape[1::-1])
            self._frames.append(frame)

    def has_frames(self) -> bool:
        """Returns whether there is any of what is wanted."""
        return bool(self._frames if self.request.most else self._grays)

    def thumbnails(self, duration: float) -> Thumbnails:
        """Returns what was found."""
        frames = np.stack(self._frames) if self._frames else np.zeros([0, 1, 1, 3])
        series = FrameSeries.pack(self._grays, self._moments)
        return Thumbnails(
            frames.astype(np.uint8),
            duration,
            series=series if self.request.with_series else None,
        )
