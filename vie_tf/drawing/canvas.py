"""A picture made of frames and text."""

from __future__ import annotations

import os

import cv2
import numpy as np
from PIL import Image, ImageDraw

from vie_tf.drawing import fonts
from vie_tf.storage import files

Color = tuple[int, int, int]

_FONT_PIXELS = 14
_BASELINE = 13  # below the top of a line, as in DejaVu Sans
# Red, green, blue.
DARK: Color = (35, 40, 45)
GRAY: Color = (115, 120, 125)
LIGHT: Color = (228, 232, 236)
RED: Color = (200, 0, 0)
GREEN: Color = (0, 115, 50)


class Canvas:
    """A white picture to draw on.

    Attributes:
      pixels: [height, width, 3] uint8 RGB.
    """

    def __init__(self, height: int, width: int) -> None:
        self.pixels = np.full((height, width, 3), 255, np.uint8)

    def write(self, text: str, left: int, top: int, color: Color = DARK) -> None:
        """Writes a line of text in any script from a place in pixels."""
        width = text_width(text) + 2
        line = self.pixels[top : top + 2 * _FONT_PIXELS, left : left + width]
        image = Image.fromarray(line)
        place = 0.0
        for run in fonts.runs(text, _FONT_PIXELS):
            # Letters of all fonts stand on one line, as high as those of DejaVu Sans.
            at = (place, _BASELINE)
            ImageDraw.Draw(image).text(at, run.text, color, run.font, anchor="ls")
            place += run.font.getlength(run.text)
        line[:] = np.asarray(image)

    def fill(
        self, left: int, top: int, width: int, height: int, color: Color = LIGHT
    ) -> None:
        """Fills a rectangle."""
        self.pixels[top : top + height, left : left + width] = color

    def paste(
        self, frame: np.ndarray, left: int, top: int, width: int, height: int
    ) -> None:
        """Fits a frame, [H, W, 3] uint8 RGB, into the middle of a light rectangle."""
        self.fill(left, top, width, height)
        scale = min(width / frame.shape[1], height / frame.shape[0])
        wide, high = (max(1, round(side * scale)) for side in frame.shape[1::-1])
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        left, top = left + (width - wide) // 2, top + (height - high) // 2
        self.pixels[top : top + high, left : left + wide] = cv2.resize(
            frame, (wide, high), interpolation=way
        )

    def save(self, path: str) -> None:
        """Writes the picture as PNG to a local or remote file."""
        save_png(self.pixels, path)


def save_png(pixels: np.ndarray, path: str) -> None:
    """Writes [H, W, 3] uint8 RGB as PNG to a local or remote file; makes its folder.

    Raises:
      FileError: the file cannot be written.
    """
    png = cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
    files.make_folder(os.path.dirname(path) or ".")
    files.write_atomically(path, png)


def text_width(text: str) -> int:
    """Returns the width of a line of text in pixels."""
    return round(
        sum(run.font.getlength(run.text) for run in fonts.runs(text, _FONT_PIXELS))
    )


def fitted(text: str, width: int) -> str:
    """Leaves out the middle of a text that is wider than `width` pixels."""
    most = len(text)
    while most > 4 and text_width(shortened(text, most)) > width:
        most -= 1
    return shortened(text, most)


def shortened(text: str, most: int) -> str:
    """Leaves out the middle of a text of more than `most` characters."""
    if len(text) <= most:
        return text
    start = (most - 2) // 2
    return f"{text[:start]}..{text[len(text) - (most - 2 - start) :]}"
