"""The sections of a report.

They are the tables of each task and data set, the paper's tables with own numbers below
theirs, and the protocols.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Sequence

from vie_tf.evaluation.report.evaluated_network import EvaluatedNetwork
from vie_tf.evaluation.report.footnotes import Footnotes
from vie_tf.evaluation.report.markdown_table import NOT_RUN, percent, table
from vie_tf.evaluation.report.paper_tables import PaperTables, augmentation
from vie_tf.models.resnet import PROBED_LAYERS
from vie_tf.monitoring.learning_report import BASELINES

_RECALLS = ("1", "5", "10", "20", "50")


class _Section(NamedTuple):
    """Tables of a task, one for each data set.

    Attributes:
      task: name of the task.
      title: title, which the name of the data set follows.
      columns: heads of the columns.
      cells: takes a result and returns the texts of its cells.
      names_missing: whether networks without a result have a line, too.
    """

    task: str
    title: str
    columns: Sequence[str]
    cells: Callable[[dict[str, Any]], list[str]]
    names_missing: bool = True


def _knn_cells(result: dict[str, Any]) -> list[str]:
    others = {"untrained": result.get("untrained", {}), **result.get("baselines", {})}
    names = ("untrained", *BASELINES)
    without = [others.get(name, {}).get("top1") for name in names]
    numbers = (result["top1"], result["top5"], *without, result["chance"])
    gallery = result["settings"].get("gallery", "-")
    return [*map(percent, numbers), gallery, _num_queries(result)]


def _retrieval_cells(result: dict[str, Any]) -> list[str]:
    recalls = result.get("recall", {})
    numbers = [*(recalls.get(k) for k in _RECALLS), result.get("map")]
    return [*map(percent, numbers), _num_queries(result)]


def _probe_cells(result: dict[str, Any]) -> list[str]:
    scores = result["scores"]
    numbers = [scores.get(layer, {}).get("top1") for layer in PROBED_LAYERS]
    return [*map(percent, numbers), _num_queries(result)]


def _softmax_cells(result: dict[str, Any]) -> list[str]:
    return [percent(result["top1"]), percent(result.get("chance"))]


def _num_queries(result: dict[str, Any]) -> str:
    """Returns the number of videos behind an accuracy."""
    number = result.get("num_queries")
    return "-" if number is None else f"{number:,}"


_KNN = (
    *("top-1", "top-5", "same network untrained"),
    *(name.replace("_", " ") for name in BASELINES),
    *("chance", "gallery"),
)
_RETRIEVAL = (*(f"R@{k}" for k in _RECALLS), "mAP")
_SOFTMAX = "Softmax of supervised networks, best validation on"
_SKLEARN = "scikit-learn probes on"
_TESTED = "videos tested"
_SECTIONS = (
    _Section("knn", "kNN on", (*_KNN, _TESTED), _knn_cells),
    _Section("retrieval", "Retrieval on", (*_RETRIEVAL, _TESTED), _retrieval_cells),
    _Section("linear", "Linear probes on", (*PROBED_LAYERS, _TESTED), _probe_cells),
    _Section("linear_quick", _SKLEARN, (*PROBED_LAYERS, _TESTED), _probe_cells),
    _Section("softmax", _SOFTMAX, ("top-1", "chance"), _softmax_cells, False),
)


def report(
    networks: Sequence[EvaluatedNetwork], paper: PaperTables, all_tables: bool = False
) -> str:
    """Writes the report in Markdown.

    Args:
      networks: evaluated networks, in the order of their lines.
      paper: the paper's tables.
      all_tables: whether to include tables of the paper without any own number.
    """
    notes = Footnotes()
    parts = [
        "# What was measured",
        "Accuracies in %, top-1 unless it says otherwise. The number in brackets is"
        " that of the protocol, at the end.",
        *(part for one in _SECTIONS for part in _tables(one, networks, notes)),
        *_fine_tuning(networks, notes),
        *paper.sections(networks, all_tables, notes),
        "## Protocols",
        "\n".join(notes.lines()) or "Nothing was measured.",
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _tables(
    section: _Section, networks: Sequence[EvaluatedNetwork], notes: Footnotes
) -> list[str]:
    names = [
        one["data"]["name"] for network in networks for one in network.of(section.task)
    ]
    parts = []
    for name in dict.fromkeys(names):
        lines = []
        for network in networks:
            of_data = [r for r in network.of(section.task) if r["data"]["name"] == name]
            # Of several galleries or endpoints, for instance.
            for result in of_data:
                first, *others = section.cells(result)
                lines.append(
                    [network.title(), first + notes.mark(result), *others],
                )
            if not of_data and section.names_missing:
                lines.append([network.title(), NOT_RUN])
        parts += [f"## {section.title} {name}", table(["", *section.columns], lines)]
    return parts


def _fine_tuning(networks: Sequence[EvaluatedNetwork], notes: Footnotes) -> list[str]:
    lines = [
        [
            network.title(from_scratch=result["start"] == "scratch"),
            ", ".join(split["data"] for split in result["splits"]),
            result["start"],
            augmentation(result["settings"]),
            percent(result["mean"]["top1"]) + notes.mark(result),
            percent(result["std"]["top1"]),
        ]
        for network in networks
        for result in network.results
        if result["task"].startswith("finetune")
    ]
    head = ["", "splits", "start", "augmentation", "top-1", "deviation"]
    return ["## Fine-tuning", table(head, lines)] if lines else []
