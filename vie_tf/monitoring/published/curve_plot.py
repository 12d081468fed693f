"""A picture of two kNN curves: a run's and the published one.

Comes in: both curves.  Goes out: pixels, and a PNG file.
"""

from __future__ import annotations

import math
import os

import cv2
import numpy as np

from vie_tf.monitoring.published.knn_curve import KnnCurve
from vie_tf.monitoring.published.run import PublishedRun
from vie_tf.storage import files

# Where the axes are in the picture, in pixels.
_HEIGHT, _WIDTH = 640, 1040
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 990, 56, 570

# Blue, green, red; the run's orange can be told from gray by everyone.
_INK = (45, 40, 35)
_GRID = (236, 232, 228)
_BAND = (218, 214, 210)
_OWN = (20, 105, 225)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_TEXT_SCALE = 0.5
_NUM_TICKS = 8  # at most
_NUM_DOTS = 40  # more of them hide the line
_MIN_STEPS = 100_000  # the start of the published curve, up to 15%
_AHEAD = 1.3  # shows what is to come
_SUBPIXEL_BITS = 4  # OpenCV draws at fractions of a pixel when they are counted so


class _Axes:
    """Steps from left to right, accuracies from bottom to top, both from 0."""

    def __init__(self, last_step: float, highest: float) -> None:
        self.step_ticks = ticks(last_step)
        self.accuracy_ticks = ticks(highest)

    def points(self, steps: np.ndarray, accuracies: np.ndarray) -> np.ndarray:
        """Returns [E, 2] int32: x and y in sixteenths of a pixel."""
        x = _LEFT + (_RIGHT - _LEFT) * steps / self.step_ticks[-1]
        y = _BOTTOM - (_BOTTOM - _TOP) * accuracies / self.accuracy_ticks[-1]
        return np.round(np.stack([x, y], axis=1) * 2**_SUBPIXEL_BITS).astype(np.int32)


def ticks(highest: float) -> np.ndarray:
    """Round numbers from 0 to at least a number, for an axis.

    Args:
      highest: above 0.

    Returns:
      Equally spaced, at most 8 above 0.
    """
    exponent = math.floor(math.log10(highest / _NUM_TICKS))
    for distance in (1, 2, 2.5, 5, 10, 20):
        spacing = distance * 10.0**exponent
        # A little less than a whole number of spacings is not one more.
        count = math.ceil(highest / spacing - 1e-9)
        if count <= _NUM_TICKS:
            break
    return spacing * np.arange(count + 1)


def draw(run: KnnCurve, published: PublishedRun, name: str) -> np.ndarray:
    """Draws a run over the published curve and the range that is expected.

    Args:
      run: its curve, not empty.
      published: the other.
      name: of the run, in the legend.

    Returns:
      [640, 1040, 3] uint8, BGR.
    """
    newest, end = int(run.steps[-1]), int(published.steps[-1])
    last = max(min(max(int(_AHEAD * newest), _MIN_STEPS), end), newest)
    # The range beside a longer run is that of the end.
    steps = np.append(published.steps[published.steps < last], last)  # [S]
    top1 = np.interp(steps, published.steps, published.top1)
    was_trained = steps <= end
    ranges = np.array([published.expected_range(int(s)) for s in steps])  # [S, 2]
    axes = _Axes(last, max(float(run.top1.max()), float(ranges.max())))

    pixels = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    low, high = axes.points(steps, ranges[:, 0]), axes.points(steps, ranges[:, 1])
    outline = np.concatenate([low, high[::-1]])
    cv2.fillPoly(pixels, [outline], _BAND, cv2.LINE_AA, _SUBPIXEL_BITS)
    _draw_axes(pixels, axes)
    _draw_line(pixels, axes.points(steps, top1)[was_trained], _INK, 1)
    own = axes.points(run.steps, run.top1)
    _draw_line(pixels, own, _OWN, 2)
    for point in own if len(own) <= _NUM_DOTS else own[-1:]:
        _draw_dot(pixels, point)
    _draw_legend(pixels, name, published.name)
    return pixels


def save(pixels: np.ndarray, path: str) -> None:
    """Writes a picture as PNG.

    Args:
      pixels: [H, W, 3] uint8, BGR.
      path: of the file; its folder is made.

    Raises:
      FileError: it cannot be written.
    """
    png = cv2.imencode(".png", pixels)[1].tobytes()
    files.make_folder(os.path.dirname(path) or ".")
    files.write_atomically(path, png)


def _draw_axes(pixels: np.ndarray, axes: _Axes) -> None:
    for accuracy in axes.accuracy_ticks:
        (_, y), *_ = axes.points(np.zeros(1), np.array([accuracy])) >> _SUBPIXEL_BITS
        cv2.line(pixels, (_LEFT, y), (_RIGHT, y), _GRID, 1)
        _write(pixels, f"{100 * accuracy:.3g}%", _LEFT - 10, y + 5, right=True)
    for step in axes.step_ticks:
        (x, _), *_ = axes.points(np.array([step]), np.zeros(1)) >> _SUBPIXEL_BITS
        cv2.line(pixels, (x, _BOTTOM), (x, _BOTTOM + 5), _INK, 1)
        text = f"{step:,.0f}"
        _write(pixels, text, x - _text_width(text) // 2, _BOTTOM + 24)
    cv2.line(pixels, (_LEFT, _TOP), (_LEFT, _BOTTOM), _INK, 1)
    cv2.line(pixels, (_LEFT, _BOTTOM), (_RIGHT, _BOTTOM), _INK, 1)
    _write(pixels, "kNN top-1", 16, 26)
    _write(pixels, "step", _RIGHT, _HEIGHT - 14, right=True)


def _draw_legend(pixels: np.ndarray, name: str, published_name: str) -> None:
    # Above the axes, where no curve can hide it.
    left = _LEFT + 110
    for kind, text in (
        ("run", f"this run ({name})"),
        ("published", f"published: {published_name}"),
        ("band", "expected range"),
    ):
        start, end = (left, 21), (left + 30, 21)
        if kind == "band":
            cv2.rectangle(pixels, (left, 13), (left + 30, 29), _BAND, -1)
        else:
            cv2.line(pixels, start, end, _OWN if kind == "run" else _INK, 2)
        _write(pixels, text, left + 38, 26)
        left += 38 + _text_width(text) + 30


def _draw_line(
    pixels: np.ndarray, points: np.ndarray, color: tuple[int, int, int], width: int
) -> None:
    cv2.polylines(pixels, [points], False, color, width, cv2.LINE_AA, _SUBPIXEL_BITS)


def _draw_dot(pixels: np.ndarray, point: np.ndarray) -> None:
    center, radius = (int(point[0]), int(point[1])), 4 << _SUBPIXEL_BITS
    cv2.circle(pixels, center, radius, _OWN, -1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _write(
    pixels: np.ndarray, text: str, x: int, baseline: int, right: bool = False
) -> None:
    """Writes text that starts, or ends with `right`, at x."""
    left = x - _text_width(text) if right else x
    cv2.putText(
        pixels, text, (left, baseline), _FONT, _TEXT_SCALE, _INK, 1, cv2.LINE_AA
    )


def _text_width(text: str) -> int:
    return int(cv2.getTextSize(text, _FONT, _TEXT_SCALE, 1)[0][0])
