"""An objective of your own: a softmax over a video's own row and others of the bank.

python -m vie_tf train --loss=examples.own_objective:InfoNCE \
  --data_dir=DATA --model_dir=RUN

It keeps the memory bank and the negatives of instance recognition, and takes the loss
of van den Oord et al. 2018.  python examples/own_objective.py prints the loss of
embeddings that say nothing.
"""

from __future__ import annotations

import math

import tensorflow as tf

import vie_tf
from vie_tf.objectives.instance_recognition import InstanceRecognition


@vie_tf.register_objective("infonce")
class InfoNCE(InstanceRecognition):
    """Softmax over the video's own row and K rows drawn at random."""

    title = "InfoNCE"

    def loss(
        self, endpoints: dict[str, tf.Tensor], batch: dict, step: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Computes the loss of each video, [B], and what is logged of it."""
        embeddings, rows = endpoints["embedding"], batch["rows"]
        own = self.bank.similarities(embeddings, rows)  # [B]
        noise = self.bank.similarities(embeddings, self.negatives(step))  # [B, K]
        return softmax(own, noise, self.settings.temperature), {"similarity": own}


def softmax(own: tf.Tensor, noise: tf.Tensor, temperature: float) -> tf.Tensor:
    """Computes -log of the probability of the own row, [B]."""
    logits = tf.concat([own[:, None], noise], axis=1) / temperature
    return vie_tf.losses.softmax_loss(logits, tf.zeros(tf.shape(own), tf.int64))


if __name__ == "__main__":
    loss = softmax(tf.zeros([1]), tf.zeros([1, 4096]), temperature=0.07)
    print(f"{float(loss[0]):.3f}, the logarithm of 4097: {math.log(4097):.3f}")
