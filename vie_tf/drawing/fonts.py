r"""Fonts for drawn text in any script.

DejaVu Sans, which matplotlib brings, has the letters of Latin, Greek, Cyrillic, Arabic
and Hebrew, and of some others.  For other letters, such as Chinese, the fonts of the
system are searched; what no font has is drawn as its escape, such as `\u8d70`.
"""

from __future__ import annotations

import functools
import os
import unicodedata
from typing import Iterator, NamedTuple

import matplotlib
from matplotlib import font_manager, ft2font
from PIL import ImageFont

from vie_tf.storage.printable import printable

# Names of fonts that have many scripts come first.
_WIDE = ("cjk", "unifont", "arial unicode", "droidsansfallback", "wqy", "noto")
_INVISIBLE = ("Cf", "Mn", "Me")  # joiners, and marks that change the letter before


class Run(NamedTuple):
    """A part of a line that one font can draw.

    Attributes:
      text: the part.
      font: font of its letters.
    """

    text: str
    font: ImageFont.FreeTypeFont


def runs(text: str, pixels: int) -> list[Run]:
    """Divides a line of text into parts that one font each can draw.

    Args:
      text: line, whose control characters are escaped.
      pixels: height of the letters.
    """
    parts: list[tuple[str, str]] = []  # path of the font, text
    for char in printable(text):
        path, shown = _place_of(char)
        if parts and (path == parts[-1][0] or not shown or _joins(char)):
            parts[-1] = parts[-1][0], parts[-1][1] + shown
        else:
            parts.append((path, shown))
    return [Run(part, _font(path, pixels)) for path, part in parts if part]


def forget() -> None:
    """Searches the fonts of the system again, where some were installed."""
    for function in (_place_of, _system_paths):
        function.cache_clear()


def _joins(char: str) -> bool:
    return unicodedata.category(char) in _INVISIBLE


@functools.lru_cache(maxsize=4096)
def _place_of(char: str) -> tuple[str, str]:
    """Returns the font of a letter, and the letter or what is drawn for it."""
    for path in _paths():
        if ord(char) in _letters(path):
            return path, char
    if _joins(char):
        return _default_path(), ""
    return _default_path(), char.encode("unicode_escape").decode()


def _paths() -> Iterator[str]:
    yield _default_path()
    yield from _system_paths()


@functools.lru_cache
def _default_path() -> str:
    folder = os.path.join(matplotlib.get_data_path(), "fonts", "ttf")
    return os.path.join(folder, "DejaVuSans.ttf")


@functools.lru_cache
def _system_paths() -> tuple[str, ...]:
    """Returns the fonts of the system that can be drawn at any size."""
    found = [path for path in font_manager.findSystemFonts() if _can_be_drawn(path)]

    def rank(path: str) -> tuple[bool, bool, str]:
        name = os.path.basename(path).lower()
        is_plain = not any(word in name for word in ("bold", "italic", "oblique"))
        return not any(word in name for word in _WIDE), not is_plain, path

    return tuple(sorted(found, key=rank))


def _can_be_drawn(path: str) -> bool:
    try:
        _font(path, 12)
    except OSError:  # such as a font of colored pictures, which has one size
        return False
    return True


@functools.lru_cache(maxsize=256)
def _letters(path: str) -> frozenset[int]:
    """Returns the letters of a font by their numbers."""
    try:
        return frozenset(ft2font.FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


@functools.lru_cache(maxsize=64)
def _font(path: str, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, pixels)
