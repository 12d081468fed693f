"""Settings and networks that make a training run of seconds, for tests."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from vie_tf.config import (
    DataConfig,
    KnnConfig,
    LossConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
)
from vie_tf.memory_bank import MemoryBank
from vie_tf.schedules import Momentum
from vie_tf.train_state import TrainState

DIM = 16
BATCH_SIZE = 4

_MODEL = {"name": "slow", "num_filters": 4, "embedding_dim": DIM}
_MODEL.update(num_frames=2, frame_interval=2, crop_size=32)
_LOSS = {"ir_num_negatives": 6, "la_num_clusters": 3, "la_num_background": 5}


def run_config(data_dir, model_dir="unused", *, model=None, loss=None, **train):
    """Settings of a run on records of `record_fixtures`; `train` takes the rest."""
    steps = {"train_steps": 2, "batch_size": BATCH_SIZE, "learning_rate": 0.01}
    return RunConfig(
        data=DataConfig(str(data_dir)),
        model=ModelConfig(**{**_MODEL, **(model or {})}),
        loss=LossConfig(**{**_LOSS, **(loss or {})}),
        train=TrainConfig(str(model_dir), **{**steps, **train}),
        knn=KnnConfig(k=3, num_clips=2),
    )


def with_settings(config, group, **settings):
    """The same settings but for some of one group."""
    changed = dataclasses.replace(getattr(config, group), **settings)
    return dataclasses.replace(config, **{group: changed})


class GridEmbedder(tf.keras.Model):
    """Mean colours of a 4 x 4 grid and a dense layer: a quick graph.

    Args:
      dim: of the embedding.
      seed: of the weights.
      batch_norm: whether the colours are normalised over the clips of a replica.
    """

    def __init__(self, dim=DIM, seed=0, batch_norm=False):
        super().__init__(name="grid")
        start = tf.keras.initializers.GlorotUniform(seed)
        self.batch_norm = batch_norm and tf.keras.layers.BatchNormalization()
        self.dense = tf.keras.layers.Dense(dim, kernel_initializer=start)
        self(tf.zeros([1, 2, 32, 32, 3], tf.uint8))

    def call(self, clips, training=False):
        frame = tf.reduce_mean(tf.cast(clips, tf.float32), axis=1) / 255  # [B, H, W, 3]
        size = frame.shape[1] // 4
        cells = tf.nn.avg_pool2d(frame, size, size, "VALID")  # [B, 4, 4, 3]
        colors = tf.reshape(cells, [-1, 48])
        if self.batch_norm:
            colors = self.batch_norm(colors, training=training)
        raw = self.dense(colors)
        return {"embedding": tf.math.l2_normalize(raw, axis=1)}


def grid_state(labels, *, dim=DIM, seed=0, num_clusterings=1, num_clusters=0):
    """The state of a run of `GridEmbedder` at step 0."""
    return TrainState(
        model=GridEmbedder(dim, seed),
        optimizer=Momentum(0.01, 0.9),
        bank=MemoryBank(labels, dim, seed),
        num_clusterings=num_clusterings,
        num_clusters=num_clusters,
    )


def random_clips(count=BATCH_SIZE, seed=0):
    """[B, 2, 32, 32, 3] uint8."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 2, 32, 32, 3), dtype=np.uint8)


def unit_rows(count, dim=DIM, seed=0):
    """[N, D] float32, uniform on the unit sphere."""
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype("float32")
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
