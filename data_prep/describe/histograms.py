"""Draws histograms as one chart, two of them side by side."""

from __future__ import annotations

from typing import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from data_prep.describe.statistics import Histogram
from vie_tf.drawing.canvas import shortened

_COLUMNS = 2
_PANEL_INCHES = 6.4
_ROW_INCHES, _HEAD_INCHES = 0.26, 0.9  # height of a bar, and of what is around them
_LABEL_CHARACTERS = 28


def draw_histograms(title: str, histograms: Sequence[Histogram]) -> np.ndarray:
    """Draws histograms with horizontal bars.

    Returns:
      [H, W, 3] uint8 RGB.
    """
    rows = [histograms[n : n + _COLUMNS] for n in range(0, len(histograms), _COLUMNS)]
    num_bars = [max(len(one.bars) for one in row) for row in rows]
    heights = [_HEAD_INCHES + _ROW_INCHES * most for most in num_bars]
    # Without pyplot, so that no display is needed and no backend is chosen.
    size = (_COLUMNS * _PANEL_INCHES, sum(heights))
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    figure.suptitle(title.replace("$", r"\$"))
    grid = figure.subplots(len(rows), _COLUMNS, squeeze=False, height_ratios=heights)
    for axes in grid.flat[len(histograms) :]:
        axes.remove()
    for number, (axes, histogram) in enumerate(zip(grid.flat, histograms)):
        labels = [shortened(label, _LABEL_CHARACTERS) for label, _ in histogram.bars]
        counts = [count for _, count in histogram.bars]
        bars = axes.barh(range(len(counts)), counts, color="steelblue")
        axes.bar_label(bars, [f"{count:,}" for count in counts], padding=3)
        axes.set_yticks(range(len(counts)), labels)
        # The first bar at the top, and all bars of one thickness.
        axes.set_ylim(num_bars[number // _COLUMNS] - 0.5, -0.5)
        axes.set_title(histogram.title, loc="left")
        axes.set_xticks([])
        axes.spines[["top", "right", "bottom"]].set_visible(False)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]
