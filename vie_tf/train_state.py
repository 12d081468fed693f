"""The state of a run: everything that the next step depends on.

Randomness is a function of the seed and of the counters in here, so a run that gets
them back goes on as if it had never been stopped.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from vie_tf.memory_bank import MemoryBank
from vie_tf.schedules import Momentum

NEVER = -1  # the step of what has not been done yet


class TrainState(tf.Module):
    """All that a training step reads and writes.

    Create it inside the strategy's scope.

    Attributes:
      model: the network.
      optimizer: with its accumulators.
      loss_scaler: around the optimizer of a float16 network, else None.
      bank: the memory bank; None in supervised training, which has none.
      cluster_labels: [clusterings, N] int32, cluster of every row; zeros until LA
        begins.
      step: steps taken, scalar int64.
      position: clips that were read, bad ones included, scalar int64.
      num_skipped: bad records among them, scalar int64.
      clustered_at: step of the last clustering, -1 if there was none.
    """

    def __init__(
        self,
        model: tf.keras.Model,
        optimizer: Momentum,
        bank: MemoryBank | None,
        num_clusterings: int,
        scales_loss: bool = False,
    ) -> None:
        """Starts at step 0 with the optimizer's accumulators made."""
        super().__init__(name="train_state")
        self.model = model
        self.optimizer = optimizer
        self.optimizer.build(model.trainable_variables)
        # Gradients below 6e-8 would be 0 in float16.
        self.loss_scaler: tf.keras.mixed_precision.LossScaleOptimizer | None = None
        if scales_loss:
            self.loss_scaler = tf.keras.mixed_precision.LossScaleOptimizer(optimizer)
        self.bank = bank

        def counter(start: int, name: str) -> tf.Variable:
            return tf.Variable(
                tf.constant(start, tf.int64),
                trainable=False,
                name=name,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )

        self.step = counter(0, "step")
        self.position = counter(0, "position")
        self.num_skipped = counter(0, "num_skipped")
        self.clustered_at = counter(NEVER, "clustered_at")
        self.cluster_labels = tf.Variable(
            tf.zeros([num_clusterings, bank.num_videos if bank else 0], tf.int32),
            trainable=False,
            name="cluster_labels",
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def steps_taken(self) -> int:
        """Value of `step`."""
        return int(self.step.numpy())

    def clips_read(self) -> int:
        """Value of `position`."""
        return int(self.position.numpy())

    def steps_since_clustering(self) -> int | None:
        """Age of `cluster_labels` in steps, None if they were never computed."""
        clustered_at = int(self.clustered_at.numpy())
        return None if clustered_at == NEVER else self.steps_taken() - clustered_at

    def checkpoint(self) -> tf.train.Checkpoint:
        """What is written; the names are the keys in the file."""
        return tf.train.Checkpoint(
            **self._shared_parts(),
            cluster_labels=self.cluster_labels,
            clustered_at=self.clustered_at,
        )

    def shared_checkpoint(self) -> tf.train.Checkpoint:
        """What runs share whose numbers of clusterings or precisions differ."""
        return tf.train.Checkpoint(**self._shared_parts())

    def checkpoint_without_bank(self) -> tf.train.Checkpoint:
        """What runs share whose banks differ in size."""
        # The loss scale of float16 is a part of the optimizer that it is around.
        return tf.train.Checkpoint(**self._parts_without_bank())

    def _shared_parts(self) -> dict[str, Any]:
        bank = {"bank": self.bank} if self.bank else {}
        return {**self._parts_without_bank(), **bank}

    def _parts_without_bank(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "optimizer": self.optimizer,
            "step": self.step,
            "position": self.position,
            "num_skipped": self.num_skipped,
        }
