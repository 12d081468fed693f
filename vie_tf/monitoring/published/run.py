"""The authors' published run, which a run of one's own is set beside.

Comes in: `published/curves.json`, whose `source` says where its numbers are from.  Goes
out: the kNN accuracy at a step, and what may be expected of another run there.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
from typing import Any

import numpy as np

WINDOW_SHARE = 0.15
WINDOW_STEPS = 5000  # between two published validations
NUM_STANDARD_ERRORS = 2
NEAR_ZERO = 0.01  # four times chance, with 400 classes
# The validation at 975,000, 54 steps after a drop of the learning rate, has 25.0% as
# those before it; that at 980,000 has 28.2%.
_SETTLING_STEPS = 5000


@dataclasses.dataclass(frozen=True)
class PublishedRun:
    """What is published of one training run.

    Attributes:
      name: of network and data.
      source: of the numbers, in words.
      steps: of its kNN validations, ascending, [P] int64.
      top1: their accuracies as fractions, [P] float64.
      read_outs: final top-1 accuracies of linear read-outs as fractions, by data set
        (`kinetics`, `imagenet`) and layer (`conv3`, ...).
      settings: its settings in the groups of `vie_tf.config.RunConfig`, as far as they
        are known.
      num_training_videos: N.
      num_validation_videos: behind each accuracy.
      num_classes: of its data set.
    """

    name: str
    source: str
    steps: np.ndarray
    top1: np.ndarray
    read_outs: dict[str, dict[str, float]]
    settings: dict[str, dict[str, Any]]
    num_training_videos: int
    num_validation_videos: int
    num_classes: int

    @classmethod
    def load(cls) -> PublishedRun:
        """Reads the numbers that are shipped with the package."""
        file = importlib.resources.files("vie_tf.monitoring.published") / "curves.json"
        content = json.loads(file.read_text("utf-8"))
        phases = [content["knn_top1_k10_ir"], content["knn_top1_k10_la"]]
        read_outs: dict[str, dict[str, float]] = {}
        for key, curve in content.items():
            if key.startswith("linear_"):
                _, data_set, layer = key.split("_")
                read_outs.setdefault(data_set, {})[layer] = curve["value"][-1]
        return cls(
            name=content["name"],
            source=content["source"],
            steps=np.concatenate([phase["step"] for phase in phases]),
            top1=np.concatenate([phase["value"] for phase in phases]),
            read_outs=read_outs,
            settings=content["settings"],
            num_training_videos=content["num_training_videos"],
            num_validation_videos=content["num_validation_videos"],
            num_classes=content["num_classes"],
        )

    @property
    def near_zero_until(self) -> int:
        """The last step of the start, in which the accuracy was below 1%."""
        return int(self.steps[np.argmax(self.top1 >= NEAR_ZERO) - 1])

    def at(self, step: int) -> float | None:
        """Accuracy at a step, linear between validations.

        After the last validation it is that of the last; before the first, where
        nothing is published, None.
        """
        if step < self.steps[0]:
            return None
        return float(np.interp(step, self.steps, self.top1))

    def expected_range(self, step: int) -> tuple[float, float] | None:
        """Lowest and highest accuracy that need no explanation at a step.

        From the lowest to the highest published accuracy within 15% of the step, at
        least 5,000 steps, on the same side of each drop of the learning rate; on both
        sides two standard errors of a share of the validation videos more.  So it holds
        what one validation differs from the next, and a run that is 15% ahead or late.
        It cannot hold how runs of other seeds differ, since one run was published.  Of
        the published accuracies, each left out in turn, 99% lie in the range that the
        others give.

        Args:
          step: of a run.

        Returns:
          Fractions; None before the first published validation.
        """
        here = self.at(step)
        if here is None:
            return None
        step = min(step, int(self.steps[-1]))
        reach = max(WINDOW_SHARE * step, WINDOW_STEPS)
        near = np.abs(self.steps - step) <= reach
        near &= self._drops_before(self.steps) == self._drops_before(np.array(step))
        accuracies = [here, *self.top1[near]]
        low, high = min(accuracies), max(accuracies)
        return (
            max(low - NUM_STANDARD_ERRORS * self._standard_error(low), 0.0),
            high + NUM_STANDARD_ERRORS * self._standard_error(high),
        )

    def first_step_with(self, accuracy: float) -> int | None:
        """First validated step with at least this accuracy, None if there was none."""
        reached = self.top1 >= accuracy
        return int(self.steps[np.argmax(reached)]) if reached.any() else None

    def _drops_before(self, steps: np.ndarray) -> np.ndarray:
        """How many drops of the learning rate show at each step."""
        boundaries = np.array(self.settings["train"]["lr_boundaries"])
        return (steps[..., None] - _SETTLING_STEPS >= boundaries).sum(axis=-1)

    def _standard_error(self, accuracy: float) -> float:
        return float(np.sqrt(accuracy * (1 - accuracy) / self.num_validation_videos))
