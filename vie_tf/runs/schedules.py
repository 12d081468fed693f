"""Schedules of a run: periodic actions, the learning rate, and the optimizer."""

from __future__ import annotations

import dataclasses
from typing import Iterable, Sequence

import tensorflow as tf

from vie_tf.keras import keras

LR_DIVISOR = 10.0  # at every boundary or drop; Zhuang et al. 2019


def is_due(step: int, every: int, last_step: int) -> bool:
    """Tells whether a periodic action is due after a step.

    Args:
      step: number of the step, from 1.
      every: steps between two actions; 0 for the last step alone.
      last_step: step after which it is always due.
    """
    return step == last_step or (every > 0 and step % every == 0)


def step_decay(
    step: tf.Tensor,
    learning_rate: float,
    boundaries: Sequence[int] = (),
    warmup_steps: int = 0,
    num_drops: tf.Tensor | int = 0,
) -> tf.Tensor:
    """Computes the rate of a step: divided by 10 at every boundary and every drop.

    Args:
      step: scalar integer, counted from 0.
      learning_rate: rate of the first steps after the warm-up.
      boundaries: last steps with the rate before each division; as in TensorFlow 1's
        `piecewise_constant`, which the authors use, the next one has a tenth of it.
      warmup_steps: steps in which the rate rises with the square of the step.
      num_drops: how often a plateau has divided the rate, scalar integer.

    Returns:
      Scalar float32.
    """
    rate = tf.constant(learning_rate)
    if warmup_steps:
        progress = tf.cast(step + 1, tf.float32) / warmup_steps
        rate *= tf.square(tf.minimum(progress, 1.0))
    if boundaries:
        passed = tf.cast(step, tf.int64) > tf.constant(list(boundaries), tf.int64)
        rate *= LR_DIVISOR ** -tf.reduce_sum(tf.cast(passed, tf.float32))
    return rate * LR_DIVISOR ** -tf.cast(num_drops, tf.float32)


@dataclasses.dataclass(frozen=True)
class Plateau:
    """Memory of a run's validations that tells when they stop improving.

    Attributes:
      best: accuracy that the next improvement is measured from; -1 before the first.
      validations_since_best: validations without improvement since, or since a drop.
      num_drops: how often the rate was divided.
    """

    best: float = -1.0
    validations_since_best: int = 0
    num_drops: int = 0

    def after(
        self, accuracy: float, *, patience: int, min_delta: float, max_drops: int
    ) -> Plateau:
        """Returns the memory after one more validation.

        Rises too small to count do not move `best`, so they add up: an accuracy that
        climbs slowly is no plateau.

        Args:
          accuracy: top-1 as a fraction.
          patience: validations without improvement after which the rate drops; as many
            again have to pass before the next drop.
          min_delta: rise over `best` that is exceeded by an improvement.
          max_drops: number of drops after which the rate stays.

        Returns:
          One more in `num_drops` if the rate is divided now.
        """
        if accuracy > self.best + min_delta:
            return Plateau(accuracy, 0, self.num_drops)
        waited = self.validations_since_best + 1
        if waited >= patience and self.num_drops < max_drops:
            return Plateau(self.best, 0, self.num_drops + 1)
        return Plateau(self.best, waited, self.num_drops)


class TF1MomentumSGD(keras.optimizers.Optimizer):
    """SGD with momentum as TensorFlow 1 defines it.

    accumulator = momentum * accumulator + gradient;
    variable -= learning_rate * accumulator.

    Keras' SGD has the rate inside the accumulator, so that steps after a boundary keep
    the old rate for a while, unlike those of the authors' optimizer.
    """

    def __init__(self, learning_rate: float = 0.03, momentum: float = 0.9) -> None:
        # Not compiled: XLA is slower than the plain graph on the CPU, and the update
        # is one fused kernel per variable anyway.
        super().__init__(name="momentum", jit_compile=False)
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.momentum = momentum
        self.accumulators: list[tf.Variable] = []

    def build(self, var_list: Iterable[tf.Variable]) -> None:
        """Makes an accumulator of zeros for every variable."""
        super().build(var_list)
        if not self.accumulators:
            self.accumulators = [
                self.add_variable_from_reference(variable, "momentum")
                for variable in var_list
            ]

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        """Updates one variable and its accumulator."""
        position = self._index_dict[self._var_key(variable)]
        tf.raw_ops.ResourceApplyMomentum(
            var=variable.handle,
            accum=self.accumulators[position].handle,
            lr=tf.cast(self.learning_rate, variable.dtype),
            grad=gradient,
            momentum=tf.cast(self.momentum, variable.dtype),
        )

    def get_config(self) -> dict[str, float]:
        """Returns the arguments of the optimizer."""
        return {
            "learning_rate": self._serialize_hyperparameter(self._learning_rate),
            "momentum": self.momentum,
        }
