"""A white picture with text, and how it gets to its file.

What `draw_histograms` and `draw_contact_sheet` draw on.
"""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from data_prep.decode.opencv import cv2
from vie_tf.storage.files import tensorflow_errors_as_os_errors

Color = tuple[int, int, int]

# Blue, green, red.
DARK: Color = (45, 40, 35)
GRAY: Color = (125, 120, 115)
LIGHT: Color = (236, 232, 228)
BLUE: Color = (190, 120, 50)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_PIXELS_AT_SCALE_1 = 30.0  # Height of a line of this font, with its descenders.


class Canvas:
    """A picture to draw on.

    Attributes:
      pixels: [H, W, 3] uint8 BGR, white at first.
    """

    def __init__(self, height: int, width: int) -> None:
        self.pixels = np.full((height, width, 3), 255, np.uint8)

    def write(
        self, text: str, left: int, baseline: int, size: int, color: Color
    ) -> None:
        """Writes a line of text.

        Args:
          text: what OpenCV's font does not have (all but ASCII) becomes `?`.
          left: where it starts, in pixels.
          baseline: where it stands, in pixels from the top.
          size: height of a line in pixels.
          color: of `DARK` and the others.
        """
        place, scale = (left, baseline), size / _PIXELS_AT_SCALE_1
        text = plain(text)
        cv2.putText(self.pixels, text, place, _FONT, scale, color, 1, cv2.LINE_AA)

    def fill(self, left: int, top: int, right: int, bottom: int, color: Color) -> None:
        """Fills a rectangle; right and bottom are outside of it."""
        self.pixels[top:bottom, left:right] = color

    def save(self, path: str) -> None:
        """Writes the picture as PNG, to any place that `tf.io.gfile` knows.

        Raises:
          OSError: it cannot be written.
        """
        png = cv2.imencode(".png", self.pixels)[1].tobytes()
        with tensorflow_errors_as_os_errors(path):
            tf.io.gfile.makedirs(os.path.dirname(path) or ".")
            with tf.io.gfile.GFile(path, "wb") as file:
                file.write(png)


def text_width(text: str, size: int) -> int:
    """Returns how many pixels a line of text takes."""
    scale = size / _PIXELS_AT_SCALE_1
    return int(cv2.getTextSize(plain(text), _FONT, scale, 1)[0][0])


def plain(text: str) -> str:
    """Returns the text in the characters that can be drawn."""
    return text.encode("ascii", "replace").decode()


def fitted(text: str, size: int, width: int) -> str:
    """Returns the text, shortened until it takes at most `width` pixels."""
    for most in range(len(text), 4, -1):
        candidate = shortened(text, most)
        if text_width(candidate, size) <= width:
            return candidate
    return text[:4]


def shortened(text: str, most: int) -> str:
    """Returns at most `most` characters, the middle left out where there are more."""
    if len(text) <= most:
        return text
    start = (most - 2) // 2
    return f"{text[:start]}..{text[len(text) - (most - 2 - start) :]}"
