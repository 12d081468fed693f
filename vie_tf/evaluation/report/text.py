"""A report in Markdown: tables of numbers, and the protocol of each below them.

Comes in: evaluated networks, and the paper's tables.  Goes out: text.  First all
networks on all data, then, where networks were evaluated on the paper's data sets, its
tables with the numbers of the paper beside one's own.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

from vie_tf.evaluation.report import paper_comparison
from vie_tf.evaluation.report.evaluated_network import Network
from vie_tf.evaluation.report.markdown_table import NOT_RUN, percent, table
from vie_tf.evaluation.report.protocols import Protocols
from vie_tf.monitoring.published import tables
from vie_tf.monitoring.published.tables import AUGMENTATIONS, LAYERS, PublishedTables

_ALL_LAYERS = ("conv1", "conv2", *LAYERS)
_QUERIES = "videos tested"
_RECALLS = ("1", "5", "10", "20", "50")


def report(
    networks: Sequence[Network], published: PublishedTables, all_tables: bool = False
) -> str:
    """Writes the report.

    Args:
      networks: in the order of the rows.
      published: the paper's tables.
      all_tables: whether tables of the paper are there where nothing of them was run.

    Returns:
      Markdown.
    """
    protocols = Protocols()
    parts = [
        "# What was measured",
        "Accuracies in %, top-1 unless it says otherwise. The number in brackets is"
        " that of the protocol, at the end.",
        *_knn_part(networks, protocols),
        *_retrieval_part(networks, protocols),
        *_read_outs_part(networks, "linear", "Linear read-outs", protocols),
        *_read_outs_part(networks, "linear_quick", "Quick look", protocols),
        *_softmax_part(networks, protocols),
        *_fine_tuning_part(networks, protocols),
        *paper_comparison.part(networks, published, all_tables, protocols),
        "## Protocols",
        "\n".join(protocols.lines()) or "Nothing was measured.",
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _data_names(networks: Sequence[Network], task: str) -> list[str]:
    """Names of the data sets of a task, in the order in which they come."""
    names = [r["data"]["name"] for n in networks for r in n.of_task(task)]
    return list(dict.fromkeys(names))


def _by_data(network: Network, task: str) -> dict[str, dict[str, Any]]:
    return {result["data"]["name"]: result for result in network.of_task(task)}


def _rows_of(
    networks: Sequence[Network],
    task: str,
    name: str,
    cells: Callable[[dict[str, Any]], list[str]],
    protocols: Protocols,
) -> list[list[str]]:
    """A row for each network; one that was not evaluated so says it."""
    rows = []
    for network in networks:
        result = _by_data(network, task).get(name)
        if result is None:
            rows.append([network.title, NOT_RUN])
            continue
        first, *others = cells(result)
        rows.append([network.title, first + protocols.mark(result), *others])
    return rows


def _num_queries(result: dict[str, Any]) -> str:
    """How many videos a number is a mean over, as few say little."""
    number = result.get("num_queries")
    return "-" if number is None else f"{number:,}"


def _knn_part(networks: Sequence[Network], protocols: Protocols) -> list[str]:
    def cells(result: dict[str, Any]) -> list[str]:
        untrained = result.get("untrained", {}).get("top1")
        numbers = (result["top1"], result["top5"], untrained, result["chance"])
        gallery = result["settings"].get("gallery", "-")
        return [*map(percent, numbers), gallery, _num_queries(result)]

    parts = []
    for name in _data_names(networks, "knn"):
        rows = _rows_of(networks, "knn", name, cells, protocols)
        head = ["", "top-1", "top-5", "same network untrained", "chance"]
        head += ["gallery", _QUERIES]
        parts += [f"## kNN on {name}", table(head, rows)]
    return parts


def _retrieval_part(networks: Sequence[Network], protocols: Protocols) -> list[str]:
    def cells(result: dict[str, Any]) -> list[str]:
        recalls = result.get("recall", {})
        numbers = [recalls.get(k) for k in _RECALLS] + [result.get("map")]
        return [*map(percent, numbers), _num_queries(result)]

    parts = []
    for name in _data_names(networks, "retrieval"):
        rows = _rows_of(networks, "retrieval", name, cells, protocols)
        head = ["", *(f"R@{k}" for k in _RECALLS), "mAP", _QUERIES]
        parts += [f"## Retrieval on {name}", table(head, rows)]
    return parts


def _read_outs_part(
    networks: Sequence[Network], task: str, title: str, protocols: Protocols
) -> list[str]:
    def cells(result: dict[str, Any]) -> list[str]:
        scores = result["scores"]
        tops = [scores.get(layer, {}).get("top1") for layer in _ALL_LAYERS]
        return [*map(percent, tops), _num_queries(result)]

    parts = []
    for name in _data_names(networks, task):
        rows = _rows_of(networks, task, name, cells, protocols)
        parts += [f"## {title} on {name}", table(["", *_ALL_LAYERS, _QUERIES], rows)]
    return parts


def _softmax_part(networks: Sequence[Network], protocols: Protocols) -> list[str]:
    """Of supervised runs, by the data that they were trained and validated on."""
    rows: dict[str, list[list[str]]] = {}
    for network in networks:
        result = network.softmax
        if result is not None:
            number = percent(result["top1"]) + protocols.mark(result)
            from_data = rows.setdefault(result["data"]["name"], [])
            from_data.append([network.title, number, percent(result.get("chance"))])
    parts = []
    for name, lines in rows.items():
        title = f"## Softmax of supervised networks, best validation on {name}"
        parts += [title, table(["", "top-1", "chance"], lines)]
    return parts


def _fine_tuning_part(networks: Sequence[Network], protocols: Protocols) -> list[str]:
    rows = []
    for network in networks:
        for result in network.fine_tuned():
            is_scratch = result["start"] == "scratch"
            title = network.title_from_scratch if is_scratch else network.title
            data = ", ".join(split["data"] for split in result["splits"])
            mean = percent(result["mean"]["top1"]) + protocols.mark(result)
            deviation = percent(result["std"]["top1"])
            cells = [data, result["start"], _augmentation(result), mean, deviation]
            rows.append([title, *cells])
    if not rows:
        return []
    head = ["", "splits", "start", "augmentation", "top-1", "deviation"]
    return ["## Fine-tuning", table(head, rows)]


def _augmentation(result: dict[str, Any]) -> str:
    """By the paper's name, or as what it is where the paper has not got it."""
    crop, color = result["settings"]["crop"], result["settings"]["color"]
    known = tables.augmentation(crop, color)
    return AUGMENTATIONS[known] if known else f"crop {crop}, color {color}"
