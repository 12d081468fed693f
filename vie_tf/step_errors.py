"""What goes wrong with a step, in words: clips that fail, a loss that is no number."""

from __future__ import annotations

from typing import Callable, Iterator

import tensorflow as tf

from vie_tf.clip_source import Clips
from vie_tf.train_state import TrainState


class TrainingDiverged(ValueError):
    """The loss is not a finite number any more."""


def next_batch(
    batches: Iterator[dict], clips: Clips, state: TrainState, batch_size: int
) -> dict:
    """Takes the next batch.

    Args:
      batches: of `clips`, distributed.
      clips: that know what is wrong with one of them.
      state: of the training.
      batch_size: of the global batch.

    Raises:
      BadRecord: a video cannot be read.
    """
    try:
        return next(batches)
    except tf.errors.OpError as error:
        raise clips.error(error, state.clips_read(), batch_size) from error


def take_step(train_step: Callable[[dict], dict], batch: dict, step: int) -> dict:
    """Takes a step, and returns its scalars.

    Args:
      train_step: has an operation named `loss` that checks numerics.
      batch: distributed.
      step: its number, from 1.

    Raises:
      TrainingDiverged: the loss is not a finite number.
    """
    try:
        return train_step(batch)
    except tf.errors.InvalidArgumentError as error:
        if "loss : Tensor had" not in str(error):
            raise
        raise TrainingDiverged(
            f"The loss of step {step} is not a finite number; the weights are those of"
            f" step {step - 1}. Lower --learning_rate, or start again from the last"
            " checkpoint with another --seed."
        ) from error
