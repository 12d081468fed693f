"""A report in Markdown: tables of numbers, and the protocol of each below them.

Comes in: evaluated networks, and the paper's tables.  Goes out: text.  First all
networks on all data, then, where networks were evaluated on the paper's data sets, its
tables with the numbers of the paper beside one's own.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Iterable, Sequence

from vie_tf.evaluation.evaluated_network import Network
from vie_tf.published_tables import (
    AUGMENTATIONS,
    FINE_TUNING_TITLE,
    LAYERS,
    READ_OUT_TITLES,
    FineTuningRow,
    PublishedTables,
    ReadOutRow,
    data_set,
)

NOT_RUN = "not run"
_ALL_LAYERS = ("conv1", "conv2", *LAYERS)
_RECALLS = ("1", "5", "10", "20", "50")
_NAMES = {
    "kinetics": "Kinetics",
    "imagenet": "ImageNet",
    "ucf101": "UCF101",
    "hmdb51": "HMDB51",
}


class _Protocols:
    """Numbers the protocols in the order in which they are asked for."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, result: dict[str, Any]) -> str:
        """The number of a result's protocol, for the cell of a table."""
        number = self._numbers.setdefault(_in_words(result), len(self._numbers) + 1)
        return f" [{number}]"

    def lines(self) -> list[str]:
        """A line for each, with a blank line between."""
        return [f"[{n}] {text}\n" for text, n in self._numbers.items()]


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
    protocols = _Protocols()
    parts = [
        "# What was measured",
        "Accuracies in %, top-1 unless it says otherwise. The number in brackets is"
        " that of the protocol, at the end.",
        *_knn_part(networks, protocols),
        *_retrieval_part(networks, protocols),
        *_read_outs_part(networks, "linear", "Linear read-outs", protocols),
        *_read_outs_part(networks, "linear_quick", "Quick look", protocols),
        *_fine_tuning_part(networks, protocols),
        *_paper_part(networks, published, all_tables),
        "## Protocols",
        "\n".join(protocols.lines()) or "Nothing was measured.",
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    # A name of a run or a class may hold what ends a cell.
    return text.replace("|", "\\|").replace("\n", " ")


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:.2f}"


def _title(network: Network) -> str:
    loss = "untrained" if network.loss == "none" else network.loss.upper()
    if network.loss == "supervised":
        loss = "supervised"
    details = [network.model, loss]
    if network.subset < 1:
        details.append(f"{network.subset:.0%} of the videos")
    if network.bin_frames:
        details.append(f"bins of {network.bin_frames} frames")
    return f"{network.name} ({', '.join(details)})"


def _in_words(result: dict[str, Any]) -> str:
    """The protocol of a result, and what the numbers rest on."""
    data = result["data"]
    facts = [f"data {data['name']}"]
    if "num_train" in data:
        facts.append(
            f"{data['num_train']:,} training and {data['num_val']:,} validation videos"
        )
    if result.get("num_queries"):
        facts.append(f"{result['num_queries']:,} videos tested")
    if result.get("num_skipped"):
        facts.append(f"{result['num_skipped']:,} skipped")
    if "chance" in result:
        facts.append(f"chance {_percent(result['chance'])}%")
    facts.append(f"{result['checkpoint']} checkpoint, step {result['step']:,}")
    facts.append(f"seed of the run {result['seed']}")
    return f"{result['task']}: {result['protocol']}. {'; '.join(facts)}."


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
    protocols: _Protocols,
) -> list[list[str]]:
    """A row for each network; one that was not evaluated so says it."""
    rows = []
    for network in networks:
        result = _by_data(network, task).get(name)
        if result is None:
            rows.append([_title(network), NOT_RUN])
            continue
        first, *others = cells(result)
        rows.append([_title(network), first + protocols.mark(result), *others])
    width = max(map(len, rows))
    return [row + [""] * (width - len(row)) for row in rows]


def _knn_part(networks: Sequence[Network], protocols: _Protocols) -> list[str]:
    def cells(result: dict[str, Any]) -> list[str]:
        untrained = result.get("untrained", {}).get("top1")
        numbers = (result["top1"], result["top5"], untrained, result["chance"])
        return [_percent(number) for number in numbers]

    parts = []
    for name in _data_names(networks, "knn"):
        rows = _rows_of(networks, "knn", name, cells, protocols)
        head = ["", "top-1", "top-5", "same network untrained", "chance"]
        parts += [f"## kNN on {name}", _table(head, rows)]
    return parts


def _retrieval_part(networks: Sequence[Network], protocols: _Protocols) -> list[str]:
    def cells(result: dict[str, Any]) -> list[str]:
        recalls = result.get("recall", {})
        numbers = [recalls.get(k) for k in _RECALLS] + [result.get("map")]
        return [_percent(number) for number in numbers]

    parts = []
    for name in _data_names(networks, "retrieval"):
        rows = _rows_of(networks, "retrieval", name, cells, protocols)
        head = ["", *(f"R@{k}" for k in _RECALLS), "mAP"]
        parts += [f"## Retrieval on {name}", _table(head, rows)]
    return parts


def _read_outs_part(
    networks: Sequence[Network], task: str, title: str, protocols: _Protocols
) -> list[str]:
    def cells(result: dict[str, Any]) -> list[str]:
        scores = result["scores"]
        return [_percent(scores.get(layer, {}).get("top1")) for layer in _ALL_LAYERS]

    parts = []
    for name in _data_names(networks, task):
        rows = _rows_of(networks, task, name, cells, protocols)
        parts += [f"## {title} on {name}", _table(["", *_ALL_LAYERS], rows)]
    return parts


def _fine_tuning_part(networks: Sequence[Network], protocols: _Protocols) -> list[str]:
    rows = []
    for network in networks:
        for result in _fine_tuned(network):
            splits, deviation = result["splits"], result["std"]["top1"]
            mean = _percent(result["mean"]["top1"]) + protocols.mark(result)
            data = ", ".join(split["data"] for split in splits)
            augmentation = AUGMENTATIONS[_augmentation(result)]
            start = result["start"]
            cells = [data, start, augmentation, mean, _percent(deviation)]
            rows.append([_title(network), *cells])
    if not rows:
        return []
    head = ["", "splits", "start", "augmentation", "top-1", "deviation"]
    return ["## Fine-tuning", _table(head, rows)]


def _fine_tuned(network: Network) -> list[dict[str, Any]]:
    return [r for r in network.results if r["task"].startswith("finetune")]


def _augmentation(result: dict[str, Any]) -> str:
    settings = result["settings"]
    is_multi_scale = settings.get("crop") == "multi_scale"
    has_noise = settings.get("color") != "none"
    return "multi_scale" if is_multi_scale and not has_noise else "color_noise"


def _paper_part(
    networks: Sequence[Network], published: PublishedTables, all_tables: bool
) -> list[str]:
    own = _own_read_outs(networks, published)
    tables = {}
    for number in READ_OUT_TITLES:
        rows = [row for row in published.read_outs if row.table == number]
        if all_tables or any(row.name in own for row in rows):
            tables[number] = _read_out_table(rows, own)
    fine_tuned = _own_fine_tuning(networks, published)
    if all_tables or fine_tuned:
        tables["2"] = _fine_tuning_table(published.fine_tuning, fine_tuned)
    if not tables:
        return []
    titles = {**READ_OUT_TITLES, "2": FINE_TUNING_TITLE}
    parts = ["## Beside the paper", f"Numbers of the paper: {published.source}"]
    for number, table in sorted(tables.items()):
        parts += [f"### Table {number}: {titles[number]}", table]
    return parts


@dataclasses.dataclass(frozen=True)
class _Own:
    """Own numbers of a published row: by data set, of each layer in %."""

    network: Network
    read_outs: dict[str, list[float | None]]


def _own_read_outs(
    networks: Sequence[Network], published: PublishedTables
) -> dict[str, list[_Own]]:
    """By the name of the paper's row."""
    found: dict[str, list[_Own]] = {}
    for network in networks:
        row = published.read_out_row(
            network.model, network.loss, network.subset, network.bin_frames
        )
        of_data: dict[str, list[float | None]] = {}
        for result in network.of_task("linear"):
            data = result["data"]
            known = data_set(data["name"], data["num_classes"])
            if known:
                scores = (result["scores"].get(layer, {}) for layer in LAYERS)
                top1 = [score.get("top1") for score in scores]
                of_data[known] = [None if x is None else 100 * x for x in top1]
        if row is not None and of_data:
            found.setdefault(row.name, []).append(_Own(network, of_data))
    return found


def _read_out_table(rows: Sequence[ReadOutRow], own: dict[str, list[_Own]]) -> str:
    known = ("kinetics", "imagenet")
    data_sets = [name for name in known if any(name in r.read_outs for r in rows)]
    head = [""] + [f"{_NAMES[name]} {layer}" for name in data_sets for layer in LAYERS]
    has_softmax = any(row.softmax is not None for row in rows)
    if has_softmax:
        head.append("Kinetics, softmax")
    lines = []
    for row in rows:
        numbers = _numbers(row.read_outs, data_sets, "-")
        if has_softmax:
            numbers.append(f"{row.softmax:.2f}")
        lines.append([f"{row.name}, paper", *numbers])
        for one in own.get(row.name, []):
            numbers = _numbers(one.read_outs, data_sets, NOT_RUN)
            if has_softmax:
                numbers.append(_percent(one.network.softmax))
            lines.append([f"{row.name}, {one.network.name}", *numbers])
        if row.name not in own:
            missing = [NOT_RUN] + [""] * (len(head) - 2)
            lines.append([f"{row.name}, own", *missing])
    return _table(head, lines)


def _numbers(of_data: Any, data_sets: Sequence[str], where_missing: str) -> list[str]:
    cells = []
    for name in data_sets:
        numbers = of_data.get(name) or [None] * len(LAYERS)
        cells += [where_missing if x is None else f"{x:.2f}" for x in numbers]
    return cells


def _own_fine_tuning(
    networks: Sequence[Network], published: PublishedTables
) -> dict[str, dict[str, str]]:
    """By the paper's row: own numbers by augmentation and data set."""
    found: dict[str, dict[str, str]] = {}
    for network in networks:
        for result in _fine_tuned(network):
            start = "scratch" if result["start"] == "scratch" else network.loss
            row = published.fine_tuning_row(network.model, start)
            data = result["data"]
            known = data_set(data["name"], data["num_classes"])
            if row is None or known is None:
                continue
            text = _percent(result["mean"]["top1"])
            if result["std"]["top1"] is not None:
                text += f" ± {_percent(result['std']['top1'])}"
            key = f"{_augmentation(result)} {known}"
            found.setdefault(row.name, {})[key] = text
    return found


def _fine_tuning_table(
    rows: Sequence[FineTuningRow], own: dict[str, dict[str, str]]
) -> str:
    columns = [(a, d) for a in AUGMENTATIONS for d in ("ucf101", "hmdb51")]
    head = [""] + [f"{AUGMENTATIONS[a]}, {_NAMES[d]}" for a, d in columns]
    lines = []
    for row in rows:
        paper = [getattr(row, a)[d] for a, d in columns]
        cells = ["-" if number is None else f"{number:.1f}" for number in paper]
        lines.append([f"{row.name}, paper", *cells])
        mine = own.get(row.name, {})
        cells = [mine.get(f"{a} {d}", NOT_RUN) for a, d in columns]
        lines.append([f"{row.name}, own", *cells])
    return _table(head, lines)
