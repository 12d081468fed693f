"""Instance recognition (IR): every video is told apart from all others.

Equation 3 of the paper, estimated as by Wu et al. 2018: an embedding is compared with
the row of its own video in the memory bank, and with those of K other videos drawn at
random.  After the step the rows of the batch move toward their embeddings.

Letters: B videos of a replica, K negatives, D dimension.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from vie_tf.config import LossConfig, RunConfig
from vie_tf.objectives import losses
from vie_tf.objectives.bank.bank_memory import bank_from_config
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.objectives.objective import Objective, counter

UNKNOWN = -1.0  # an accuracy that was not measured yet


class InstanceRecognition(Objective):
    """The IR loss and its memory bank.

    Args:
      bank: memory bank of the run.
      settings: temperature, number of negatives and normalizer.
      batch_size: videos of a step over all replicas.
      seed: seed of the negatives.

    Attributes:
      accuracy: top-1 of the last kNN validation during IR, -1 before the first.
    """

    title = "IR"

    def __init__(
        self, bank: MemoryBank, settings: LossConfig, batch_size: int, seed: int
    ) -> None:
        self.bank: MemoryBank = bank
        self.settings, self._batch_size, self._seed = settings, batch_size, seed
        self.accuracy = counter(UNKNOWN, "ir_accuracy", "float64")

    @classmethod
    def from_config(cls, config: RunConfig, labels: np.ndarray) -> InstanceRecognition:
        """Makes the objective of a run with a bank of random rows."""
        assert config.train.batch_size is not None
        bank = bank_from_config(config, labels)
        return cls(bank, config.loss, config.train.batch_size, config.train.seed)

    def loss(
        self, endpoints: dict[str, tf.Tensor], batch: dict, step: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Computes equation 3 from the rows as they were before the step."""
        embeddings, rows = endpoints["embedding"], batch["rows"]
        temperature = self.settings.temperature
        noise = self.bank.similarities(embeddings, self.negatives(step))  # [B, K]
        normalizer = losses.IMAGENET_NORMALIZER
        if self.settings.ir_normalizer == "batch":
            own_estimate = losses.estimate_normalizer(noise, temperature)
            normalizer = mean_of_replicas(own_estimate)
        own = self.bank.similarities(embeddings, rows)  # [B]
        data_term, noise_term = losses.instance_recognition_loss(
            own, noise, self.bank.num_videos, temperature, normalizer
        )
        return data_term + noise_term, {
            "loss_data": data_term,
            "loss_noise": noise_term,
            "similarity_to_own_row": own,
        }

    def negatives(self, step: tf.Tensor) -> tf.Tensor:
        """Draws the bank rows of this replica's negatives; call in replica context.

        They are drawn for the global batch and then divided, so that the number of
        replicas does not change which negatives a video gets.

        Returns:
          [B, K] int32.
        """
        context = tf.distribute.get_replica_context()
        size = self._batch_size // context.num_replicas_in_sync
        drawn = tf.random.stateless_uniform(
            [self._batch_size, self.settings.ir_num_negatives],
            seed=tf.stack([tf.constant(self._seed, tf.int64), step]),
            maxval=self.bank.num_videos,
            dtype=tf.int32,
        )
        first = context.replica_id_in_sync_group * size
        return drawn[first : first + size]

    def after_validation(self, top1: float) -> None:
        """Keeps what IR has come to, by which LA is judged later."""
        self.accuracy.assign(top1)

    def checkpoint(self) -> dict[str, Any]:
        """Returns bank and accuracy."""
        return {**super().checkpoint(), "ir_accuracy": self.accuracy}


def mean_of_replicas(value: tf.Tensor) -> tf.Tensor:
    """Averages over all replicas, without gradient; call in replica context.

    Replicas have equal parts of the batch, so the mean of their means is that of the
    global batch.
    """
    context = tf.distribute.get_replica_context()
    mean = context.all_reduce(tf.distribute.ReduceOp.MEAN, tf.stop_gradient(value))
    return tf.stop_gradient(mean)
