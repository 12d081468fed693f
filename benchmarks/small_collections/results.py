"""Results of the benchmark: a line of JSON for each collection, method and seed."""

from __future__ import annotations

import dataclasses
from typing import Iterable

from benchmarks.kept_results import KeptResults, Spread

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


class Results(KeptResults[Result]):
    """Results of all collections."""

    result_class = Result
    folder_option = "--output_dir"

    def find(self, collection: str, method: str, seed: int) -> list[Result]:
        """Returns the results of all representations; empty before there are any."""
        wanted = (collection, method, seed)
        return [r for r in self.all if (r.collection, r.method, r.seed) == wanted]

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
    return Spread.of(result.scores.get(metric) for result in results)
