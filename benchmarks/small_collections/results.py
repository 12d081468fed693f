"""Results of the benchmark: a line of JSON for each collection, method and seed."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import statistics
from typing import Iterable, NamedTuple

from vie_tf.storage.errors import UserError
from vie_tf.storage.files import write_atomically

METRICS = ("knn1", "knn10", "map", "probe")


@dataclasses.dataclass(frozen=True)
class Result:
    """Scores of one representation of the videos of a collection.

    Attributes:
      collection: name of the collection.
      method: baseline, or how the network was trained.
      representation: endpoint of the network, or another name of what is compared.
      seed: seed of the network; 0 for baselines.
      num_videos: number of videos.
      num_classes: number of classes.
      size: numbers that stand for a video.
      steps: training steps of the network.
      seconds: wall time of its training, or of computing a baseline.
      scores: fractions by metric; see `METRICS`.
    """

    collection: str
    method: str
    representation: str
    seed: int
    num_videos: int
    num_classes: int
    size: int
    steps: int
    seconds: float
    scores: dict[str, float]

    @property
    def row(self) -> tuple[str, str]:
        """Method and representation."""
        return self.method, self.representation


class Spread(NamedTuple):
    """Mean and standard deviation over seeds; the latter is 0 for one seed."""

    mean: float
    deviation: float


class Results:
    """Results in a folder, kept as they come.

    Args:
      folder: folder of results.json.
      settings: what all results depend on, by name.

    Raises:
      UserError: the folder holds results of other settings.
    """

    def __init__(self, folder: pathlib.Path, settings: dict[str, object]) -> None:
        self._path = folder / "results.json"
        self._settings = json.loads(json.dumps(settings))
        self.all: list[Result] = []
        if not self._path.exists():
            return
        content = json.loads(self._path.read_text())
        if content["settings"] != self._settings:
            raise UserError(
                f"{self._path} holds results of {content['settings']}, not of"
                f" {self._settings}: give another --output_dir."
            )
        self.all = [Result(**one) for one in content["results"]]

    @classmethod
    def read(cls, path: pathlib.Path) -> Results:
        """Reads a kept results.json of any settings and name, to make a table of."""
        content = json.loads(path.read_text())
        found = cls(path.parent / "none", content["settings"])
        found.all = [Result(**one) for one in content["results"]]
        return found

    def find(self, collection: str, method: str, seed: int) -> list[Result]:
        """Returns the results of all representations; empty before there are any."""
        wanted = (collection, method, seed)
        return [r for r in self.all if (r.collection, r.method, r.seed) == wanted]

    def add(self, results: Iterable[Result]) -> None:
        """Adds results and writes all."""
        self.all += results
        content = {
            "settings": self._settings,
            "results": [dataclasses.asdict(result) for result in self.all],
        }
        write_atomically(str(self._path), json.dumps(content, indent=1) + "\n")

    def collections(self) -> list[str]:
        """Returns the names of the collections, in their order."""
        return list(dict.fromkeys(result.collection for result in self.all))

    def rows(self, collection: str) -> dict[tuple[str, str], list[Result]]:
        """Groups the results of a collection by method and representation."""
        found: dict[tuple[str, str], list[Result]] = {}
        for result in self.all:
            if result.collection == collection:
                found.setdefault(result.row, []).append(result)
        return found


def spread(results: Iterable[Result], metric: str) -> Spread | None:
    """Returns mean and deviation of a metric over seeds, None where none has it."""
    values = [r.scores[metric] for r in results if metric in r.scores]
    if not values:
        return None
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return Spread(statistics.fmean(values), deviation)
