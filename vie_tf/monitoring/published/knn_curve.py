"""The curve of kNN accuracies in the event files of `RUN/tensorboard`."""

from __future__ import annotations

import dataclasses
import os
from typing import Iterator

import numpy as np
import tensorflow as tf

from vie_tf.storage import files
from vie_tf.storage.errors import UserError

_FOLDER = "tensorboard"
_PUBLISHED = "published"  # TensorBoard shows a folder as a run of its own
_TAG = "knn/top1"


@dataclasses.dataclass(frozen=True)
class KnnCurve:
    """kNN validations of a run.

    Attributes:
      steps: steps of the validations, ascending, [E] int64.
      top1: accuracies as fractions, [E] float64.
    """

    steps: np.ndarray
    top1: np.ndarray


def read(model_dir: str) -> KnnCurve:
    """Reads the curve of a run, which may be in training.

    Where a run resumed from a checkpoint older than its last validation, validations
    after that checkpoint belong to discarded weights: later entries replace them, as in
    TensorBoard.

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
    """Writes a curve for TensorBoard to show beside the run's, and returns its folder.

    A curve that was written before is replaced.
    """
    folder = os.path.join(model_dir, _FOLDER, _PUBLISHED)
    files.remove(folder)
    writer = tf.summary.create_file_writer(folder)
    with writer.as_default():
        for step, accuracy in zip(curve.steps, curve.top1):
            tf.summary.scalar(_TAG, accuracy, step=int(step))
    writer.close()
    return folder
