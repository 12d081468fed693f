"""The picture of queries and their nearest videos (Figure 2 of the paper)."""

from __future__ import annotations

from typing import Sequence

import cv2
import numpy as np

from vie_tf.evaluation.neighbors.retrieved import Retrieved
from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.manifest import VideoEntry

_FRAME_HEIGHT = 84
_FRAME_ASPECT = 4 / 3
_FRAMES_PER_STRIP = 3
_STRIP_INTERVAL = 6  # frames, a quarter of a second: motion shows, appearance stays
_GAP = 14
_TEXT_HEIGHT = 22
_MARGIN = 12
_INK = (40, 40, 40)
_RED = (200, 0, 0)
_PAPER = 255


def draw(retrieved: Retrieved, shown: Sequence[int]) -> np.ndarray:
    """Draws queries and their nearest videos.

    Args:
      retrieved: neighbors of all queries.
      shown: queries to be drawn, one row each.

    Returns:
      [H, W, 3] uint8.
    """
    heads = ["query", *(f"neighbor {n + 1}" for n in range(retrieved.rows.shape[1]))]
    rows = [_beside([_head(text) for text in heads])]
    reader = retrieved.open_frames(shown)
    for query in shown:
        color = _RED if retrieved.is_wrong(query) else _INK
        video, lines = retrieved.queries[query], retrieved.lines_of_query(query)
        cells = [_cell(reader, video, lines, [_INK, color])]
        for number, row in enumerate(retrieved.rows[query]):
            neighbor = retrieved.gallery[row]
            lines = retrieved.lines_of_neighbor(query, number)
            cells.append(_cell(reader, neighbor, lines, [_INK, _INK]))
        rows.append(_beside(cells))
    return _framed(np.concatenate(rows))


def _strip_size() -> tuple[int, int]:
    width = round(_FRAME_HEIGHT * _FRAME_ASPECT)
    return _FRAME_HEIGHT, width * _FRAMES_PER_STRIP


def _head(text: str) -> np.ndarray:
    _, width = _strip_size()
    cell = np.full((_TEXT_HEIGHT, width, 3), _PAPER, np.uint8)
    return _write_line(cell, text, 0, _INK)


def _cell(
    reader: FrameReader,
    video: VideoEntry,
    lines: Sequence[str],
    colors: Sequence[tuple[int, int, int]],
) -> np.ndarray:
    """A strip of three frames from the middle of the video, with text below."""
    height, width = _strip_size()
    middle = video.frames // 2
    offsets = (np.arange(_FRAMES_PER_STRIP) - _FRAMES_PER_STRIP // 2) * _STRIP_INTERVAL
    frames = reader.read_images(video, middle + offsets)
    cell = np.full((height + 2 * _TEXT_HEIGHT + _GAP, width, 3), _PAPER, np.uint8)
    step = width // _FRAMES_PER_STRIP
    for position, frame in enumerate(frames):
        fitted = fit(frame, height, step - 2)
        cell[:height, position * step : position * step + step - 2] = fitted
    for number, (line, color) in enumerate(zip(lines, colors)):
        cell = _write_line(cell, line, height + number * _TEXT_HEIGHT, color)
    return cell


def fit(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Shrinks a frame into a box on a light ground, [height, width, 3] uint8."""
    scale = min(height / frame.shape[0], width / frame.shape[1])
    size = (
        max(round(frame.shape[1] * scale), 1),
        max(round(frame.shape[0] * scale), 1),
    )
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    box = np.full((height, width, 3), 235, np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    box[top : top + size[1], left : left + size[0]] = small
    return box


def _write_line(
    image: np.ndarray, text: str, top: int, color: tuple[int, int, int]
) -> np.ndarray:
    """Writes one line, cut to the width of the image."""
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.45
    limit = image.shape[1]
    while len(text) > 1 and cv2.getTextSize(text, font, scale, 1)[0][0] > limit:
        text = text[:-2] + "~"
    baseline = (0, top + _TEXT_HEIGHT - 6)
    return cv2.putText(image, text, baseline, font, scale, color, 1, cv2.LINE_AA)


def _beside(cells: Sequence[np.ndarray]) -> np.ndarray:
    gap = np.full((cells[0].shape[0], _GAP, 3), _PAPER, np.uint8)
    wide = np.full((cells[0].shape[0], 2 * _GAP, 3), _PAPER, np.uint8)
    parts = [cells[0], wide]
    for cell in cells[1:]:
        parts.extend([cell, gap])
    return np.concatenate(parts[:-1], axis=1)


def _framed(image: np.ndarray) -> np.ndarray:
    margin = [(_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)]
    return np.pad(image, margin, constant_values=_PAPER)
