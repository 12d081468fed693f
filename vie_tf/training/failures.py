"""Failures of a training: a full disk, bad clips, too little memory, a bad loss."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Callable, Iterator

import tensorflow as tf

from vie_tf.input.clips import Clips
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.state import TrainState
from vie_tf.storage.errors import UserError, error_line

# Of the system's error TensorFlow keeps the text alone.
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskFull(UserError):
    """There is no room for what a run has to write."""


class TrainingDiverged(UserError):
    """The loss is no longer a finite number."""


class StepTooLarge(UserError):
    """A device does not have the memory for a step."""


@contextlib.contextmanager
def disk_full_errors(run: RunDirectory) -> Iterator[None]:
    """Turns the error of a full disk into one with advice.

    Raises:
      DiskFull: there is no room for a file of the run.
    """
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        reason = _disk_full_reason(error)
        if reason is None:
            raise
        latest = run.latest()
        start = f"its last checkpoint, {latest}" if latest else "the start"
        raise DiskFull(
            f"The run cannot write to {run.model_dir!r}: {reason}. Make room there, or"
            " move the folder, and give the same command: the run continues from"
            f" {start}."
        ) from error


def _disk_full_reason(error: Exception) -> str | None:
    """Returns the system's message if an error means a full disk, else None."""
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno in _DISK_FULL else None
    reasons = [os.strerror(number) for number in _DISK_FULL]
    return next((reason for reason in reasons if reason in str(error)), None)


def next_batch(
    batches: Iterator[dict], clips: Clips, state: TrainState, batch_size: int
) -> dict:
    """Takes the next batch.

    Args:
      batches: distributed batches of `clips`.
      clips: clips of the run, which name a bad record.
      state: state of the training.
      batch_size: size of the global batch.

    Raises:
      BadRecord: a video cannot be read.
    """
    try:
        return next(batches)
    except tf.errors.OpError as error:
        raise clips.error(error, state.clips_read(), batch_size) from error


def take_step(
    train_step: Callable[[dict], dict], batch: dict, step: int, batch_size: int
) -> dict:
    """Takes a step, and returns its scalars.

    Args:
      train_step: function with an operation named `loss` that checks numerics.
      batch: distributed batch.
      step: number of the step, from 1.
      batch_size: size of the global batch.

    Raises:
      StepTooLarge: the step does not fit into the memory of a device.
      TrainingDiverged: the loss is not a finite number.
    """
    try:
        return train_step(batch)
    except tf.errors.ResourceExhaustedError as error:
        if _disk_full_reason(error):
            raise
        raise StepTooLarge(
            f"Step {step} does not fit into the memory of the device: lower"
            f" --batch_size (now {batch_size}), share it among more devices"
            " (--num_replicas), or halve what it takes by --precision=mixed_bfloat16"
            f" or mixed_float16. TensorFlow says: {error_line(error)}"
        ) from error
    except tf.errors.InvalidArgumentError as error:
        if "loss : Tensor had" not in str(error):
            raise
        raise TrainingDiverged(
            f"The loss of step {step} is not a finite number; the weights are those of"
            f" step {step - 1}. Lower --learning_rate, or start again from the last"
            " checkpoint with another --seed."
        ) from error
