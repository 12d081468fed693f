"""The training step: the one page that shows the method.

In the order of the paper (section 3 and design, section 4): clips go through the
network; their embeddings are compared with the old rows of the memory bank by the IR
or the LA loss; gradients move the weights; the videos' rows move toward the
embeddings.  The supervised networks of the paper's tables take the same step, but
their logits are compared with labels, and there is no bank.

Letters: B global batch, D dimension, K negatives or background neighbors, M
clusterings.
"""

from __future__ import annotations

from typing import Callable

import tensorflow as tf

from vie_tf import models
from vie_tf.config import RunConfig
from vie_tf.objectives import losses
from vie_tf.runs import schedules
from vie_tf.runs.state import TrainState

TrainStep = Callable[[dict], dict]


def make_train_step(
    config: RunConfig, state: TrainState, strategy: tf.distribute.Strategy, loss: str
) -> TrainStep:
    """Makes the graph of one step.

    Args:
      config: of the run.
      state: is read and written by the step.
      strategy: whose replicas share the global batch.
      loss: `ir`, `la` or `supervised`.

    Returns:
      A function of a distributed batch (`clips`, `rows` and, if supervised, `labels`)
      that takes the step and returns scalars of the global batch: means of the loss and
      its parts, and how its embeddings are spread.
    """
    settings = config.loss
    batch_size = config.train.batch_size
    assert batch_size is not None
    model, bank = state.model, state.bank
    decayed = models.decayed_variables(model)
    num_replicas = strategy.num_replicas_in_sync
    # Under float16, gradients are those of a larger loss until they are applied.
    optimizer = state.loss_scaler or state.optimizer

    def ir(endpoints: dict, batch: dict) -> tuple[tf.Tensor, dict]:
        assert bank is not None
        embeddings, rows = endpoints["embedding"], batch["rows"]
        noise = bank.similarities(embeddings, draw_negatives(config, state))  # [B, K]
        normalizer = losses.IMAGENET_NORMALIZER
        if settings.ir_normalizer == "batch":
            own_estimate = losses.estimate_normalizer(noise, settings.temperature)
            normalizer = mean_of_replicas(own_estimate)
        own = bank.similarities(embeddings, rows)  # [B]
        data_term, noise_term = losses.instance_recognition_loss(
            own, noise, bank.num_videos, settings.temperature, normalizer
        )
        parts = {"loss_data": data_term, "loss_noise": noise_term}
        return data_term + noise_term, parts

    def la(endpoints: dict, batch: dict) -> tuple[tf.Tensor, dict]:
        assert bank is not None
        embeddings, rows = endpoints["embedding"], batch["rows"]
        _, background = bank.nearest(embeddings, settings.la_num_background)  # [B, K]
        own_clusters = tf.gather(state.cluster_labels, rows, axis=1)  # [M, B]
        clusters = tf.gather(state.cluster_labels, background, axis=1)  # [M, B, K]
        is_close = tf.reduce_any(clusters == own_clusters[:, :, None], axis=0)
        similarities = bank.similarities(embeddings, background)  # [B, K]
        loss = losses.local_aggregation_loss(
            similarities, is_close, settings.temperature
        )
        close_share = tf.reduce_mean(tf.cast(is_close, tf.float32), axis=1)
        return loss, {"close_share": close_share}

    def supervised(endpoints: dict, batch: dict) -> tuple[tf.Tensor, dict]:
        logits, labels = endpoints["logits"], batch["labels"]  # [B, C], [B]
        is_right = tf.argmax(logits, axis=1) == labels
        return losses.softmax_loss(logits, labels), {
            "accuracy": tf.cast(is_right, tf.float32)
        }

    video_loss = {"ir": ir, "la": la, "supervised": supervised}[loss]

    def replica_step(batch: dict) -> tuple[tf.Tensor | None, tf.Tensor, dict]:
        with tf.GradientTape() as tape:
            endpoints = model(batch["clips"], training=True)
            per_video, parts = video_loss(endpoints, batch)
            # Means over the global batch: each replica contributes its share, and the
            # optimizer sums the gradients of all replicas.
            decay = losses.weight_decay_loss(decayed, settings.weight_decay)
            total = tf.reduce_sum(per_video) / batch_size + decay / num_replicas
            # The weights stay as they are when the loss is not finite.
            total = tf.debugging.check_numerics(total, "loss")
            scaled = total
            if state.loss_scaler:
                scaled = state.loss_scaler.get_scaled_loss(total)
        gradients = tape.gradient(scaled, model.trainable_variables)
        if state.loss_scaler:
            gradients = state.loss_scaler.get_unscaled_gradients(gradients)
        embeddings = endpoints["embedding"]  # [B, D]
        new_rows = None
        if bank is not None:
            own = bank.similarities(embeddings, batch["rows"])
            parts["similarity_to_own_row"] = own
            new_rows = bank.updated_rows(embeddings, batch["rows"])
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        scalars = {name: tf.reduce_sum(part) for name, part in parts.items()}
        scalars = {name: value / batch_size for name, value in scalars.items()}
        scalars["loss"] = total
        scalars["weight_decay"] = decay / num_replicas
        return new_rows, tf.reduce_sum(embeddings, axis=0), scalars

    @tf.function
    def train_step(batch: dict) -> dict:
        rate = schedules.step_decay(
            state.step,
            config.train.learning_rate,
            config.train.lr_boundaries,
            config.train.lr_warmup_steps,
            state.num_drops,
        )
        state.optimizer.learning_rate.assign(rate)
        new_rows, embedding_sum, scalars = strategy.run(replica_step, args=(batch,))
        if bank is not None:
            # Once for the global batch, after all replicas have read the old rows.
            rows = strategy.gather(batch["rows"], axis=0)
            bank.write(rows, strategy.gather(new_rows, axis=0))
        state.step.assign_add(1)

        def sum_of_replicas(value: tf.Tensor) -> tf.Tensor:
            return strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)

        scalars = {name: sum_of_replicas(value) for name, value in scalars.items()}
        spread = spread_of_embeddings(sum_of_replicas(embedding_sum), batch_size)
        return {**scalars, **spread, "learning_rate": rate}

    return train_step


def spread_of_embeddings(
    embedding_sum: tf.Tensor, batch_size: int
) -> dict[str, tf.Tensor]:
    """How far apart the embeddings of a global batch are.

    Args:
      embedding_sum: [D] float32, of B embeddings of unit norm.
      batch_size: B.

    Returns:
      Scalars: the mean cosine of all pairs of two embeddings, near 1 when all videos
      fall onto one point; and the standard deviation of a dimension (root of the mean
      variance), near 0 then and 1 / sqrt(D) at most.  Nothing for a single embedding.
    """
    if batch_size == 1:
        return {}
    square = tf.reduce_sum(embedding_sum**2)  # the sum of all B * B cosines
    between = (square - batch_size) / (batch_size * (batch_size - 1))
    dim = int(embedding_sum.shape[0])
    variance = tf.maximum(1.0 - square / batch_size**2, 0.0) / dim
    return {
        "similarity_between_videos": between,
        "embedding_std": tf.sqrt(variance),
    }


def make_note_of_clips(
    state: TrainState, strategy: tf.distribute.Strategy
) -> Callable[[dict], None]:
    """Makes the graph that notes how far the data was read, batch by batch.

    Args:
      state: is told the position behind a batch, and the bad records before it.
      strategy: whose replicas share the global batch.
    """

    @tf.function
    def note(batch: dict) -> None:
        positions = strategy.gather(batch["positions"], axis=0)
        state.position.assign(tf.maximum(state.position, tf.reduce_max(positions) + 1))
        skipped = strategy.gather(batch["skipped"], axis=0)
        state.num_skipped.assign_add(tf.reduce_sum(skipped))

    return note


def mean_of_replicas(value: tf.Tensor) -> tf.Tensor:
    """The same mean on all replicas, without gradient; call in replica context.

    Replicas have equal shares of the batch, so a mean of their means is that of the
    global batch.
    """
    context = tf.distribute.get_replica_context()
    mean = context.all_reduce(tf.distribute.ReduceOp.MEAN, tf.stop_gradient(value))
    return tf.stop_gradient(mean)


def draw_negatives(config: RunConfig, state: TrainState) -> tf.Tensor:
    """Draws the rows of this replica's negatives; call in replica context.

    Drawn for the global batch and then divided, so that the number of replicas does
    not change which negatives a video gets.

    Returns:
      [B / replicas, K] int32.
    """
    context = tf.distribute.get_replica_context()
    assert config.train.batch_size is not None and state.bank is not None
    share = config.train.batch_size // context.num_replicas_in_sync
    drawn = tf.random.stateless_uniform(
        [config.train.batch_size, config.loss.ir_num_negatives],
        seed=tf.stack([tf.constant(config.train.seed, tf.int64), state.step]),
        maxval=state.bank.num_videos,
        dtype=tf.int32,
    )
    first = context.replica_id_in_sync_group * share
    return drawn[first : first + share]
