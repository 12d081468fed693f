"""Tables and picture of the study, from its results."""

from __future__ import annotations

import textwrap
from typing import Any, Iterator, Sequence

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.paper_in_miniature.claims import NOT_RUN, Finding, findings
from benchmarks.paper_in_miniature.measure import (
    ACTIONS,
    BASELINES,
    KNN,
    LAYERS,
    OBJECTS,
)
from benchmarks.paper_in_miniature.plan import (
    BINS,
    CLIPS_OF,
    DECIDES,
    FAMILIES,
    LONG,
    OTHER_STARTS,
    OTHERS,
    STARTS,
    STREAMS,
    SUBSETS,
    TRAININGS,
)
from benchmarks.paper_in_miniature.results import FINETUNE, Results

_COLORS = {"IR": "tab:cyan", "LA": "tab:blue", "supervised": "tab:orange"}
_COLUMNS = (
    KNN,
    *(f"{ACTIONS}/{layer}" for layer in LAYERS),
    *(f"{OBJECTS}/{layer}" for layer in LAYERS),
)


def text(results: Results) -> str:
    """Formats claims and tables in Markdown."""
    return "".join(_parts(results))


def _parts(results: Results) -> Iterator[str]:
    head = ["claim", "paper", "here", "difference", "seeds", "verdict"]
    yield _table(head, [_claim_cells(finding) for finding in findings(results)])
    yield f"\n{textwrap.fill(_circumstances(results), 92)}\n"
    yield "\n## Table 1: families\n\n"
    names = [
        (family, training, f"{family}-{training}")
        for family in FAMILIES
        for training in TRAININGS
    ]
    names += [(name, "LA", f"{name}-LA") for name in STREAMS]
    names += [
        (DECIDES, f"IR, then {one} for as long", f"{DECIDES}-long-{one}")
        for one in LONG
    ]
    yield _probe_table(results, names)
    yield _baselines(results)
    yield "\n## Table 2: fine-tuning on held-out actions\n\n"
    rows = []
    for start in (*STARTS, *OTHER_STARTS):
        name = f"{DECIDES}-finetuned-{start}"
        rows.append([start, *_cells(results, name, [FINETUNE])])
    yield _table(["start", "top-1", "seeds"], rows)
    yield "\n## Other objectives of table 2, by kNN and probes\n\n"
    yield _probe_table(results, list(_other_rows()))
    yield "\n## Table 3: fewer videos, and bins\n\n"
    kinds = ["all videos, whole", *SUBSETS, *BINS]
    keys = [f"{DECIDES}-LA", *(f"{DECIDES}-{kind}-LA" for kind in kinds[1:])]
    yield _probe_table(results, [(DECIDES, k, key) for k, key in zip(kinds, keys)])
    yield "\n## Table 4: `single` on the clips of others\n\n"
    of_clips = [("single", f"clips of {f}", f"single-LA-on-{f}") for f in CLIPS_OF]
    yield _probe_table(results, [("single", "own clips", "single-LA"), *of_clips])


def _other_rows() -> Iterator[tuple[str, str, str]]:
    """Names IR and then the other objectives of each network."""
    for network in dict.fromkeys(family for family, _ in OTHERS.values()):
        yield network, "IR", f"{network}-IR"
        for loss, (family, flags) in OTHERS.items():
            if family == network:
                yield network, " ".join((loss, *flags)), f"{network}-{loss}"


def _claim_cells(finding: Finding) -> list[str]:
    claim = finding.claim
    if not finding.count:
        return [claim.sentence, claim.paper, "", "", "0", NOT_RUN]
    figures = f"{100 * finding.better:.1f} v. {100 * finding.worse:.1f}"
    difference = f"{100 * finding.difference:+.1f} ± {100 * finding.error:.1f}"
    verdict = f"**{finding.verdict}**"
    return [
        *(claim.sentence, claim.paper, figures, difference),
        *(str(finding.count), verdict),
    ]


def _circumstances(results: Results) -> str:
    """Says on how much what was measured, in how much time."""
    rows = [row for row in results.rows.values() if row.scores]
    if not rows:
        return "Nothing was run yet."
    sizes = results.settings
    tests: dict[str, int] = {}
    for row in rows:
        tests.update(row.num_tests)
    minutes = sum(row.seconds for row in results.rows.values()) / 60
    loads = [row.load for row in results.rows.values()]
    counts = ", ".join(f"{number} of {name}" for name, number in tests.items())
    return (
        f"{sizes['num_videos']:,} videos and {sizes['num_pictures']:,} pictures of the"
        f" world `{sizes['world']}`; {sizes['steps']:,} steps of {sizes['batch_size']}"
        f" clips, {sizes['num_filters']} filters; tests: {counts}. {len(rows)} networks"
        f" were measured. All rows took {minutes:.0f} minutes of wall time in sum,"
        f" under loads of {min(loads):.0f} to {max(loads):.0f}."
    )


def _probe_table(results: Results, names: Sequence[tuple[str, str, str]]) -> str:
    head = ["network", "videos and training", *(_title(c) for c in _COLUMNS), "seeds"]
    rows = [
        [f"`{network}`", what, *_cells(results, name, _COLUMNS)]
        for network, what, name in names
    ]
    return _table(head, rows)


def _title(column: str) -> str:
    return column.replace("/", ", ") if "/" in column else "kNN"


def _cells(results: Results, name: str, columns: Sequence[str]) -> list[str]:
    """Returns the cells of a row and its number of seeds; a row may not have run."""
    spreads = [results.spread(name, column) for column in columns]
    count = max((spread.num_seeds for spread in spreads if spread), default=0)
    if not count:
        return [NOT_RUN, *[""] * (len(columns) - 1), "0"]
    cells = []
    for spread in spreads:
        if spread is None:
            cells.append("")
        elif spread.num_seeds == 1:
            cells.append(f"{100 * spread.mean:.1f}")
        else:
            cells.append(f"{100 * spread.mean:.1f} ± {100 * spread.deviation:.1f}")
    return [*cells, str(count)]


def _baselines(results: Results) -> str:
    found = {name: results.spread(f"{DECIDES}-random", name) for name in BASELINES}
    known = [
        f"{name.replace('_', ' ')} {100 * spread.mean:.1f}"
        for name, spread in found.items()
        if spread
    ]
    if not known:
        return ""
    return f"\nkNN of what has learned nothing: {', '.join(known)}.\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def draw(results: Results) -> Figure:
    """Draws kNN over the steps: IR beside LA on the left, families on the right."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    FigureCanvasAgg(figure)  # no display is needed
    left, right = figure.subplots(1, 2, sharey=True)
    for training in ("IR", "LA"):
        curves = [result.curve for result in results.of(f"{DECIDES}-{training}")]
        for curve in curves:
            _plot(left, curve, color=_COLORS[training], alpha=0.35)
        if curves:
            mean = np.mean(curves, axis=0)  # of the same steps
            _plot(left, mean, color=_COLORS[training], linewidth=2, label=training)
    left.set_title(f"{DECIDES}: seeds thin, their mean thick")
    for family in FAMILIES:
        for result in results.of(f"{family}-LA")[:1]:
            _plot(right, result.curve, label=family)
    right.set_title("families, by IR and from half of the steps on by LA")
    for axes in (left, right):
        axes.set_xlabel("step")
        axes.yaxis.set_major_formatter(ticker.PercentFormatter(1.0))
        axes.grid(color="0.9")
        axes.spines[["top", "right"]].set_visible(False)
        if axes.lines:
            axes.legend(frameon=False)
    left.set_ylabel("top-1 of kNN in the memory bank")
    return figure


def _plot(axes: Axes, curve: Sequence[Sequence[float]], **style: Any) -> None:
    points = np.reshape(curve, [-1, 2])
    axes.plot(points[:, 0], points[:, 1], **style)
