"""SlowFast: a slow, wide pathway and a fast, narrow one that feeds it.

It maps normalized clips [B, T, H, W, 3] to the activations of the slow pathway, which
include those of the lateral connections, and the pooled features of both pathways; the
heads in `heads` follow.

Source: Feichtenhofer et al. 2018, with ResNet-18 in place of ResNet-50 (paper,
appendix B).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from vie_tf.config import ModelConfig
from vie_tf.keras import keras
from vie_tf.models.embedder import Embedder
from vie_tf.models.family import assemble, num_outputs
from vie_tf.models.heads import FrameConcat
from vie_tf.models.layers import Conv
from vie_tf.models.resnet import ARCHITECTURES, RESNET_SIZES, Pathway, pool_space
from vie_tf.storage.errors import UserError

# Frames of the fast pathway for each frame of the slow one (appendix B: every 4th and
# every 16th frame of the video).
FRAME_RATIO = 4
# Channels of the slow pathway for each channel of the fast one (1 / beta of
# Feichtenhofer et al. 2018).
WIDTH_RATIO = 8


class SlowFast(keras.layers.Layer):
    """Both pathways and the lateral connections between them.

    After the stem and each stage, a convolution over five frames with stride 4 maps the
    fast features to the slow rate and twice as many channels, which are concatenated to
    those of the slow pathway.

    Args:
        resnet_size: A key of `RESNET_SIZES`.
        num_filters: Channels of the slow stem; the fast one has an eighth of them.
    """

    def __init__(
        self, resnet_size: int = 18, num_filters: int = 64, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        expansion = RESNET_SIZES[resnet_size][0].expansion
        fast_filters = max(num_filters // WIDTH_RATIO, 1)
        self.fast = FastPathway(ARCHITECTURES["fast"], resnet_size, fast_filters)
        lateral_filters = [2 * fast_filters]
        lateral_filters += [
            2 * expansion * fast_filters * 2**stage for stage in range(4)
        ]
        self.slow = SlowPathway(resnet_size, num_filters, lateral_filters)

    def call(
        self, clips: tf.Tensor, training: bool = False
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Computes the activations and the pooled features of clips.

        Args:
            clips: [B, T, H, W, 3], normalized, in the compute dtype; T is a
                multiple of 4.
            training: Whether batch norm uses the statistics of this batch.

        Returns:
            Activations [B, T/4, h, w, C] of the slow pathway by name (see
            `ResNet.call`), and features [B, 1, C] in float32: the channels of the
            slow pathway, then those of the fast one.
        """
        fast_sums, fast_pooled = self.fast(clips, training=training)
        # A gather copies whole frames, which is faster than a strided slice.
        slow_frames = tf.range(0, clips.shape[1], FRAME_RATIO)
        slow_clips = tf.gather(clips, slow_frames, axis=1)  # [B, T/4, H, W, 3]
        activations, slow_pooled = self.slow(slow_clips, fast_sums, training=training)
        pooled = tf.concat([slow_pooled, fast_pooled], axis=-1)  # [B, C]
        return activations, pooled[:, tf.newaxis]


class FastPathway(Pathway):
    """Pathway of all frames with few channels; its arguments are those of `Pathway`."""

    def call(
        self, clips: tf.Tensor, training: bool = False
    ) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Computes the inputs of the lateral connections, and pooled features.

        Returns:
            The outputs [B, T, h, w, C] of the stem and the four stages, and pooled
            features [B, C] in float32.
        """
        features = self.run_stem(clips)
        sums = [features]
        for stage in (1, 2, 3, 4):
            features = self.run_stage(stage, features, training, {})
            sums.append(features)
        features = self.final_norm(features, training=training)
        return sums, tf.reduce_mean(pool_space(features), axis=1)


class SlowPathway(Pathway):
    """Pathway of every 4th frame with many channels and lateral connections.

    Args:
        resnet_size: A key of `RESNET_SIZES`.
        num_filters: Channels of the stem.
        lateral_filters: Channels of the five lateral connections.
    """

    def __init__(
        self,
        resnet_size: int,
        num_filters: int,
        lateral_filters: Sequence[int],
        **kwargs: Any,
    ) -> None:
        super().__init__(ARCHITECTURES["slow"], resnet_size, num_filters, **kwargs)
        self.laterals = [
            Conv(filters, (5, 1, 1), (FRAME_RATIO, 1, 1)) for filters in lateral_filters
        ]

    def call(
        self,
        clips: tf.Tensor,
        fast_sums: list[tf.Tensor],
        training: bool = False,
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Computes the activations and the pooled features of this pathway.

        Args:
            clips: [B, T/4, H, W, 3], normalized, in the compute dtype.
            fast_sums: Outputs [B, T, h, w, C] of the fast pathway's stem and stages.
            training: Whether batch norm takes the statistics of this batch.

        Returns:
            Activations [B, T/4, h, w, C] by name, and pooled features [B, C] in
            float32.
        """
        features = self.run_stem(clips)
        features = tf.concat([features, self.laterals[0](fast_sums[0])], axis=-1)
        activations = {"stem": features}
        for stage in (1, 2, 3, 4):
            features = self.run_stage(stage, features, training, activations)
            lateral = self.laterals[stage](fast_sums[stage])
            features = tf.concat([features, lateral], axis=-1)
        features = self.final_norm(features, training=training)
        activations["final"] = features
        return activations, tf.reduce_mean(pool_space(features), axis=1)


def make_slowfast(name: str, config: ModelConfig) -> Embedder:
    """Makes a SlowFast network with one dense layer as its head.

    Raises:
        UserError: If the number of frames is not a multiple of `FRAME_RATIO`.
    """
    assert config.num_frames is not None
    if config.num_frames % FRAME_RATIO:
        raise UserError(
            f"{name} takes a multiple of {FRAME_RATIO} frames, not "
            f"{config.num_frames}: change --num_frames."
        )
    backbone = SlowFast(config.resnet_size, config.num_filters)
    return assemble(backbone, FrameConcat(num_outputs(config)), name, config)
