"""A picture of clips before and after their augmentation, to check a recipe by eye.

Two rows for a clip: its frames as they are stored, with the window of the crop drawn
into them, and below each the frame that the network sees.
"""

from __future__ import annotations

from typing import Sequence

import cv2
import numpy as np

from vie_tf.input.clip_source import Example

_COLUMNS = 8  # frames of a clip that are shown, equally spaced
_CELL = 160  # height of a row, in pixels
_TITLE = 24
_GAP = 6
_PAPER = (255, 255, 255)
_INK = (40, 40, 40)
_WINDOW = (255, 210, 0)


def draw(examples: Sequence[Example], title: str) -> np.ndarray:
    """Draws clips below each other.

    Args:
      examples: from `Clips.example`.
      title: of the picture.

    Returns:
      [H, W, 3] uint8, RGB.
    """
    blocks = [_title(title), *(_draw_clip(example) for example in examples)]
    width = max(block.shape[1] for block in blocks)
    gap = np.full((_GAP, width, 3), _PAPER, np.uint8)
    rows = [part for block in blocks for part in (_padded(block, width), gap)]
    return np.concatenate(rows)


def _draw_clip(example: Example) -> np.ndarray:
    count = len(example.clip)
    columns = np.unique(np.linspace(0, count - 1, min(count, _COLUMNS)).astype(int))
    # A static clip has one stored frame that is shown again and again.
    stored = [min(column, len(example.frames) - 1) for column in columns]
    numbers = ", ".join(str(example.indices[number]) for number in stored)
    title = f"video {example.video.id}: {example.video.source}   frames {numbers}"
    before = [_with_window(example.frames[n], example.window) for n in stored]
    after = [example.clip[column] for column in columns]
    cell_width = before[0].shape[1]
    rows = [
        np.concatenate([_framed(frame, cell_width) for frame in frames], axis=1)
        for frames in (before, after)
    ]
    row_title = _title(title, rows[0].shape[1])
    width = max(row_title.shape[1], rows[0].shape[1])
    return np.concatenate([_padded(part, width) for part in (row_title, *rows)])


def _with_window(frame: np.ndarray, window: np.ndarray) -> np.ndarray:
    scale = _CELL / frame.shape[0]
    top, left, height, width = (int(side * scale) for side in window)
    size = max(1, round(frame.shape[1] * scale)), _CELL
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    corner = min(left + width, size[0]) - 1, min(top + height, _CELL) - 1
    return cv2.rectangle(small, (left, top), corner, _WINDOW, 2)


def _framed(frame: np.ndarray, width: int) -> np.ndarray:
    """A frame on paper of the width of a column."""
    side = min(_CELL, width)
    if frame.shape[0] == frame.shape[1] and frame.shape[0] != _CELL:
        frame = cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA)
    cell = np.full((_CELL + _GAP, width + _GAP, 3), _PAPER, np.uint8)
    cell[: frame.shape[0], : frame.shape[1]] = frame
    return cell


def _title(text: str, width: int = 0) -> np.ndarray:
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.45
    (needed, _), _ = cv2.getTextSize(text, font, size, 1)
    line = np.full((_TITLE, max(width, needed + _GAP), 3), _PAPER, np.uint8)
    return cv2.putText(line, text, (0, 16), font, size, _INK, 1, cv2.LINE_AA)


def _padded(block: np.ndarray, width: int) -> np.ndarray:
    room = np.full((block.shape[0], width - block.shape[1], 3), _PAPER, np.uint8)
    return np.concatenate([block, room], axis=1)
