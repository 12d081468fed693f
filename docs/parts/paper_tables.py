"""Rows of the paper, beside the scripts that make them."""

from __future__ import annotations

import re
from typing import Iterator

from docs.parts.markdown import table
from docs.parts.modules import ROOT
from vie_tf.evaluation.report.paper_tables import PaperRow, PaperTables


def fine_tuning_script(data: str, model: str, start: str) -> str:
    """Script of run_scripts/paper that makes a number of table 2."""
    ending = "" if start == "la" else f"_{start}"
    return f"finetune_{data}_{model}{ending}"


def starts_from(script: str) -> list[str]:
    """Scripts whose runs a script goes on from."""
    text = (ROOT / "run_scripts" / "paper" / f"{script}.sh").read_text()
    names = dict.fromkeys(re.findall(r"\$runs/(\w+)", text))
    return [name for name in names if name != script]


def _numbers(row: PaperRow, data: str) -> str:
    layers = ("conv3", "conv4", "conv5")
    cells = [row.cells.get(f"{data} {layer}", "-") for layer in layers]
    return "" if "-" in cells else " / ".join(cells)


def paper_tables() -> Iterator[str]:
    """The rows of the paper with their scripts."""
    published = PaperTables.load()
    tables = {one.title[: len("Table 1")]: one for one in published.tables}
    yield f"Source: {published.source}\n\n"
    titles = {
        "Table 1": "linear probes of the families",
        "Table 3": "fewer videos, and videos in bins",
        "Table 4": "single-frame networks on the clips of other families",
        "Table 5": "supervised networks",
    }
    # Networks trained on labels, by family: column "Super." of table 1.
    supervised = {
        row.model: row.cells["Kinetics, Super."] for row in tables["Table 1"].rows[1:]
    }
    for number, title in titles.items():
        is_supervised = number == "Table 5"
        of_column = ', and column "Super." of table 1' if is_supervised else ""
        yield f"## {number}{of_column}: {title}\n\n"
        yield table(
            ("row", "script", "starts from", "Kinetics", "ImageNet"),
            (
                (
                    row.name,
                    f"`{row.run}`",
                    ", ".join(f"`{name}`" for name in starts_from(row.run)),
                    f"{supervised[row.model]} (softmax)"
                    if is_supervised
                    else _numbers(row, "Kinetics"),
                    _numbers(row, "ImageNet"),
                )
                for row in tables[number].rows
            ),
        )
        yield "\n"
    yield "## Table 2: fine-tuning\n\n"
    augmentations = ("multi-scale", "color jitter")
    yield table(
        ("row", "script", "starts from", *augmentations),
        (
            (
                f"{row.name}, {data}",
                f"`{script}`",
                ", ".join(f"`{name}`" for name in starts_from(script)),
                *(row.cells[f"{name}, {data}"] for name in augmentations),
            )
            for data in ("UCF101", "HMDB51")
            for row in tables["Table 2"].rows
            if row.run
            for script in [fine_tuning_script(data.lower(), row.model, row.loss)]
        ),
    )
