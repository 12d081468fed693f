"""A picture of clips before and after their augmentation, to check settings by eye.

Each clip has two rows: its stored frames with the window of the crop, and the frames
that the network sees; differences are gray, and 128 is none.
"""

from __future__ import annotations

from typing import Sequence

import cv2
import numpy as np

from vie_tf.drawing.canvas import DARK, Canvas, text_width
from vie_tf.input.augmentation import differences
from vie_tf.input.clips import Example

_MAX_COLUMNS = 8  # equally spaced frames of a clip that are shown
_CELL = 160  # height of a frame, in pixels
_LINE = 24
_GAP = 6
_WINDOW = (255, 210, 0)


def draw(examples: Sequence[Example], title: str) -> Canvas:
    """Draws clips below each other.

    Args:
      examples: clips from `Clips.example`, at least one.
      title: first line of the picture.
    """
    columns = [_columns(example) for example in examples]
    titles = [_title(example, shown) for example, shown in zip(examples, columns)]
    sizes = [example.frames.shape[1:3] for example in examples]
    widths = [max(_CELL, round(width * _CELL / height)) for height, width in sizes]
    block = _LINE + 2 * (_CELL + _GAP)
    canvas = Canvas(
        height=_LINE + len(examples) * block,
        width=max(
            *map(text_width, (title, *titles)),
            *(len(shown) * (width + _GAP) for shown, width in zip(columns, widths)),
        )
        + _GAP,
    )
    canvas.write(title, 0, 0, DARK)
    for number, example in enumerate(examples):
        top = _LINE + number * block
        canvas.write(titles[number], 0, top, DARK)
        (clip,) = differences.picture(example.clip[None])
        for place, column in enumerate(columns[number]):
            left, width = place * (widths[number] + _GAP), widths[number]
            frame = example.frames[_stored(example, column)]
            stored = _with_window(frame, example.window)
            above, below = top + _LINE, top + _LINE + _CELL + _GAP
            canvas.paste(stored, left, above, width, _CELL)
            canvas.paste(clip[column], left, below, width, _CELL)
    return canvas


def _columns(example: Example) -> list[int]:
    """Chooses frames of a clip."""
    count = len(example.clip)
    return sorted(set(np.linspace(0, count - 1, min(count, _MAX_COLUMNS)).astype(int)))


def _stored(example: Example, column: int) -> int:
    # A static clip repeats its one stored frame.
    return min(column, len(example.frames) - 1)


def _title(example: Example, columns: Sequence[int]) -> str:
    numbers = (example.indices[_stored(example, column)] for column in columns)
    frames = ", ".join(map(str, numbers))
    return f"video {example.video.id}: {example.video.source}   frames {frames}"


def _with_window(frame: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Draws the window, in source pixels, into a frame that is scaled to the cell."""
    scale = _CELL / frame.shape[0]
    top, left, height, width = (int(side * scale) for side in window)
    size = max(1, round(frame.shape[1] * scale)), _CELL
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    corner = min(left + width, size[0]) - 1, min(top + height, _CELL) - 1
    return cv2.rectangle(small, (left, top), corner, _WINDOW, 2)
