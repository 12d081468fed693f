"""Results of the study: scores and curve of each row, in one results.json."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import statistics
from typing import Any, Mapping, NamedTuple

from benchmarks.paper_in_miniature.measure import LAYERS
from benchmarks.paper_in_miniature.plan import Row
from benchmarks.paper_in_miniature.scale import Scale
from vie_tf.monitoring.published import curves
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import write_atomically

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


class Spread(NamedTuple):
    """Mean and standard deviation over seeds, 0 for one seed, and their number."""

    mean: float
    deviation: float
    num_seeds: int


class Results:
    """Results in a folder, kept as they come.

    Args:
      folder: folder of results.json.
      settings: what all results depend on, by name.

    Raises:
      UserError: the folder holds results of other settings.
    """

    def __init__(self, folder: pathlib.Path, settings: Mapping[str, Any]) -> None:
        self._path = folder / "results.json"
        self.settings = json.loads(json.dumps(settings))
        self.rows: dict[str, Result] = {}
        if not self._path.exists():
            return
        kept = self.read(self._path)
        if kept.settings != self.settings:
            raise UserError(
                f"{self._path} holds results of {kept.settings}, not of"
                f" {self.settings}: give another folder."
            )
        self.rows = kept.rows

    @classmethod
    def read(cls, path: pathlib.Path) -> Results:
        """Reads kept results of any settings and file name."""
        content = json.loads(path.read_text())
        found = cls(path.parent / "none", content["settings"])
        for one in content["rows"]:
            found.rows[one["key"]] = Result(**one)
        return found

    def add(self, result: Result) -> None:
        """Adds the result of a row and writes all."""
        self.rows[result.key] = result
        rows = [dataclasses.asdict(one) for one in self.rows.values()]
        content = {"settings": self.settings, "rows": rows}
        write_atomically(str(self._path), json.dumps(content, indent=1) + "\n")

    def of(self, name: str) -> list[Result]:
        """Returns the results of a row, by seed; empty where it was not run."""
        found = [result for result in self.rows.values() if result.name == name]
        return sorted(found, key=lambda result: result.seed)

    def spread(self, name: str, metric: str) -> Spread | None:
        """Returns mean and deviation over the seeds, None without a result."""
        values = [result.score(metric) for result in self.of(name)]
        known = [value for value in values if value is not None]
        if not known:
            return None
        deviation = statistics.stdev(known) if len(known) > 1 else 0.0
        return Spread(statistics.fmean(known), deviation, len(known))


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
