"""The LA training step around a plain Keras model.

What one writes with Keras' optimizer, gradient tape and mixed precision policy, in one
`tf.function`; no strategy, and nothing of `vie_tf`.
"""

from __future__ import annotations

from typing import Callable

import tensorflow as tf

from benchmarks.peers import measurement
from benchmarks.peers.keras_model import build
from benchmarks.peers.measurement import Call, Case
from vie_tf.keras import keras


def make_step(case: Case, model: keras.Model) -> Callable[[], float]:
    """Makes a call that takes a step on a ready batch and returns the loss."""
    optimizer = keras.optimizers.SGD(measurement.LEARNING_RATE, measurement.MOMENTUM)
    scales_loss = case.precision == "mixed_float16"
    if scales_loss:
        optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    decayed = [v for v in model.trainable_variables if "batch_norm" not in v.name]
    bank = tf.Variable(case.bank_rows(), trainable=False)  # [N, D]
    labels = tf.constant(case.cluster_labels())  # [N]
    clips, rows = tf.constant(case.clips()), tf.constant(case.rows())

    def la_loss(embeddings: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        every = tf.matmul(tf.stop_gradient(embeddings), bank, transpose_b=True)
        _, nearest = tf.math.top_k(every, case.background)  # [B, K]
        is_close = tf.gather(labels, nearest) == tf.gather(labels, rows)[:, None]
        similarities = tf.linalg.matvec(tf.gather(bank, nearest), embeddings)  # [B, K]
        exponentials = tf.exp(similarities / measurement.TEMPERATURE)
        close = tf.reduce_sum(tf.where(is_close, exponentials, 0.0), axis=1)
        share = close / tf.reduce_sum(exponentials, axis=1)  # [B]
        return -tf.reduce_mean(tf.math.log(share + 1e-7))

    @tf.function
    def train_step(clips: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            embeddings = model(clips, training=True)  # [B, D]
            loss = la_loss(embeddings, rows)
            squares = tf.add_n([tf.nn.l2_loss(variable) for variable in decayed])
            loss += measurement.WEIGHT_DECAY * squares
            scaled = optimizer.get_scaled_loss(loss) if scales_loss else loss
        gradients = tape.gradient(scaled, model.trainable_variables)
        if scales_loss:
            gradients = optimizer.get_unscaled_gradients(gradients)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        old = measurement.BANK_MOMENTUM * tf.gather(bank, rows)
        new = old + (1 - measurement.BANK_MOMENTUM) * embeddings
        bank.scatter_nd_update(rows[:, None], tf.math.l2_normalize(new, axis=1))
        return loss

    return lambda: float(train_step(clips, rows))


def make_calls(case: Case) -> tuple[Call, Call]:
    """Makes inference and training step; see `measurement.run`."""
    keras.mixed_precision.set_global_policy(case.precision)
    model = build(case.model, case.num_frames, case.crop_size)
    clips = tf.constant(case.clips())

    @tf.function
    def embed(clips: tf.Tensor) -> tf.Tensor:
        return model(clips, training=False)

    return lambda: embed(clips).numpy(), make_step(case, model)


if __name__ == "__main__":
    measurement.run(make_calls)
