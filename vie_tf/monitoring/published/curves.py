"""kNN curves: that of a run, read from its event files, and the authors' published one.

The published numbers are in `curves.json`; its `source` says where they come from.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
import os
from typing import Any, Iterator

import numpy as np
import tensorflow as tf

from vie_tf.storage import files
from vie_tf.storage.errors import UserError

_FOLDER = "tensorboard"
_PUBLISHED = "published"  # TensorBoard shows a folder as a run of its own
_TAG = "knn/top1"
WINDOW_SHARE = 0.15
WINDOW_STEPS = 5000  # between two published validations
NUM_STANDARD_ERRORS = 2
NEAR_ZERO = 0.01  # four times chance, with 400 classes
# The validation at 975,000, 54 steps after a drop of the learning rate, has 25.0% as
# those before it; that at 980,000 has 28.2%.
_SETTLING_STEPS = 5000


@dataclasses.dataclass(frozen=True)
class KnnCurve:
    """Accuracies of the kNN validations of a run.

    Attributes:
      steps: steps of the validations, ascending, [E] int64.
      top1: accuracies as fractions, [E] float64.
    """

    steps: np.ndarray
    top1: np.ndarray


@dataclasses.dataclass(frozen=True)
class PublishedRun(KnnCurve):
    """A training run with published numbers.

    Attributes:
      name: names of network and data.
      source: sentence that says where the numbers come from.
      linear_probes: final top-1 accuracies of linear probes as fractions, by data set
        (`kinetics`, `imagenet`) and layer (`conv3`, ...).
      settings: known settings, in the groups of `vie_tf.config.RunConfig`.
      num_training_videos: N.
      num_validation_videos: number of videos of each validation.
      num_classes: number of classes of its data set.
    """

    name: str
    source: str
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
        shipped = {field.name for field in dataclasses.fields(cls)} & content.keys()
        return cls(
            steps=np.concatenate([phase["step"] for phase in phases]),
            top1=np.concatenate([phase["value"] for phase in phases]),
            linear_probes=linear_probes,
            **{name: content[name] for name in shipped},
        )

    @property
    def near_zero_until(self) -> int:
        """Last step before the accuracy first reached 1%."""
        return int(self.steps[np.argmax(self.top1 >= NEAR_ZERO) - 1])

    def at(self, step: int) -> float | None:
        """Returns the accuracy at a step, interpolated between validations.

        It stays at the last accuracy after the last validation, and is None before the
        first one.
        """
        if step < self.steps[0]:
            return None
        return float(np.interp(step, self.steps, self.top1))

    def expected_range(self, step: int) -> tuple[float, float] | None:
        """Returns the range in which the accuracy of a healthy run lies at a step.

        The range spans the published accuracies within 15% of the step (at least 5,000
        steps) under the same learning rate, widened by two standard errors on each
        side.  It allows for noise between validations and for a run that is 15% faster
        or slower, but not for other seeds, since one run was published.  Each published
        accuracy was left out in turn: 99% lie in the range of the others.

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
        """Returns the first step that has at least this accuracy, None without one."""
        reached = self.top1 >= accuracy
        return int(self.steps[np.argmax(reached)]) if reached.any() else None

    def _drops_before(self, steps: np.ndarray) -> np.ndarray:
        """Counts the drops of the learning rate that show at each step."""
        boundaries = np.array(self.settings["train"]["lr_boundaries"])
        return (steps[..., None] - _SETTLING_STEPS >= boundaries).sum(axis=-1)

    def _standard_error(self, accuracy: float) -> float:
        return float(np.sqrt(accuracy * (1 - accuracy) / self.num_validation_videos))


def read(model_dir: str) -> KnnCurve:
    """Reads the curve of a run, which may be in training.

    A run that resumes from a checkpoint before its last validation discards the weights
    of later ones: newer entries replace theirs, as in TensorBoard.

    Returns:
      The curve, empty if there was no validation.

    Raises:
      UserError: a file is damaged.
    """
    folder = os.path.join(model_dir, _FOLDER)
    events = [
        event
        for name in files.names_in(folder)
        if name.startswith("events.out.tfevents.")
        for event in _read_file(os.path.join(folder, name))
    ]
    curve: dict[int, float] = {}
    for _, step, accuracy in sorted(events):
        for undone in [other for other in curve if other >= step]:
            del curve[undone]
        curve[step] = accuracy
    return KnnCurve(
        np.array(list(curve), np.int64), np.array(list(curve.values()), np.float64)
    )


def _read_file(path: str) -> Iterator[tuple[float, int, float]]:
    """Yields time in seconds, step and accuracy of each validation."""
    # A long run has 100,000 other events; skipping them in Python would take several
    # times as long.
    records = tf.data.TFRecordDataset(path).filter(_names_the_tag)
    try:
        for record in records.as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            for value in event.summary.value:
                if value.tag == _TAG:
                    accuracy = float(tf.make_ndarray(value.tensor))
                    yield event.wall_time, event.step, accuracy
    except tf.errors.DataLossError as error:
        # A run that was killed, or that is writing now, leaves half a record behind.
        if "truncated" not in error.message:
            raise UserError(
                f"{path} is damaged: {error.message} Move it out of the folder to"
                " compare without it."
            ) from error


def _names_the_tag(record: tf.Tensor) -> tf.Tensor:
    # \C is any byte, where a dot is a character.
    return tf.strings.regex_full_match(record, rf"\C*{_TAG}\C*")


def write_published(model_dir: str, curve: KnnCurve) -> str:
    """Writes or replaces a curve that TensorBoard shows beside the run's.

    Returns:
      The folder of the curve.
    """
    folder = os.path.join(model_dir, _FOLDER, _PUBLISHED)
    files.remove(folder)
    writer = tf.summary.create_file_writer(folder)
    with writer.as_default():
        for step, accuracy in zip(curve.steps, curve.top1):
            tf.summary.scalar(_TAG, accuracy, step=int(step))
    writer.close()
    return folder
