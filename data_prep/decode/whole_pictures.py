"""Reads a video file that is cut short, without the picture that is not whole.

Of a picture whose last bytes are missing, the FFmpeg of OpenCV 4.14 and later makes a
copy of the picture before it, where earlier ones give none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_prep.decode.opencv import cv2


class _Picture(NamedTuple):
    stamp_msec: float
    pixels: np.ndarray | None  # None if OpenCV cannot convert them


class WholePictures:
    """Takes the place of a `cv2.VideoCapture`, one picture ahead of what it gives.

    The last picture is left out if it equals the one before it.

    Args:
      capture: open file at its beginning.
    """

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture
        self._current: _Picture | None = None
        self._next = self._read()

    def grab(self) -> bool:
        """Goes to the next picture; False if there is none."""
        before, self._current = self._current, self._next
        if self._current is None:
            return False
        self._next = self._read()
        is_copy = (
            self._next is None
            and before is not None
            and before.pixels is not None
            and self._current.pixels is not None
            and np.array_equal(before.pixels, self._current.pixels)
        )
        return not is_copy

    def retrieve(self, buffer: np.ndarray | None) -> tuple[bool, np.ndarray]:
        """Returns whether there are pixels of the picture, and these; see OpenCV."""
        assert self._current is not None, "grab() comes first"
        pixels = self._current.pixels
        return pixels is not None, np.empty(0) if pixels is None else pixels

    def get(self, property_id: int) -> float:
        """Returns a property of the file, or the time stamp of the picture."""
        if property_id == cv2.CAP_PROP_POS_MSEC and self._current is not None:
            return self._current.stamp_msec
        return float(self._capture.get(property_id))

    def _read(self) -> _Picture | None:
        if not self._capture.grab():
            return None
        stamp = float(self._capture.get(cv2.CAP_PROP_POS_MSEC))
        converted, pixels = self._capture.retrieve()
        return _Picture(stamp, pixels if converted else None)
