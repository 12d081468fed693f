"""The authors' published run: its kNN accuracies, and what to expect of another run.

Its numbers are in `curves.json`, whose `source` says where they are from.
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
    """A training run of which numbers are published.

    Attributes:
      name: names of network and data.
      source: sentence that says where the numbers are from.
      steps: steps of its kNN validations, ascending, [P] int64.
      top1: accuracies of the validations as fractions, [P] float64.
      linear_probes: final top-1 accuracies of linear probes as fractions, by data set
        (`kinetics`, `imagenet`) and layer (`conv3`, ...).
      settings: known settings, in the groups of `vie_tf.config.RunConfig`.
      num_training_videos: N.
      num_validation_videos: number of videos of each validation.
      num_classes: number of classes of its data set.
    """

    name: str
    source: str
    steps: np.ndarray
    top1: np.ndarray
    linear_probes: dict[str, dict[str, float]]
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
        linear_probes: dict[str, dict[str, float]] = {}
        for key, curve in content.items():
            if key.startswith("linear_"):
                _, data_set, layer = key.split("_")
                linear_probes.setdefault(data_set, {})[layer] = curve["value"][-1]
        return cls(
            name=content["name"],
            source=content["source"],
            steps=np.concatenate([phase["step"] for phase in phases]),
            top1=np.concatenate([phase["value"] for phase in phases]),
            linear_probes=linear_probes,
            settings=content["settings"],
            num_training_videos=content["num_training_videos"],
            num_validation_videos=content["num_validation_videos"],
            num_classes=content["num_classes"],
        )

    @property
    def near_zero_until(self) -> int:
        """Last step before the accuracy first reached 1%."""
        return int(self.steps[np.argmax(self.top1 >= NEAR_ZERO) - 1])

    def at(self, step: int) -> float | None:
        """Returns the accuracy at a step, interpolated between validations.

        After the last validation it is the last accuracy; before the first one, where
        nothing is published, it is None.
        """
        if step < self.steps[0]:
            return None
        return float(np.interp(step, self.steps, self.top1))

    def expected_range(self, step: int) -> tuple[float, float] | None:
        """Returns the range in which the accuracy of a healthy run lies at a step.

        It reaches from the lowest to the highest published accuracy within 15% of the
        step (at least 5,000 steps) on the same side of each drop of the learning rate,
        plus two standard errors of an accuracy on the validation videos on both sides.
        So it allows for the noise between validations and for a run that is 15% faster
        or slower, but not for other seeds, since one run was published.  Of the
        published accuracies, each left out in turn, 99% lie in the range of the others.

        Returns:
          Lowest and highest accuracy as fractions; None before the first published
          validation.
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
        """Returns the first step with at least this accuracy, None if there is none."""
        reached = self.top1 >= accuracy
        return int(self.steps[np.argmax(reached)]) if reached.any() else None

    def _drops_before(self, steps: np.ndarray) -> np.ndarray:
        """Counts the drops of the learning rate that show at each step."""
        boundaries = np.array(self.settings["train"]["lr_boundaries"])
        return (steps[..., None] - _SETTLING_STEPS >= boundaries).sum(axis=-1)

    def _standard_error(self, accuracy: float) -> float:
        return float(np.sqrt(accuracy * (1 - accuracy) / self.num_validation_videos))
