"""Frames in gray, where their colors and details are not needed."""

from __future__ import annotations

import cv2
import numpy as np

_JPEG_END = b"\xff\xd9"
# JPEG frames are decoded at a half, a quarter or an eighth of their size, as long as
# both sides keep so many pixels.
_FEWEST_PIXELS = 64
_REDUCTIONS = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


def decode_gray(jpeg: bytes, size: tuple[int, int]) -> np.ndarray:
    """Decodes a JPEG frame to gray, at a fraction of its size where it is large.

    Args:
      jpeg: JPEG string.
      size: height and width of the frame.

    Returns:
      [H, W] uint8, at least 64 pixels on each side unless the frame has fewer.

    Raises:
      OSError: it is no whole JPEG image.
    """
    fitting = [n for n in _REDUCTIONS if min(size) // n >= _FEWEST_PIXELS]
    flag = _REDUCTIONS[max(fitting, default=1)]
    frame = None
    if jpeg.endswith(_JPEG_END):  # OpenCV would fill what is missing with gray
        frame = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flag)
    if frame is None:
        raise OSError("a frame is no whole JPEG image")
    return frame
