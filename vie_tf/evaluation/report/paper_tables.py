"""The paper's tables 1 to 5, and own results below the rows that they reproduce.

The user names the row of each run (--paper_row) by its script in run_scripts/paper.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
from typing import Any, Sequence

from vie_tf.config import OLD_CROPS
from vie_tf.evaluation.report.evaluated_network import EvaluatedNetwork
from vie_tf.evaluation.report.footnotes import Footnotes
from vie_tf.evaluation.report.markdown_table import NOT_RUN, percent, table

LAYERS = ("conv3", "conv4", "conv5")
_SUPERVISED = "Kinetics, Super."
_NONE = "-"  # where the paper has no number
# The paper's data sets by their number of classes.
_DATA_SETS = {400: "Kinetics", 1000: "ImageNet", 101: "UCF101", 51: "HMDB51"}
# The paper's augmentations for fine-tuning, by crop and color.
_AUGMENTATIONS = {
    ("multi_scale_crop", "none"): "multi-scale",
    ("random_short_side_crop", "exact"): "color jitter",
    ("random_short_side_crop", "fast"): "color jitter",
}


@dataclasses.dataclass(frozen=True)
class PaperRow:
    """A row of a table.

    Attributes:
      name: name in the paper.
      cells: numbers as text, by column.
      run: script of the row in run_scripts/paper; empty for methods of others.
      model: family of its network.
      loss: `ir`, `la`, `supervised`, `none` for the untrained network, or `scratch` for
        fine-tuning of an untrained network.
    """

    name: str
    cells: dict[str, str]
    run: str = ""
    model: str = ""
    loss: str = ""

    def takes(self, network: EvaluatedNetwork, result: dict[str, Any]) -> bool:
        """Returns whether a result of a network stands below this row."""
        if not network.paper_row or self.model != network.model:
            return False
        if result.get("start") == "scratch":
            return self.loss == "scratch"
        if result["task"] == "softmax":  # of the family, in all its rows
            return self.cells.get(_SUPERVISED, _NONE) != _NONE
        # On the clips of another family, a run belongs to the row of that family.
        is_row = self.run == network.paper_row or self.model.startswith("input_single_")
        return is_row and self.loss == network.loss


@dataclasses.dataclass(frozen=True)
class PaperTable:
    """A table, or a part of one, with the title that a report gives it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[PaperRow, ...]


@dataclasses.dataclass(frozen=True)
class PaperTables:
    """All tables, and a sentence on the source of their numbers."""

    source: str
    tables: tuple[PaperTable, ...]

    @classmethod
    def load(cls) -> PaperTables:
        """Reads the numbers in `paper_tables.json`."""
        file = importlib.resources.files(__package__) / "paper_tables.json"
        content: dict[str, Any] = json.loads(file.read_text("utf-8"))
        tables = []
        for one in content["tables"]:
            rows = tuple(
                PaperRow(**{**row, "cells": dict(zip(one["columns"], row["cells"]))})
                for row in one["rows"]
            )
            title = f"Table {one['number']}: {one['title']}"
            tables.append(PaperTable(title, tuple(one["columns"]), rows))
        return cls(content["source"], tuple(tables))

    def runs(self) -> dict[str, list[PaperRow]]:
        """Returns the rows by the names of their scripts."""
        by_run: dict[str, list[PaperRow]] = {}
        for row in (row for one in self.tables for row in one.rows if row.run):
            by_run.setdefault(row.run, []).append(row)
        return by_run

    def sections(
        self, networks: Sequence[EvaluatedNetwork], all_tables: bool, notes: Footnotes
    ) -> list[str]:
        """Returns titles and tables in Markdown, and adds protocols to `notes`.

        Args:
          networks: evaluated networks, in the order of their lines.
          all_tables: whether to include tables without any own number.
          notes: protocols of the numbers.
        """
        parts = []
        for one in self.tables:
            lines, has_own = [], False
            for row in one.rows:
                lines.append([f"{row.name}, paper", *row.cells.values()])
                own = _own_lines(row, networks, notes)
                has_own = has_own or bool(own)
                if row.run and not own:
                    own = [[f"{row.name}, own", NOT_RUN]]
                lines += own
            if has_own or all_tables:
                parts += [f"### {one.title}", table(["", *one.columns], lines)]
        head = ["## Beside the paper", f"Numbers of the paper: {self.source}"]
        return head + parts if parts else []


def _own_lines(
    row: PaperRow, networks: Sequence[EvaluatedNetwork], notes: Footnotes
) -> list[list[str]]:
    """Returns a line for each network, and another one for a second result."""
    lines = []
    for network in networks:
        filled: list[dict[str, str]] = []
        for result in network.results:
            if not row.takes(network, result):
                continue
            cells = _cells(result)
            known = [name for name in cells if row.cells.get(name, _NONE) != _NONE]
            if not known:
                continue
            cells[known[0]] += notes.mark(result)
            free = [line for line in filled if not line.keys() & cells.keys()]
            if not free:
                filled += (free := [{}])
            free[0].update(cells)
        for line in filled:
            texts = [
                line.get(name, _NONE if number == _NONE else NOT_RUN)
                for name, number in row.cells.items()
            ]
            lines.append([f"{row.name}, {network.name}", *texts])
    return lines


def _cells(result: dict[str, Any]) -> dict[str, str]:
    """Returns the numbers of a result as text, by column of the paper."""
    if result["task"] == "softmax":
        return {_SUPERVISED: percent(result["top1"])}
    is_finetuning = result["task"].startswith("finetune")
    if not is_finetuning and result["task"] != "linear":
        return {}
    settings = result["settings"]
    is_whole = settings["subset"] == 1 and not settings["bin_frames"]
    if not is_whole or result["crop_size"] != result["trained_crop_size"]:
        return {}
    data_set = _DATA_SETS.get(result["data"]["num_classes"])
    if not is_finetuning:
        scores = result["scores"]
        texts = {layer: percent(scores.get(layer, {}).get("top1")) for layer in LAYERS}
        if settings.get("pool_conv5"):
            texts[LAYERS[-1]] += " (averaged over space)"
        return {f"{data_set} {layer}": text for layer, text in texts.items()}
    text, deviation = percent(result["mean"]["top1"]), result["std"]["top1"]
    if deviation is not None:
        text += f" ± {percent(deviation)}"
    return {f"{augmentation(settings)}, {data_set}": text}


def augmentation(settings: dict[str, Any]) -> str:
    """Names the augmentation of a fine-tuning as the paper does, or else its flags."""
    crop, color = settings["crop"], settings["color"]
    known = _AUGMENTATIONS.get((OLD_CROPS.get(crop, crop), color))
    return known or f"crop {crop}, color {color}"
