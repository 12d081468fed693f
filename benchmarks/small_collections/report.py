"""The table and the picture of the benchmark."""

from __future__ import annotations

import numpy as np
from matplotlib import ticker
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.small_collections.methods import METHODS, NETWORKS
from benchmarks.small_collections.results import METRICS, Result, Results, spread

_TITLES = {"knn1": "1-NN", "knn10": "kNN, k = 10", "map": "mAP", "probe": "probe"}
_COLORS = {"untrained": "0.6", "IR": "tab:cyan", "LA": "tab:blue"}
_COLORS |= {"transferred": "0.8", "transferred_IR": "tab:green"}
_COLOR_OF_BASELINES = "tab:orange"


def table(results: Results) -> str:
    """Formats all results in Markdown, in percent: mean ± deviation over the seeds."""
    head = ["videos", "what is compared", *_TITLES.values(), "seeds", "steps", "min"]
    lines = [head, ["---"] * len(head)]
    for collection in results.collections():
        name = _describe(results, collection)
        for row, found in _ordered(results, collection):
            cells = [_cell(found, metric) for metric in METRICS]
            minutes = sum(result.seconds for result in found) / len(found) / 60
            steps = f"{found[0].steps:,}" if found[0].steps else ""
            lines.append(
                [name, _title(row), *cells, str(len(found)), steps, f"{minutes:.1f}"]
            )
            name = ""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def draw(results: Results, metric: str = "knn10") -> Figure:
    """Draws a panel of bars for each collection, with the seeds as points."""
    collections = results.collections()
    figure = Figure(figsize=(9, 1.2 + 2.6 * len(collections)), layout="constrained")
    FigureCanvasAgg(figure)  # no display is needed
    for axes, collection in zip(
        figure.subplots(len(collections), 1, squeeze=False)[:, 0], collections
    ):
        rows = _ordered(results, collection)
        for place, ((method, _), found) in enumerate(rows):
            values = [result.scores[metric] for result in found]
            color = _COLORS.get(method, _COLOR_OF_BASELINES)
            axes.barh(place, np.mean(values), color=color, height=0.7)
            axes.plot(values, [place] * len(values), "k.", markersize=5)
        chance = 1 / rows[0][1][0].num_classes
        axes.axvline(chance, color="black", linewidth=1, linestyle=":")
        axes.set_yticks(range(len(rows)), [_title(row) for row, _ in rows])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(ticker.PercentFormatter(1.0))
        axes.set_title(_describe(results, collection), fontsize=10, loc="left")
        axes.grid(axis="x", color="0.9")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel(f"leave-one-out {_TITLES[metric]}; dotted: chance; points: seeds")
    return figure


def _ordered(
    results: Results, collection: str
) -> list[tuple[tuple[str, str], list[Result]]]:
    """Returns rows with their results: baselines first, then networks."""
    found = results.rows(collection)
    return sorted(found.items(), key=lambda item: METHODS.index(item[0][0]))


def _describe(results: Results, collection: str) -> str:
    first = next(iter(results.rows(collection).values()))[0]
    return f"{collection}, {first.num_videos} videos, {first.num_classes} classes"


def _title(row: tuple[str, str]) -> str:
    method, representation = row
    if method not in NETWORKS:
        return method.replace("_", " ")
    return f"{method.replace('_', ' ')}, {representation}"


def _cell(found: list[Result], metric: str) -> str:
    value = spread(found, metric)
    if value is None:
        return ""
    if len(found) == 1:
        return f"{100 * value.mean:.1f}"
    return f"{100 * value.mean:.1f} ± {100 * value.deviation:.1f}"
