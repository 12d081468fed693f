"""Costs that the LA loss and the memory bank add to a training step.

python -m benchmarks.bank.la_step [--num_videos=239888] [--batch_size=128]
    [--background=512]

Prints the time of a `single` step at 224 pixels without a bank (forward, backward,
weight decay and update), and of the parts that LA adds: the search for neighbors, the
loss with its gradient, and the update of the bank.
"""

from __future__ import annotations

import argparse

import tensorflow as tf

from benchmarks.machine import matmul_peak, seconds
from vie_tf import models
from vie_tf.objectives import losses
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.runs import schedules


def network_step(batch_size: int) -> float:
    """Measures a step of the network alone, in seconds."""
    model = models.build("single")
    optimizer = schedules.TF1MomentumSGD(0.03)
    optimizer.build(model.trainable_variables)
    decayed = models.decayed_variables(model)
    clips = tf.cast(
        tf.random.uniform([batch_size, 1, 224, 224, 3], 0, 255, tf.int32), tf.uint8
    )

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            embeddings = model(clips, training=True)["embedding"]
            loss = tf.reduce_sum(embeddings[:, 0])
            loss += losses.weight_decay_loss(decayed, 1e-4)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    return seconds(step)


def la_part(num_videos: int, batch_size: int, background: int) -> dict[str, float]:
    """Measures each part that LA adds, and all of them in one graph, in seconds."""
    bank = MemoryBank(tf.zeros([num_videos], tf.int64))
    labels = tf.random.uniform([1, num_videos], 0, max(num_videos // 30, 1), tf.int32)
    rows = tf.random.shuffle(tf.range(num_videos))[:batch_size]
    embeddings = tf.math.l2_normalize(tf.random.normal([batch_size, 128]), axis=1)

    def loss_and_gradient(nearest: tf.Tensor) -> tf.Tensor:
        own = tf.gather(labels, rows, axis=1)[:, :, None]
        is_close = tf.reduce_any(tf.gather(labels, nearest, axis=1) == own, axis=0)
        with tf.GradientTape() as tape:
            tape.watch(embeddings)
            similarities = bank.similarities(embeddings, nearest)
            loss = tf.reduce_sum(losses.local_aggregation_loss(similarities, is_close))
        return tape.gradient(loss, embeddings)

    def write() -> tf.Tensor:
        bank.write(rows, bank.updated_rows(embeddings, rows))
        return bank.rows[0]

    def everything() -> tuple[tf.Tensor, tf.Tensor]:
        _, nearest = bank.nearest(embeddings, background)
        return loss_and_gradient(nearest), write()

    _, nearest = bank.nearest(embeddings, background)
    return {
        "nearest rows": seconds(
            tf.function(lambda: bank.nearest(embeddings, background)[1])
        ),
        "loss, gradient": seconds(tf.function(lambda: loss_and_gradient(nearest))),
        "bank update": seconds(tf.function(write)),
        "all of LA": seconds(tf.function(everything)),
    }


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--num_videos", type=int, default=239_888)
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--background", type=int, default=512)
    arguments = parser.parse_args()
    print(f"matrix product, 4096 x 4096: {matmul_peak() / 1e9:.0f} GFLOP/s")
    parts = la_part(arguments.num_videos, arguments.batch_size, arguments.background)
    network = network_step(arguments.batch_size)
    print(f"step of single, batch {arguments.batch_size}: {network:.2f} s")
    for name, part in parts.items():
        print(f"{name:<16}{part:8.3f} s {part / network:8.1%} of the step")


if __name__ == "__main__":
    main()
