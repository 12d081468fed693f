"""Small gray frames of a video, at even moments, by which recordings are compared.

All frames are squeezed into squares, so that a video that was squeezed is the same.

Letters: F frames of a video, S side of a frame.
"""

from __future__ import annotations

import dataclasses
import zlib
from typing import Sequence

import cv2
import numpy as np

SIDE = 48
PER_SECOND = 20.0  # moments; people who fall move half a frame in between
# The first seconds of a video, and then a stretch of every period, are read: so the
# first seconds of whatever is cut from a long video hold a whole stretch of it.
HEAD_SECS, PERIOD_SECS, STRETCH_SECS, MOST_SECS = 24.0, 20.0, 4.0, 600.0
_SMOOTHING = 1.3  # pixels; details depend on the size that a frame had before
_FAST = 1  # of zlib; videos of still cameras take a tenth of their size


@dataclasses.dataclass(frozen=True)
class FrameSeries:
    """Frames of a video, packed.

    Attributes:
      moments: moment of each frame in twentieths of a second, rising, [F] int32.
      packed: compressed pixels.
    """

    moments: np.ndarray
    packed: bytes

    @classmethod
    def pack(cls, frames: Sequence[np.ndarray], moments: Sequence[int]) -> FrameSeries:
        """Packs frames of `small_gray`, each [S, S] uint8."""
        pixels = np.asarray(frames, np.uint8).reshape(-1, SIDE, SIDE)
        # As differences from the frame before, which are small.
        changes = np.diff(pixels, axis=0, prepend=np.zeros_like(pixels[:1]))
        packed = zlib.compress(changes.tobytes(), _FAST)
        return cls(np.asarray(moments, np.int32), packed)

    def pixels(self) -> np.ndarray:
        """Returns the frames, [F, S, S] uint8."""
        changes = np.frombuffer(zlib.decompress(self.packed), np.uint8)
        changes = changes.reshape(-1, SIDE, SIDE)
        return np.cumsum(changes, axis=0, dtype=np.uint8)


def stretches(duration: float) -> list[tuple[float, float]]:
    """Returns from which to which second a video is read.

    Args:
      duration: seconds of the video; 0 if it is not known.
    """
    starts = np.arange(HEAD_SECS, min(duration, MOST_SECS), PERIOD_SECS) + PERIOD_SECS
    starts = starts[starts + STRETCH_SECS <= duration] - STRETCH_SECS
    return [(0.0, HEAD_SECS), *((s, s + STRETCH_SECS) for s in starts.tolist())]


def small_gray(frame: np.ndarray) -> np.ndarray:
    """Makes a frame [H, W, 3] uint8 RGB comparable: [S, S] uint8."""
    # First shrunk by whole steps, which is fast.
    step = max(1, min(frame.shape[:2]) // (2 * SIDE))
    if step > 1:
        size = frame.shape[1] // step, frame.shape[0] // step
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), _SMOOTHING)
