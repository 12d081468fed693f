"""Order prediction (OPN): in which order do four frames follow each other?

The network looks at each frame by itself.  A head compares all pairs of frames by one
layer and says from the pairs in which of 12 orders the frames are given; an order and
its reverse are one, as many motions can be played backward.  Frames are taken where
much moves (`vie_tf.input.questions.moving_frames`).

Sources: Lee et al. 2017, section 3 (the task, the pairs); `opn_model.py` of the authors
of VIE, who trained it again: all orders of a clip are asked for in one step, in both
directions, from the same features.

Letters: B videos of a replica, C features of a frame.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Mapping

import numpy as np
import tensorflow as tf

from vie_tf.config import RunConfig
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.keras import keras
from vie_tf.objectives.pretexts.pretext import (
    Pretext,
    check_moves,
    dense,
    softmax_parts,
)
from vie_tf.storage.errors import UserError

NUM_FRAMES = 4
# The classes: of an order and its reverse, the one that has frame 0 or 1 first.
ORDERS = (
    *((0, 1, 2, 3), (0, 2, 1, 3), (0, 2, 3, 1), (0, 1, 3, 2), (0, 3, 1, 2)),
    *((0, 3, 2, 1), (1, 0, 2, 3), (1, 0, 3, 2), (1, 2, 0, 3), (2, 0, 1, 3)),
    *((2, 0, 3, 1), (2, 1, 0, 3)),
)
PAIR_UNITS = 512
# The authors take frames of a window of 9 or 15, so every third or every fifth.
FRAME_INTERVAL = 4
FRAME_JITTER = 5  # pixels
# Of so many windows of a video one is taken, by its motion.
MOTION_WINDOWS = 4


class OrderHead(keras.layers.Layer):
    """Compares pairs of frames, and tells orders apart by them.

    Args:
      seed: seed of the first kernel; the next one has the next seed.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(dtype="float32", name="head")
        self.pair = dense(PAIR_UNITS, seed, "relu")
        self.order = dense(len(ORDERS), seed + 1)
        both = [order[::direction] for direction in (1, -1) for order in ORDERS]
        pairs = [list(itertools.combinations(order, 2)) for order in both]
        self._pairs = np.array(pairs) @ [NUM_FRAMES, 1]  # [24, 6]

    def call(self, features: tf.Tensor) -> tf.Tensor:
        """Maps features [B, 4, C] of frames to logits [B, 24, 12].

        The first 12 rows are those of the frames in the orders of `ORDERS`, the others
        of the same orders backward.
        """
        first = tf.repeat(features[:, :, None], NUM_FRAMES, axis=2)
        second = tf.repeat(features[:, None], NUM_FRAMES, axis=1)
        pairs = self.pair(tf.concat([first, second], axis=-1))  # [B, 4, 4, 512]
        pairs = tf.reshape(pairs, [-1, NUM_FRAMES**2, PAIR_UNITS])
        given = tf.gather(pairs, self._pairs, axis=1)  # [B, 24, 6, 512]
        num_orders, num_pairs = self._pairs.shape
        return self.order(tf.reshape(given, [-1, num_orders, num_pairs * PAIR_UNITS]))


class Order(Pretext):
    """The softmax loss of the orders of each clip."""

    title = "order"
    kinds = ("frames",)
    chooses_by_motion = True

    @classmethod
    def complete_config(cls, config: RunConfig) -> RunConfig:
        """Takes four frames of a clip, and jitters each by itself."""
        config = super().complete_config(config)
        if config.model.num_frames not in (None, NUM_FRAMES):
            raise UserError(
                f"--loss={config.loss.name} is about the order of {NUM_FRAMES} frames,"
                f" not of {config.model.num_frames}: leave --num_frames out."
            )
        check_moves(config)
        model = dataclasses.replace(
            config.model,
            num_frames=NUM_FRAMES,
            frame_interval=config.model.frame_interval or FRAME_INTERVAL,
        )
        data = config.data
        if data.frame_jitter is None:
            data = dataclasses.replace(data, frame_jitter=FRAME_JITTER)
        if data.motion_windows is None:
            num_windows = 1 if data.data_service else MOTION_WINDOWS
            data = dataclasses.replace(data, motion_windows=num_windows)
        if data.data_service and data.motion_windows != 1:
            raise UserError(
                f"--motion_windows={data.motion_windows} computes optical flow by"
                " OpenCV, which a tf.data service cannot: leave one of them out."
            )
        return dataclasses.replace(config, model=model, data=data)

    @classmethod
    def from_config(cls, config: RunConfig, labels: np.ndarray) -> Order:
        """Makes the objective; it has no settings."""
        del labels
        return cls(OrderHead(config.train.seed))

    @classmethod
    def training_recipe(cls, recipe: ClipRecipe) -> ClipRecipe:
        """Takes frames where much moves."""
        return dataclasses.replace(recipe, question="order")

    def make_head(self, num_channels: Mapping[str, int]) -> None:
        """Makes the variables of the head."""
        self.head(tf.zeros([1, NUM_FRAMES, num_channels["conv5"]]))

    def features(self, endpoints: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns the mean of conv5 over positions, [B, 4, C] float32."""
        return tf.reduce_mean(tf.cast(endpoints["conv5"], tf.float32), axis=[2, 3])

    def loss(
        self, endpoints: dict[str, tf.Tensor], batch: dict, step: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Computes -log P(order), the mean over the orders of a video's frames."""
        del step
        logits = self.head(self.features(endpoints))  # [B, 24, 12]
        num_videos, num_orders, num_classes = logits.shape
        by_order = tf.reshape(tf.transpose(logits, [1, 0, 2]), [-1, num_classes])
        targets = tf.repeat(tf.range(num_orders) % num_classes, num_videos)
        return softmax_parts(by_order, targets, num_videos)
