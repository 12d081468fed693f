"""This project's training step, made and called as `train.py` does.

The state, the mirrored variables and the step are those of `vie_tf.training`; only the
batch is random, and kept ready on the devices, so that no input is waited for.
"""

from __future__ import annotations

from typing import Callable

import numpy as np
import tensorflow as tf

from benchmarks.peers import measurement
from benchmarks.peers.measurement import Call, Case
from vie_tf.config import (
    DataConfig,
    KnnConfig,
    LossConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
)
from vie_tf.models.from_config import with_family_defaults
from vie_tf.objectives.local_aggregation import LocalAggregation
from vie_tf.runs.state import TrainState
from vie_tf.storage.manifest import NO_LABEL
from vie_tf.training.start import make_state
from vie_tf.training.step import make_train_step


def run_config(case: Case) -> RunConfig:
    """Settings of a run whose steps are those of the case."""
    return with_family_defaults(
        RunConfig(
            data=DataConfig(data_dir=""),
            model=ModelConfig(
                case.model,
                num_frames=case.num_frames,
                crop_size=case.crop_size,
                precision=case.precision,
            ),
            loss=LossConfig("la", la_num_background=case.background),
            train=TrainConfig(model_dir="", batch_size=case.batch_size),
            knn=KnnConfig(),
        )
    )


def make_step(case: Case) -> tuple[TrainState, Callable[[], dict]]:
    """Makes the state of a run, and a call that takes a step on a ready batch."""
    config = run_config(case)
    strategy = tf.distribute.MirroredStrategy()
    with strategy.scope():
        state = make_state(config, np.full(case.num_videos, NO_LABEL))
    objective = state.objective
    assert isinstance(objective, LocalAggregation)
    objective.bank.rows.assign(case.bank_rows())
    objective.cluster_labels.assign(case.cluster_labels()[None])
    train_step = make_train_step(
        state, objective, strategy, config.train, config.loss.weight_decay
    )
    clips, rows = tf.constant(case.clips()), tf.constant(case.rows())
    share = case.batch_size // strategy.num_replicas_in_sync

    def part_of(context: tf.distribute.ValueContext) -> dict[str, tf.Tensor]:
        first = context.replica_id_in_sync_group * share
        own = slice(first, first + share)
        return {"clips": clips[own], "rows": rows[own]}

    batch = strategy.experimental_distribute_values_from_function(part_of)

    def step() -> dict[str, float]:
        return {name: float(value) for name, value in train_step(batch).items()}

    return state, step


def make_calls(case: Case) -> tuple[Call, Call]:
    """Makes inference and training step; see `measurement.run`."""
    state, step = make_step(case)
    clips = tf.constant(case.clips())

    @tf.function
    def embed(clips: tf.Tensor) -> tf.Tensor:
        return state.model(clips, training=False)["embedding"]

    return lambda: embed(clips).numpy(), step


if __name__ == "__main__":
    measurement.run(make_calls)
