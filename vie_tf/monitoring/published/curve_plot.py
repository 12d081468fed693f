"""A chart of two kNN curves: a run's and the published one."""

from __future__ import annotations

import io
import os

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vie_tf.monitoring.published.curves import KnnCurve, PublishedRun
from vie_tf.storage import files

_NUM_DOTS = 40  # more of them hide the line
_MIN_STEPS = 100_000  # shows the start of the published curve, up to 15%
_AHEAD = 1.3  # shows what is to come


def draw(run: KnnCurve, published: PublishedRun, name: str) -> Figure:
    """Draws the curve of a run, not empty, over the published one and its range."""
    newest, end = int(run.steps[-1]), int(published.steps[-1])
    last = max(min(max(int(_AHEAD * newest), _MIN_STEPS), end), newest)
    # A run longer than the published one is compared with its end.
    steps = np.append(published.steps[published.steps < last], last)  # [S]
    top1 = np.interp(steps, published.steps, published.top1)
    ranges = np.array([published.expected_range(int(s)) for s in steps])  # [S, 2]
    figure = Figure(figsize=(10, 5.6), layout="constrained")
    FigureCanvasAgg(figure)  # no display is needed
    axes = figure.add_subplot()
    axes.fill_between(steps, *ranges.T, color="0.85", lw=0, label="expected range")
    axes.plot(
        steps[steps <= end],
        top1[steps <= end],
        color="0.25",
        linewidth=1.2,
        label=f"published: {published.name}",
    )
    axes.plot(
        run.steps,
        run.top1,
        color="tab:orange",
        linewidth=2,
        marker="o",
        markersize=5,
        markevery=slice(None) if len(run.steps) <= _NUM_DOTS else [-1],
        label=f"this run ({name})",
    )
    _label(axes, last)
    return figure


def _label(axes: Axes, last: int) -> None:
    axes.set_xlim(0, last)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("training step")
    axes.set_ylabel("kNN top-1 accuracy")
    axes.xaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_formatter(ticker.PercentFormatter(1.0))
    axes.grid(axis="y", color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", frameon=False)


def save(figure: Figure, path: str) -> None:
    """Writes a chart as PNG, in a folder that is made if need be.

    Raises:
      FileError: the file cannot be written.
    """
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=110)
    files.make_folder(os.path.dirname(path) or ".")
    files.write_atomically(path, png.getvalue())
