"""Histograms -> one picture, two of them side by side."""

from __future__ import annotations

from typing import Sequence

from data_prep.describe.canvas import (
    BLUE,
    DARK,
    GRAY,
    LIGHT,
    Canvas,
    fitted,
    text_width,
)
from data_prep.describe.statistics import Histogram

_COLUMNS = 2
_PANEL_WIDTH = 640
_MARGIN = 32
_GAP = 12  # between a label, its bar and its number
_HEAD = 56
_TITLE_SIZE, _TEXT_SIZE = 20, 16
_ROW_HEIGHT, _BAR_HEIGHT = 26, 16
_MOST_LABEL_WIDTH = 220


def draw_histograms(title: str, histograms: Sequence[Histogram]) -> Canvas:
    """Draws histograms with horizontal bars.

    Args:
      title: line above all.
      histograms: at least one, in the order of reading.
    """
    rows = [
        histograms[start : start + _COLUMNS]
        for start in range(0, len(histograms), _COLUMNS)
    ]
    heights = [max(map(_panel_height, row)) for row in rows]
    width = _COLUMNS * _PANEL_WIDTH
    canvas = Canvas(_HEAD + sum(heights), width)
    title = fitted(title, _TITLE_SIZE + 2, width - 2 * _MARGIN)
    canvas.write(title, _MARGIN, _HEAD - 18, _TITLE_SIZE + 2, DARK)
    top = _HEAD
    for row, height in zip(rows, heights):
        for column, histogram in enumerate(row):
            _draw_panel(canvas, histogram, column * _PANEL_WIDTH, top)
        top += height
    return canvas


def _panel_height(histogram: Histogram) -> int:
    return 2 * _MARGIN + _ROW_HEIGHT * (1 + len(histogram.bars))


def _draw_panel(canvas: Canvas, histogram: Histogram, left: int, top: int) -> None:
    left, right = left + _MARGIN, left + _PANEL_WIDTH - _MARGIN
    baseline = top + _MARGIN
    canvas.write(histogram.title, left, baseline, _TITLE_SIZE, DARK)
    labels = [
        fitted(label, _TEXT_SIZE, _MOST_LABEL_WIDTH) for label, _ in histogram.bars
    ]
    numbers = [f"{count:,}" for _, count in histogram.bars]
    label_width = max(text_width(label, _TEXT_SIZE) for label in labels)
    number_width = max(text_width(number, _TEXT_SIZE) for number in numbers)
    bar_left = left + label_width + _GAP
    longest = right - number_width - _GAP - bar_left
    most = max(count for _, count in histogram.bars)
    for label, number, (_, count) in zip(labels, numbers, histogram.bars):
        baseline += _ROW_HEIGHT
        label_left = left + label_width - text_width(label, _TEXT_SIZE)
        canvas.write(label, label_left, baseline, _TEXT_SIZE, DARK)
        # A single video among thousands must be seen.
        length = max(round(longest * count / most), 2 if count else 0)
        # The middle of the digits, which stand on the baseline.
        bar_top = baseline - _TEXT_SIZE // 3 - _BAR_HEIGHT // 2
        bottom = bar_top + _BAR_HEIGHT
        canvas.fill(bar_left, bar_top, bar_left + longest, bottom, LIGHT)
        canvas.fill(bar_left, bar_top, bar_left + length, bottom, BLUE)
        canvas.write(number, bar_left + longest + _GAP, baseline, _TEXT_SIZE, GRAY)
