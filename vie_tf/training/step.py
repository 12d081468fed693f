"""The training step: forward, loss, gradient, update of weights and objective.

It serves pre-training, supervised training, linear probes and fine-tuning, which have
different objectives (`vie_tf.objectives`).

Letters: B global batch, D dimension.
"""

from __future__ import annotations

from typing import Callable, Sequence

import tensorflow as tf

from vie_tf import models
from vie_tf.config import OptimizationConfig
from vie_tf.objectives import Objective, losses
from vie_tf.runs import schedules
from vie_tf.runs.state import TrainState

TrainStep = Callable[[dict], dict]


def make_train_step(
    state: TrainState,
    objective: Objective,
    strategy: tf.distribute.Strategy,
    settings: OptimizationConfig,
    weight_decay: float,
) -> TrainStep:
    """Makes the graph of one step.

    Args:
      state: state that the step reads and writes.
      objective: objective of this step, that of the state or one that precedes it.
      strategy: strategy whose replicas share the global batch.
      settings: batch size and learning rate.
      weight_decay: lambda of equations 3 and 4.

    Returns:
      A function of a distributed batch (`clips`, `rows`, `labels`, `positions` and
      `skipped`) that takes the step and returns scalars of the global batch: means of
      the loss and its parts, and the spread of its embeddings.
    """
    batch_size = settings.batch_size
    assert batch_size is not None
    replica_step = _make_replica_step(
        state, objective, strategy, settings, weight_decay
    )
    of_replicas = _statistics_of_replicas(state, strategy)

    def sum_of_replicas(value: tf.Tensor) -> tf.Tensor:
        return strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)

    # One graph, which Ctrl-C does not interrupt: a saved state has learned from all
    # clips that it has read.
    @tf.function
    def train_step(batch: dict) -> dict:
        if "positions" in batch:
            _note_clips(state, strategy, batch)
        rate = schedules.step_decay(
            state.step,
            settings.learning_rate,
            settings.lr_boundaries or (),
            getattr(settings, "lr_warmup_steps", 0),
            state.num_drops,
        )
        state.optimizer.learning_rate.assign(rate)
        updates, scalars, sums = strategy.run(replica_step, args=(batch,))
        if of_replicas:
            _average_over_replicas(strategy, of_replicas)
        # Once for the global batch, after all replicas have read the old values.
        objective.after_step(
            {name: strategy.gather(value, axis=0) for name, value in updates.items()}
        )
        state.step.assign_add(1)
        scalars = {name: sum_of_replicas(value) for name, value in scalars.items()}
        if "embedding" in sums:
            total = sum_of_replicas(sums["embedding"])
            scalars.update(spread_of_embeddings(total, batch_size))
        return {**scalars, "learning_rate": rate}

    return train_step


def _statistics_of_replicas(
    state: TrainState, strategy: tf.distribute.Strategy
) -> list[tf.Variable]:
    """Returns variables of which every replica has a value of its own."""
    if strategy.num_replicas_in_sync == 1:
        return []
    return [
        variable
        for variable in state.model.non_trainable_variables
        if variable.synchronization == tf.VariableSynchronization.ON_READ
    ]


def _make_replica_step(
    state: TrainState,
    objective: Objective,
    strategy: tf.distribute.Strategy,
    settings: OptimizationConfig,
    weight_decay: float,
) -> Callable[[dict], tuple[dict, dict, dict]]:
    """Makes the part of a step that every replica takes; see `make_train_step`."""
    batch_size, num_replicas = settings.batch_size, strategy.num_replicas_in_sync
    model = state.model
    of_objective = objective.trained_variables()
    decayed = [*models.decayed_variables(model), *of_objective]
    trained = [*model.trainable_variables, *of_objective]
    num_videos = batch_size // num_replicas
    # Under float16, gradients are those of a larger loss until they are applied.
    optimizer = state.loss_scaler or state.optimizer

    def replica_step(batch: dict) -> tuple[dict, dict, dict]:
        batch = objective.prepare(batch, state.step)
        with tf.GradientTape() as tape:
            endpoints = model(batch["clips"], training=True)
            per_video, parts = objective.loss(endpoints, batch, state.step)
            # Means over the global batch: each replica contributes its part, and the
            # optimizer sums the gradients of all replicas.
            decay = losses.weight_decay_loss(decayed, weight_decay) / num_replicas
            total = tf.reduce_sum(per_video) / batch_size + decay
            # A loss that is not finite leaves the weights unchanged.
            total = tf.debugging.check_numerics(total, "loss")
            scaled = total
            if state.loss_scaler:
                scaled = state.loss_scaler.get_scaled_loss(total)
        # Keras would warn of a variable without a gradient, such as those of the fast
        # pathway's last batch norm where two streams are classified.
        zero = tf.UnconnectedGradients.ZERO
        gradients = tape.gradient(scaled, trained, None, zero)
        if state.loss_scaler:
            gradients = state.loss_scaler.get_unscaled_gradients(gradients)
        updates = objective.updates(endpoints, batch)
        optimizer.apply_gradients(zip(gradients, trained))
        scalars = {n: tf.reduce_sum(part) / batch_size for n, part in parts.items()}
        scalars.update(loss=total, weight_decay=decay)
        sums = {}
        if "embedding" in endpoints:
            of_videos = endpoints["embedding"][:num_videos]
            sums["embedding"] = tf.reduce_sum(of_videos, axis=0)  # [D]
        return updates, scalars, sums

    return replica_step


def _average_over_replicas(
    strategy: tf.distribute.Strategy, variables: Sequence[tf.Variable]
) -> None:
    """Gives all replicas the mean of variables of which each has a value of its own.

    A checkpoint holds the means of the moving statistics of batch norm, so a run whose
    replicas went on with other values would differ from one that is resumed.  Means of
    moving averages are moving averages of the means.
    """
    own = strategy.run(
        lambda: tf.concat([tf.reshape(one, [-1]) for one in variables], axis=0)
    )
    means = strategy.reduce(tf.distribute.ReduceOp.MEAN, own, axis=None)
    parts = tf.split(means, [one.shape.num_elements() for one in variables])
    for variable, part in zip(variables, parts):
        variable.assign(tf.reshape(part, variable.shape))


def _note_clips(
    state: TrainState, strategy: tf.distribute.Strategy, batch: dict
) -> None:
    """Counts the clips and the bad records that were read."""
    positions = strategy.gather(batch["positions"], axis=0)
    state.position.assign(tf.maximum(state.position, tf.reduce_max(positions) + 1))
    skipped = strategy.gather(batch["skipped"], axis=0)
    state.num_skipped.assign_add(tf.reduce_sum(skipped))


def spread_of_embeddings(
    embedding_sum: tf.Tensor, batch_size: int
) -> dict[str, tf.Tensor]:
    """Measures how far apart the embeddings of a global batch are.

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
