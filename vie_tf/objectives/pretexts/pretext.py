"""What objectives with a head of their own have in common.

Other methods of table 2 of the paper ask the network a question about a clip whose
answer is known, and answer it by layers of their own.  What is kept of the network are
its features: the embedding is `pooled` at unit norm.

Letters: B videos of a replica, F features.
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np
import tensorflow as tf

from vie_tf.config import RunConfig
from vie_tf.keras import keras
from vie_tf.objectives.losses import softmax_loss
from vie_tf.objectives.objective import Objective
from vie_tf.storage.errors import UserError


def dense(
    units: int,
    seed: int,
    activation: str | None = None,
    bias: np.ndarray | float = 0.0,
) -> keras.layers.Dense:
    """Makes a float32 layer of a head, whose kernel depends on the seed alone."""
    return keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer=keras.initializers.GlorotUniform(seed),
        bias_initializer=keras.initializers.Constant(bias),
        dtype="float32",
    )


def check_moves(config: RunConfig) -> None:
    """Checks that frames of a clip differ, for questions about time.

    Raises:
      UserError: clips repeat one frame.
    """
    if config.data.static_video:
        raise UserError(
            f"--static_video repeats one frame, but --loss={config.loss.name} is about"
            " what changes: leave it out, or give another --loss."
        )


class Pretext(Objective):
    """An objective with a head of its own.

    Args:
      head: layer that maps `features` of the network to what `loss` needs.
    """

    has_own_head = True
    kinds: tuple[str, ...] = ("frames", "clips")

    def __init__(self, head: keras.layers.Layer) -> None:
        self.head = head

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
    answers = tf.argmax(logits, axis=1, output_type=targets.dtype)
    is_right = tf.cast(answers == targets, tf.float32)

    def mean_of_video(values: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.reshape(values, [-1, num_videos]), axis=0)

    return mean_of_video(softmax_loss(logits, targets)), {
        "accuracy": mean_of_video(is_right)
    }
