"""The protocols below a report, by the numbers that stand beside its figures."""

from __future__ import annotations

from typing import Any, Sequence

from vie_tf.evaluation import provenance
from vie_tf.evaluation.provenance import TrainedOn
from vie_tf.evaluation.report.markdown_table import percent


class Protocols:
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


def parts_of(result: dict[str, Any]) -> tuple[TrainedOn, ...]:
    """What the network of a result was trained on."""
    return tuple(TrainedOn(**part) for part in result["trained_on"])


def _in_words(result: dict[str, Any]) -> str:
    """The protocol of a result, and what the numbers rest on."""
    facts = _of_data(result)
    if "chance" in result:
        facts.append(f"chance {percent(result['chance'])}%")
    parts = parts_of(result)
    facts.append(f"network trained on {provenance.in_words(parts)}")
    which = result["checkpoint"]
    facts.append(f"{which or 'no'} checkpoint, step {result['step']:,}")
    seeds = [str(part.seed) for part in parts if part.seed is not None]
    if seeds:
        runs = "run" if len(seeds) == 1 else "runs"
        facts.append(f"seed of the {runs} {' and '.join(seeds)}")
    return f"{result['task']}: {result['protocol']}. {'; '.join(facts)}."


def _of_data(result: dict[str, Any]) -> list[str]:
    if "splits" in result:
        return _of_splits(result["splits"])
    data = result["data"]
    facts = [f"data {data['name']}"]
    if "num_train" in data:
        facts.append(
            f"{data['num_train']:,} training and {data['num_val']:,} validation videos"
        )
    elif "num_videos" in data:
        facts.append(f"{data['num_videos']:,} videos in all its splits")
    if result.get("num_queries"):
        facts.append(f"{result['num_queries']:,} videos tested")
    if result.get("num_skipped"):
        facts.append(f"{result['num_skipped']:,} skipped")
    return facts


def _of_splits(splits: Sequence[dict[str, Any]]) -> list[str]:
    facts = []
    for split in splits:
        text = (
            f"data {split['data']}, {split['num_train']:,} training videos,"
            f" {split['steps']:,} steps, {split['num_queries']:,} videos tested"
        )
        if split["num_skipped"]:
            text += f", {split['num_skipped']:,} skipped"
        facts.append(text)
    return facts
