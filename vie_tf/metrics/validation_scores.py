"""Scores of a validation, from the class probabilities that all workers have found."""

from __future__ import annotations

from typing import Callable, Mapping, NamedTuple

import numpy as np

from vie_tf.metrics import knn
from vie_tf.metrics.features import NothingRead
from vie_tf.storage.manifest import NO_LABEL

Gather = Callable[[np.ndarray], np.ndarray]


class Scores(NamedTuple):
    """Result of a validation.

    Attributes:
      heads: `top1` and `top5` as fractions, by the name of the head; a single head has
        the name "".
      num_queries: videos that were classified.
      num_single: labeled videos that are left out, each alone in its class.
    """

    heads: dict[str, dict[str, float]]
    num_queries: int
    num_single: int = 0

    @property
    def top1(self) -> float:
        """Mean top-1 accuracy of the heads, by which checkpoints and plateaus go."""
        return float(np.mean([values["top1"] for values in self.heads.values()]))


def scores_of_workers(
    heads: Mapping[str, np.ndarray],
    video_index: np.ndarray,
    labels: np.ndarray,
    counted: np.ndarray,
    gather: Gather,
) -> Scores:
    """Scores the videos of all workers, of which this one may have none.

    Args:
      heads: [V', C] by head, for the videos that this worker could read.
      video_index: [V'] positions of these videos among the labels.
      labels: [V] classes of all videos, -1 where one has none.
      counted: [V] bool, which videos are scored.
      gather: concatenates the arrays of all workers.

    Raises:
      NothingRead: no worker could read a video that is scored.
    """
    is_counted = counted[video_index]
    wanted = gather(labels[video_index][is_counted])
    everyone = {name: gather(scores[is_counted]) for name, scores in heads.items()}
    if not len(wanted):
        raise NothingRead(int(np.sum(counted)))
    accuracies = {n: knn.accuracies(scores, wanted) for n, scores in everyone.items()}
    num_single = int(np.sum((labels != NO_LABEL) & ~counted))
    return Scores(accuracies, len(wanted), num_single)
