"""The state of a run: everything that the next step depends on.

Randomness is a function of the seed and of the counters of the state, so a restored run
continues as if it had never been stopped.
"""

from __future__ import annotations

from typing import Any, Collection

import tensorflow as tf

from vie_tf.keras import keras
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.objectives.objective import Objective, counter
from vie_tf.runs.schedules import Plateau, TF1MomentumSGD, is_due

NEVER = -1


class TrainState(tf.Module):
    """All that a training step reads and writes.

    Create it inside the strategy's scope.

    Attributes:
      model: network that is trained.
      optimizer: optimizer with its accumulators.
      loss_scaler: wrapper around the optimizer of a float16 network, else None.
      objective: objective with its own variables.
      step: steps taken, scalar int64.
      position: clips that were read, bad ones included, scalar int64.
      num_skipped: bad records among them, scalar int64.
      validated_at: step of the last complete validation, or the one that a run without
        validations would have had; -1 if there was none.
      best_accuracy: scalar float64; this and the next two are a `schedules.Plateau`.
      validations_since_best: scalar int64.
      num_drops: how often a plateau has divided the learning rate, scalar int64.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: TF1MomentumSGD,
        objective: Objective,
        scales_loss: bool = False,
    ) -> None:
        """Starts at step 0 with the optimizer's accumulators made.

        Args:
          model: network that is trained.
          optimizer: optimizer of its weights.
          objective: what it learns.
          scales_loss: whether the network computes in float16.
        """
        super().__init__(name="train_state")
        self.model = model
        self.optimizer = optimizer
        of_objective = objective.trained_variables()
        self.optimizer.build([*model.trainable_variables, *of_objective])
        # Gradients below 6e-8 would be 0 in float16.
        self.loss_scaler: keras.mixed_precision.LossScaleOptimizer | None = None
        if scales_loss:
            self.loss_scaler = keras.mixed_precision.LossScaleOptimizer(optimizer)
        self.objective = objective
        self.step = counter(0, "step")
        self.position = counter(0, "position")
        self.num_skipped = counter(0, "num_skipped")
        self.validated_at = counter(NEVER, "validated_at")
        # Python's precision, so that a restart compares with the very same number.
        self.best_accuracy = counter(Plateau.best, "best_accuracy", "float64")
        self.validations_since_best = counter(0, "validations_since_best")
        self.num_drops = counter(0, "num_drops")

    @property
    def bank(self) -> MemoryBank | None:
        """Memory bank of the objective."""
        return self.objective.bank

    def steps_taken(self) -> int:
        """Returns the value of `step`."""
        return int(self.step.numpy())

    def clips_read(self) -> int:
        """Returns the value of `position`."""
        return int(self.position.numpy())

    def owes_validation(self, eval_steps: int, train_steps: int) -> bool:
        """Tells whether the validation of the last step was interrupted.

        Args:
          eval_steps: steps between validations.
          train_steps: last step, which is validated as well.
        """
        step = self.steps_taken()
        is_missing = int(self.validated_at.numpy()) < step
        return step > 0 and is_missing and is_due(step, eval_steps, train_steps)

    def plateau(self) -> Plateau:
        """Returns the memory of the learning rate's schedule."""
        return Plateau(
            float(self.best_accuracy.numpy()),
            int(self.validations_since_best.numpy()),
            int(self.num_drops.numpy()),
        )

    def set_plateau(self, plateau: Plateau) -> None:
        """Writes what `plateau` reads."""
        self.best_accuracy.assign(plateau.best)
        self.validations_since_best.assign(plateau.validations_since_best)
        self.num_drops.assign(plateau.num_drops)

    def checkpoint(
        self, leave_out: Collection[str] = (), with_head: bool = True
    ) -> tf.train.Checkpoint:
        """Returns the parts of a checkpoint file, by their keys.

        Args:
          leave_out: names of parts that are left out.
          with_head: whether the head of the network and its momentum are included.
        """
        # The loss scale of float16 is a part of the optimizer that it wraps.
        model, optimizer = self.model, self.optimizer
        if not with_head:
            model = tf.train.Checkpoint(backbone=self.model.backbone)
            # The variables of a network are those of its backbone, then the head's.
            count = len(self.model.backbone.trainable_variables)
            optimizer = tf.train.Checkpoint(accumulators=optimizer.accumulators[:count])
        parts: dict[str, Any] = {
            "model": model,
            "optimizer": optimizer,
            "step": self.step,
            "position": self.position,
            "num_skipped": self.num_skipped,
            "validated_at": self.validated_at,
            "best_accuracy": self.best_accuracy,
            "validations_since_best": self.validations_since_best,
            "num_drops": self.num_drops,
            **self.objective.checkpoint(),
        }
        kept = {name: part for name, part in parts.items() if name not in leave_out}
        return tf.train.Checkpoint(**kept)
