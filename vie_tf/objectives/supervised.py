"""Softmax losses on labels: supervised networks, linear probes and fine-tuning.

The supervised networks of the paper's tables have one head; linear probes have one for
each layer, and their losses add up, so that each learns as if it were alone.

Letters: B videos of a replica, C classes.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from vie_tf.config import RunConfig
from vie_tf.objectives import losses
from vie_tf.objectives.objective import Objective


class Supervised(Objective):
    """The sum of the softmax losses of one head or several; nothing is kept."""

    title = "softmax"
    needs_labels = True

    @classmethod
    def from_config(cls, config: RunConfig, labels: np.ndarray) -> Supervised:
        """Makes the objective; it has no settings."""
        return cls()

    def logits(
        self, endpoints: dict[str, tf.Tensor], step: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Returns the logits [B, C] of every head, by its name; a single one has none.

        Args:
          endpoints: of the network.
          step: steps taken, scalar int64, from which randomness comes.
        """
        return {"": endpoints["logits"]}

    def loss(
        self, endpoints: dict[str, tf.Tensor], batch: dict, step: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Adds up -log P(label) over the heads."""
        total, parts = 0.0, {}
        for name, logits in self.logits(endpoints, step).items():
            loss = losses.softmax_loss(logits, batch["labels"])
            is_right = tf.argmax(logits, axis=1) == batch["labels"]
            total += loss
            if name:
                parts[f"{name}_loss"] = loss
            accuracy = f"{name}_accuracy" if name else "accuracy"
            parts[accuracy] = tf.cast(is_right, tf.float32)
        return total, parts
