"""What objectives with a head of their own have in common.

Other methods of table 2 of the paper ask the network a question about a clip whose
answer is known, and answer it by layers of their own.  What is kept of the network are
its features: the embedding is `pooled` at unit norm.

Letters: B videos of a replica, F features.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

import numpy as np
import tensorflow as tf

from vie_tf.config import RunConfig
from vie_tf.keras import keras
from vie_tf.objectives.objective import Objective


class DenseLayers(keras.layers.Layer):
    """Dense layers one after the other; the last has no ReLU.

    Args:
      units: outputs of each layer.
      seed: seed of the first kernel; the next one has the next seed.
      relu: whether all layers but the last end with a ReLU.
    """

    def __init__(self, units: Sequence[int], seed: int, relu: bool = False) -> None:
        super().__init__(dtype="float32", name="head")
        last = len(units) - 1
        self.layers = [
            keras.layers.Dense(
                count,
                activation="relu" if relu and number < last else None,
                kernel_initializer=keras.initializers.GlorotUniform(seed + number),
                dtype="float32",
            )
            for number, count in enumerate(units)
        ]

    def call(self, features: tf.Tensor) -> tf.Tensor:
        """Maps features [..., F] to outputs [..., units of the last layer]."""
        for layer in self.layers:
            features = layer(features)
        return features


class Pretext(Objective):
    """An objective with a head of its own.

    Args:
      head: layer that maps `features` of the network to what `loss` needs.
      seed: seed of what is drawn by step.
    """

    has_own_head = True
    kinds: tuple[str, ...] = ("frames", "clips")

    def __init__(self, head: keras.layers.Layer, seed: int) -> None:
        self.head, self.seed = head, seed

    @classmethod
    def from_config(cls, config: RunConfig, labels: np.ndarray) -> Pretext:
        """Makes the objective of a run; `make_head` makes its variables."""
        raise NotImplementedError

    def features(self, endpoints: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns what the head is given: `pooled`, [B, F] float32."""
        return endpoints["pooled"]

    def make_head(self, num_channels: Mapping[str, int]) -> None:
        """Makes the variables of the head."""
        self.head(tf.zeros([1, num_channels["pooled"]]))

    def trained_variables(self) -> list[tf.Variable]:
        """Returns the variables of the head."""
        return self.head.trainable_variables

    def checkpoint(self) -> dict[str, Any]:
        """Returns the head."""
        return {"head": self.head}


def replica_seed(seed: int, step: tf.Tensor) -> tf.Tensor:
    """Makes the seed of what a replica draws in a step; call in replica context.

    Args:
      seed: seed of the run.
      step: steps taken, scalar int64.

    Returns:
      [2] int64, another one for every replica and step.
    """
    context = tf.distribute.get_replica_context()
    replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
    number = step * context.num_replicas_in_sync + replica
    return tf.stack([tf.constant(seed, tf.int64), number])


def softmax_parts(
    logits: tf.Tensor, targets: tf.Tensor, num_videos: int
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Computes the loss of questions whose answers are classes.

    Args:
      logits: [Q * B, C], the first question of all videos, then the second ...
      targets: [Q * B] integers.
      num_videos: B.

    Returns:
      The mean loss of a video's questions [B], and `accuracy` [B], as
      `Objective.loss` does.
    """
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    answers = tf.argmax(logits, axis=1, output_type=targets.dtype)
    is_right = tf.cast(answers == targets, tf.float32)

    def mean_of_video(values: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.reshape(values, [-1, num_videos]), axis=0)

    return mean_of_video(losses), {"accuracy": mean_of_video(is_right)}
