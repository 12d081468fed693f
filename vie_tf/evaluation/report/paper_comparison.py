"""The part of a report that sets one's own numbers beside the paper's tables.

Comes in: evaluated networks, and the paper's tables.  Goes out: text.  A network is
below a row of the paper if its family, its loss and what it was trained on are those of
the row (docs/evaluation.md says by which rule).
"""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Iterable, Mapping, Sequence, TypeVar, Union

from vie_tf.evaluation.provenance import NOTHING
from vie_tf.evaluation.report.evaluated_network import Network
from vie_tf.evaluation.report.markdown_table import NOT_RUN, percent, table
from vie_tf.evaluation.report.protocols import Protocols, parts_of
from vie_tf.monitoring.published import tables as published_tables
from vie_tf.monitoring.published.tables import (
    AUGMENTATIONS,
    FINE_TUNING_TITLE,
    LAYERS,
    LINEAR_PROBE_TITLES,
    TRAINED_ON,
    FineTuningRow,
    LinearProbeRow,
    PublishedTables,
)

# Columns of read-outs, and of fine-tuning by augmentation and data set.
_SUPERVISED = "supervised"
_READ_OUTS = {
    _SUPERVISED: ["Kinetics, Super. (own: softmax, best validation)"],
    "kinetics": [f"Kinetics {layer}" for layer in LAYERS],
    "imagenet": [f"ImageNet {layer}" for layer in LAYERS],
}
_DATA_SETS = ("kinetics", "imagenet")
_FINE_TUNED_ON = {"ucf101": "UCF101", "hmdb51": "HMDB51"}
_NONE = "-"  # where the paper has no number

Row = Union[LinearProbeRow, FineTuningRow]
AnyRow = TypeVar("AnyRow", LinearProbeRow, FineTuningRow)


@dataclasses.dataclass(frozen=True)
class _OwnRow:
    """A row of own numbers.

    Attributes:
      name: for the reader, of the network.
      cells: texts by column.
    """

    name: str
    cells: dict[str, list[str]]


class _OwnRows:
    """Own rows, by the paper's."""

    def __init__(self) -> None:
        self._rows: dict[str, list[_OwnRow]] = {}

    def add(self, row: Row, name: str, column: str, texts: list[str]) -> None:
        """Fills cells of a network.

        A second result for the same cells, such as that of another split, makes another
        row: none takes the place of another.
        """
        of_row = self._rows.setdefault(_key(row), [])
        for own in of_row:
            if own.name == name and column not in own.cells:
                own.cells[column] = texts
                return
        of_row.append(_OwnRow(name, {column: texts}))

    def of(self, row: Row) -> list[_OwnRow]:
        """Those below a row of the paper."""
        return self._rows.get(_key(row), [])


def _key(row: Row) -> str:
    return f"{row.table} {row.name}" if isinstance(row, LinearProbeRow) else row.name


def part(
    networks: Sequence[Network],
    published: PublishedTables,
    all_tables: bool,
    protocols: Protocols,
) -> list[str]:
    """Titles and tables; nothing where nothing of the paper's was run.

    Args:
      networks: in the order of the rows.
      published: the paper's tables.
      all_tables: whether tables are there where nothing of them was run.
      protocols: that own numbers point to.
    """
    own = _OwnRows()
    for network in networks:
        _add_read_outs(own, network, published, protocols)
        _add_fine_tuning(own, network, published, protocols)
    supervised = _supervised(networks, protocols)
    tables: dict[str, list[str]] = {}
    for number in LINEAR_PROBE_TITLES:
        rows = [row for row in published.linear_probes if row.table == number]
        _add_supervised(own, rows, supervised)
        if all_tables or any(own.of(row) for row in rows):
            tables[number] = [_read_out_table(rows, own)]
    if all_tables or any(own.of(row) for row in published.fine_tuning):
        tables["2"] = _fine_tuning_tables(published.fine_tuning, own)
    if not tables:
        return []
    titles = {**LINEAR_PROBE_TITLES, "2": FINE_TUNING_TITLE}
    parts = ["## Beside the paper", f"Numbers of the paper: {published.source}"]
    for number, texts in sorted(tables.items()):
        parts += [f"### Table {number}: {titles[number]}", *texts]
    return parts


def _view(network: Network) -> tuple[float, int] | None:
    """Share and bins of Kinetics that a network was trained on; None if on others.

    None, too, for a network that is not the paper's of its family.
    """
    if any(part.network for part in network.trained_on):
        return None
    if network.loss == NOTHING:
        return 1.0, 0
    views = {
        (part.subset, part.bin_frames) if part.data_set == TRAINED_ON else None
        for part in network.trained_on
    }
    return views.pop() if len(views) == 1 else None


def _data_set(result: dict[str, Any]) -> str | None:
    """The paper's data set whose labels were trained on.

    None if not all of it was, or in clips of another size than the network's own.
    """
    settings, data = result["settings"], result["data"]
    is_whole = (settings["subset"], settings["bin_frames"]) == (1, 0)
    if not is_whole or result["crop_size"] != result["trained_crop_size"]:
        return None
    return published_tables.data_set(data["name"], data["num_classes"])


def _add_read_outs(
    own: _OwnRows, network: Network, published: PublishedTables, protocols: Protocols
) -> None:
    view = _view(network)
    if view is None:
        return
    rows = published.linear_probe_rows(network.model, network.loss, *view)
    for result in network.of_task("linear"):
        known = _data_set(result)
        for row in rows:
            if known is not None and known in row.linear_probes:
                scores = (result["scores"].get(layer, {}) for layer in LAYERS)
                first, *others = [percent(score.get("top1")) for score in scores]
                texts = [first + protocols.mark(result), *others]
                own.add(row, network.name, known, texts)


def _add_fine_tuning(
    own: _OwnRows, network: Network, published: PublishedTables, protocols: Protocols
) -> None:
    for result in network.fine_tuned():
        is_scratch = result["start"] == "scratch"
        if any(part.network for part in parts_of(result)):
            continue
        if not is_scratch and _view(network) != (1.0, 0):
            continue
        start = "scratch" if is_scratch else network.loss
        row = published.fine_tuning_row(network.model, start)
        settings, known = result["settings"], _data_set(result)
        augmentation = published_tables.augmentation(
            settings["crop"], settings["color"]
        )
        if row is None or augmentation is None or known not in _FINE_TUNED_ON:
            continue
        text = percent(result["mean"]["top1"])
        if result["std"]["top1"] is not None:
            text += f" ± {percent(result['std']['top1'])}"
        column = f"{augmentation} {known}"
        own.add(row, network.name, column, [text + protocols.mark(result)])


def _supervised(networks: Sequence[Network], protocols: Protocols) -> dict[str, str]:
    """Own numbers of the column "Super.", by family."""
    found: dict[str, list[str]] = {}
    for network in networks:
        if network.softmax is not None and _view(network) == (1.0, 0):
            number = percent(network.softmax["top1"]) + protocols.mark(network.softmax)
            found.setdefault(network.model, []).append(f"{number} ({network.name})")
    return {model: "; ".join(texts) for model, texts in found.items()}


def _add_supervised(
    own: _OwnRows, rows: Sequence[LinearProbeRow], supervised: dict[str, str]
) -> None:
    """Fills the column "Super.", which as in the paper is the family's."""
    for row in rows:
        if row.supervised is not None and row.model in supervised:
            texts = [supervised[row.model]]
            for name in [one.name for one in own.of(row)] or ["own"]:
                own.add(row, name, _SUPERVISED, texts)


def _read_out_table(rows: Sequence[LinearProbeRow], own: _OwnRows) -> str:
    def of_paper(row: LinearProbeRow, column: str) -> list[str]:
        if column == _SUPERVISED:
            has_number, number = row.supervised is not None, row.supervised
            return [_text(row, column, number, ".2f")] if has_number else [_NONE]
        if column not in row.linear_probes:
            return [_NONE] * len(LAYERS)
        return [
            _text(row, f"{column} {layer}", number, ".2f")
            for layer, number in zip(LAYERS, row.linear_probes[column])
        ]

    has = {
        _SUPERVISED: any(row.supervised is not None for row in rows),
        **{name: any(name in row.linear_probes for row in rows) for name in _DATA_SETS},
    }
    columns = {name: titles for name, titles in _READ_OUTS.items() if has[name]}
    return _table(rows, own, columns, of_paper)


def _fine_tuning_tables(rows: Sequence[FineTuningRow], own: _OwnRows) -> list[str]:
    """Table 2 has two parts: methods with augmentations of their own come first."""

    def of_paper(row: FineTuningRow, column: str) -> list[str]:
        augmentation, data_set = column.split()
        numbers = getattr(row, augmentation)
        if data_set not in numbers:
            return [_NONE]
        return [_text(row, column, numbers[data_set], ".1f")]

    first = {f"own_augmentation {d}": [title] for d, title in _FINE_TUNED_ON.items()}
    second = {
        f"{augmentation} {data_set}": [f"{title}, {name}"]
        for augmentation, title in AUGMENTATIONS.items()
        for data_set, name in _FINE_TUNED_ON.items()
    }
    others = [row for row in rows if row.own_augmentation]
    return [
        "Methods of others, each with an augmentation of its own:",
        _table(others, own, first, of_paper),
        "With both augmentations of the paper:",
        _table([row for row in rows if row not in others], own, second, of_paper),
    ]


def _text(row: Row, column: str, number: float | None, form: str) -> str:
    if number is None:
        return "not legible"
    mark = " (?)" if column in row.hardly_legible else ""
    return f"{number:{form}}{mark}"


def _table(
    rows: Sequence[AnyRow],
    own: _OwnRows,
    columns: Mapping[str, list[str]],
    of_paper: Callable[[AnyRow, str], list[str]],
) -> str:
    """The paper's rows, below each of them one's own; none below those of others."""
    lines: list[list[str]] = []
    for row in rows:
        numbers: dict[str, list[str]] = {
            column: of_paper(row, column) for column in columns
        }
        lines.append([f"{row.name}, paper", *_joined(numbers.values())])
        for one in own.of(row):
            cells: list[list[str]] = [
                one.cells.get(column, [_NONE if x == _NONE else NOT_RUN for x in texts])
                for column, texts in numbers.items()
            ]
            lines.append([f"{row.name}, {one.name}", *_joined(cells)])
        if row.model is not None and not own.of(row):
            lines.append([f"{row.name}, own", NOT_RUN])
    return table(["", *_joined(columns.values())], lines)


def _joined(parts: Iterable[list[str]]) -> list[str]:
    return [text for texts in parts for text in texts]
