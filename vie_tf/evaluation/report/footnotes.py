"""Protocols at the end of a report, with the numbers that its cells have."""

from __future__ import annotations

from typing import Any

from vie_tf.evaluation.provenance import parts_of
from vie_tf.evaluation.report.markdown_table import percent


class Footnotes:
    """Numbers the protocols in the order of their first use."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, result: dict[str, Any]) -> str:
        """Returns the number of a result's protocol, for the cell of a table."""
        number = self._numbers.setdefault(_describe(result), len(self._numbers) + 1)
        return f" [{number}]"

    def lines(self) -> list[str]:
        """Returns a line for each protocol, with a blank line between."""
        return [f"[{number}] {text}\n" for text, number in self._numbers.items()]


def _describe(result: dict[str, Any]) -> str:
    """Describes the protocol of a result and its metadata."""
    words = _describe_data(result)
    if "chance" in result:
        words.append(f"chance {percent(result['chance'])}%")
    parts = parts_of(result)
    data = dict.fromkeys(part.describe_data() for part in parts)
    words.append(f"network trained on {' and '.join(data)}")
    checkpoint = result["checkpoint"] or "no"
    words.append(f"{checkpoint} checkpoint, step {result['step']:,}")
    seeds = [str(part.seed) for part in parts if part.seed is not None]
    if seeds:
        runs = "run" if len(seeds) == 1 else "runs"
        words.append(f"seed of the {runs} {' and '.join(seeds)}")
    return f"{result['task']}: {result['protocol']}. {'; '.join(words)}."


def _describe_data(result: dict[str, Any]) -> list[str]:
    if "splits" in result:
        return [
            f"data {split['data']}, {split['num_train']:,} training videos,"
            f" {split['steps']:,} steps, {split['num_queries']:,} videos tested"
            + (f", {split['num_skipped']:,} skipped" if split["num_skipped"] else "")
            for split in result["splits"]
        ]
    data = result["data"]
    words = [f"data {data['name']}"]
    if "num_train" in data:
        words.append(
            f"{data['num_train']:,} training and {data['num_val']:,} validation videos"
        )
    elif "num_videos" in data:
        words.append(f"{data['num_videos']:,} videos in all its splits")
    if result.get("num_queries"):
        words.append(f"{result['num_queries']:,} videos tested")
    if result.get("num_skipped"):
        words.append(f"{result['num_skipped']:,} skipped")
    return words
