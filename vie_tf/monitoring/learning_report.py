"""Whether a training helps: figures of its embedding beside those without learning.

`vie_tf.metrics.learning.check` computes them; the run log prints and judges them.
"""

from __future__ import annotations

import dataclasses
from typing import Mapping

import numpy as np

RUN, UNTRAINED = "run", "untrained"
BASELINES = ("pixels", "motion_map")
_NAMES = {"motion_map": "motion map"}


@dataclasses.dataclass(frozen=True)
class SameScene:
    """Whether neighbors are of the same scene, and whether they know more than that.

    Attributes:
      nearest: fraction of the videos whose nearest one is also among the tenth that
        looks most alike.
      chance: that fraction for random neighbors.
      motion: fraction of the nearest videos of other scenes that are also nearest by
        the motion map.
      motion_of_pixels: the same for the nearest videos by pixels.
      standard_error: of the difference of the last two.
    """

    nearest: float
    chance: float
    motion: float
    motion_of_pixels: float
    standard_error: float


@dataclasses.dataclass(frozen=True)
class LearningReport:
    """Figures of a run beside those of embeddings that have learned nothing.

    Attributes:
      num_videos: number of videos.
      chance: accuracy of guessing; None without labels.
      values: figures by embedding (`run`, `untrained`, `pixels`, `motion_map`) and
        name (`knn`, `agreement`, `alignment`, `uniformity`).
      discordant: by embedding, number of videos that only the run gets right, and that
        only the other does; empty without labels.
      scene: whether neighbors are of the same scene; None for too few videos.
    """

    num_videos: int
    chance: float | None
    values: Mapping[str, Mapping[str, float]]
    discordant: Mapping[str, tuple[int, int]]
    scene: SameScene | None

    @property
    def best_baseline(self) -> str:
        """Name of the baseline with the highest accuracy."""
        return max(BASELINES, key=lambda name: self.values[name]["knn"])

    @property
    def is_better(self) -> bool | None:
        """Whether the run has a higher accuracy than both; None without labels."""
        if self.chance is None:
            return None
        return self.values[RUN]["knn"] > self.values[self.best_baseline]["knn"]

    def scalars(self) -> dict[str, float]:
        """Returns all figures by name, for TensorBoard."""
        found = {
            f"{measure}_{name}": value
            for name, values in self.values.items()
            for measure, value in values.items()
        }
        if self.scene is not None:
            found["same_scene"] = self.scene.nearest
            found["same_motion_elsewhere"] = self.scene.motion
        return found

    def describe(self) -> str:
        """Describes the figures in a line, for the terminal."""
        if self.chance is not None:
            return (
                f"leave-one-out kNN of {self.num_videos} videos: {self._list('knn')}"
                f" (chance {self.chance:.1%})"
            )
        own, before = (self.values[name]["uniformity"] for name in (RUN, UNTRAINED))
        return (
            f"neighbors by both halves of {self.num_videos} videos agree:"
            f" {self._list('agreement')}; uniformity {own:.2f} (untrained {before:.2f})"
        )

    def verdict(self) -> str:
        """Says whether the run is better than without learning, in a line."""
        if self.is_better is None:
            return (
                "Better than pixels and motion map: unknown without labels;"
                f" {self.describe()}."
            )
        answer, best = "yes" if self.is_better else "no", self.best_baseline
        wins, losses = self.discordant[best]
        lead = abs(wins - losses)
        line = (
            f"Better than pixels and motion map: {answer}; {self.describe()}; against"
            f" {_title(best)} {wins} videos gained and {losses} lost"
        )
        if lead <= 2 * np.sqrt(wins + losses):
            line += ", which chance explains"
        return f"{line}."

    def _list(self, measure: str) -> str:
        return ", ".join(
            f"{_title(name)} {values[measure]:.1%}"
            for name, values in self.values.items()
        )


def _title(name: str) -> str:
    return _NAMES.get(name, name)
