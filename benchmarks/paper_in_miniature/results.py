"""Results of the study: scores and curve of each row, in one results.json."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
from typing import Any

from benchmarks.kept_results import KeptResults, Spread
from benchmarks.paper_in_miniature.measure import LAYERS
from benchmarks.paper_in_miniature.plan import Row
from benchmarks.paper_in_miniature.scale import Scale
from vie_tf.monitoring.published import curves

FINETUNE = "finetune"
# What does not change the result of a row.
_FREE = ("name", "minutes", "seeds")


@dataclasses.dataclass(frozen=True)
class Result:
    """Scores of a row.

    Attributes:
      key: key of the row.
      name: name of the row.
      seed: its seed.
      scores: fractions by name: `knn`, `actions/conv3`, `objects/conv5`, `finetune`.
      num_tests: test videos or pictures, by the part of these names before the slash.
      curve: steps, and top-1 of kNN in the memory bank at that step.
      seconds: wall time of the start that ended the row.
      load: processes that wanted a core when it ended, over all of the machine.
    """

    key: str
    name: str
    seed: int
    scores: dict[str, float]
    num_tests: dict[str, int]
    curve: list[list[float]]
    seconds: float
    load: float

    def score(self, metric: str) -> float | None:
        """Returns a score; `actions` and `objects` are those of their best layer."""
        found = [self.scores.get(f"{metric}/{layer}") for layer in LAYERS]
        known = [value for value in found if value is not None]
        return max(known) if known else self.scores.get(metric)


class Results(KeptResults[Result]):
    """Results of all rows that were made."""

    result_class = Result

    @property
    def rows(self) -> dict[str, Result]:
        """Results by the keys of their rows; of a row that was made twice, the last."""
        return {result.key: result for result in self.all}

    def of(self, name: str) -> list[Result]:
        """Returns the results of a row, by seed; empty where it was not run."""
        found = [result for result in self.rows.values() if result.name == name]
        return sorted(found, key=lambda result: result.seed)

    def spread(self, name: str, metric: str) -> Spread | None:
        """Returns mean and deviation over the seeds, None without a result."""
        return Spread.of(result.score(metric) for result in self.of(name))


def settings_of(scale: Scale, world: str) -> dict[str, Any]:
    """Returns what results depend on."""
    sizes = dataclasses.asdict(scale)
    return {"world": world, **{k: v for k, v in sizes.items() if k not in _FREE}}


def result_of(row: Row, output: pathlib.Path, seconds: float) -> Result:
    """Reads what the commands of a row have written."""
    scores: dict[str, float] = {}
    num_tests: dict[str, int] = {}
    if row.reads:
        content = json.loads((output / row.reads).read_text())
        if "mean" in content:  # a file of fine-tuning
            scores = {FINETUNE: content["mean"]["top1"]}
            num_tests = {FINETUNE: content["data"]["num_val"]}
        else:
            scores, num_tests = content["scores"], content["num_tests"]
    trained = any(command[0] == "train.py" for command in row.commands)
    curve = _curve(output, row) if trained else []
    load = os.getloadavg()[0]
    return Result(
        row.key, row.name, row.seed, scores, num_tests, curve, round(seconds, 1), load
    )


def _curve(output: pathlib.Path, row: Row) -> list[list[float]]:
    """Returns the curve of a run after that of the run that it starts from."""
    points: dict[int, float] = {}
    for key in (*row.after, row.key):
        found = curves.read(str(output / "runs" / key))
        points.update(zip(found.steps.tolist(), found.top1.tolist()))
    return [[step, round(points[step], 4)] for step in sorted(points)]
