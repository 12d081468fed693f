"""Residual networks: on single frames, on 16 dense frames, on 4 sparse frames.

They map normalized clips [B, T, H, W, 3] to the activations of all blocks and pooled
features [B, T', C] in float32; the heads in `heads` follow.

A row of `ARCHITECTURES` defines a network; widths and depths are shared (paper, section
4: all families have a ResNet-18 v2 as their backbone).
"""

from __future__ import annotations

import dataclasses
from typing import Any, Union

import tensorflow as tf

from vie_tf.keras import keras
from vie_tf.models.blocks import BasicBlock, BottleneckBlock
from vie_tf.models.layers import BatchNormRelu, Conv, fold_time, over_time, unfold_time

Block = Union[BasicBlock, BottleneckBlock]
BlockClass = Union[type[BasicBlock], type[BottleneckBlock]]

# Kind of block, and blocks per stage (He et al. 2016).
RESNET_SIZES: dict[int, tuple[BlockClass, tuple[int, ...]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (BottleneckBlock, (3, 4, 6, 3)),
    101: (BottleneckBlock, (3, 4, 23, 3)),
}

# Layers of the paper's linear probes: the inputs of stages 1, 2, 3 and 4 and the output
# of stage 4, after batch norm and ReLU.
PROBED_LAYERS = {
    "conv1": "stage1_block1",
    "conv2": "stage2_block1",
    "conv3": "stage3_block1",
    "conv4": "stage4_block1",
    "conv5": "final",
}


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Temporal kernels and strides of a family; the spatial ones are shared.

    Attributes:
        joins_frames: False for 2-D networks, which process each frame alone.
        stem_frames: Frames that the 7x7 convolution of the stem covers.
        pool_frames: Frames that the 3x3 max pool of the stem covers.
        time_stride: Temporal stride of the max pool and of stages 2, 3 and 4.
        basic_frames: For each stage, frames that the first and the second convolution
            of a basic block cover.
        bottleneck_frames: The same for the first two convolutions of a bottleneck.
    """

    joins_frames: bool = True
    stem_frames: int = 1
    pool_frames: int = 1
    time_stride: int = 1
    basic_frames: tuple[tuple[int, int], ...] = ((1, 1),) * 4
    bottleneck_frames: tuple[tuple[int, int], ...] = ((1, 1),) * 4


_SLOW_FRAMES = ((1, 1), (1, 1), (3, 1), (3, 1))

ARCHITECTURES = {
    "frames": Architecture(joins_frames=False),
    # Hara et al. 2018: time is halved with space, but not by the stem's convolution,
    # which keeps all 16 frames.
    "3dresnet": Architecture(
        stem_frames=7,
        pool_frames=3,
        time_stride=2,
        basic_frames=((3, 3),) * 4,
        bottleneck_frames=((1, 3),) * 4,
    ),
    # Feichtenhofer et al. 2018: no temporal stride; frames are joined late or early.
    "slow": Architecture(basic_frames=_SLOW_FRAMES, bottleneck_frames=_SLOW_FRAMES),
    "fast": Architecture(
        stem_frames=5,
        basic_frames=((3, 1),) * 4,
        bottleneck_frames=((3, 1),) * 4,
    ),
}


def max_pool(features: tf.Tensor, num_frames: int, time_stride: int) -> tf.Tensor:
    """Maximum over 3x3 positions and `num_frames` frames, stride 2 in space.

    Args:
        features: [B, T, H, W, C] or [B*T, H, W, C].
        num_frames: Size in time, 1 for rank-4 features.
        time_stride: Stride in time, 1 for rank-4 features.

    Returns:
        [B, T/time_stride, H/2, W/2, C] or [B*T, H/2, W/2, C], rounded up.
    """
    if features.shape.rank == 4:
        return tf.nn.max_pool2d(features, 3, 2, "SAME")
    frames = tf.nn.max_pool2d(fold_time(features), 3, 2, "SAME")
    features = unfold_time(frames, features.shape[1])  # [B, T, h, w, C]
    if num_frames == 1:
        return features
    # The maximum over a box is separable: the result is that of max_pool3d, which takes
    # six times as long on a CPU.
    return over_time(
        features,
        lambda lines: tf.nn.max_pool2d(
            lines, [num_frames, 1], [time_stride, 1], "SAME"
        ),
    )


def make_stage(
    stage: int, architecture: Architecture, resnet_size: int, num_filters: int
) -> list[Block]:
    """Makes the blocks of one stage.

    Args:
        stage: 1 to 4.
        architecture: A row of `ARCHITECTURES`.
        resnet_size: A key of `RESNET_SIZES`.
        num_filters: Channels of the stem; stage s has 2^(s-1) times as many.

    Returns:
        The blocks in order; the first one projects and, from stage 2 on, strides.
    """
    block_class, num_blocks = RESNET_SIZES[resnet_size]
    if block_class is BasicBlock:
        time_kernels = architecture.basic_frames[stage - 1]
    else:
        time_kernels = architecture.bottleneck_frames[stage - 1]
    strides = (1, 1, 1) if stage == 1 else (architecture.time_stride, 2, 2)
    filters = num_filters * 2 ** (stage - 1)
    first = block_class(filters, time_kernels, strides, project=True)
    rest = [
        block_class(filters, time_kernels) for _ in range(num_blocks[stage - 1] - 1)
    ]
    return [first, *rest]


def pool_space(features: tf.Tensor) -> tf.Tensor:
    """Averages [..., H, W, C] over positions in float32: [..., C]."""
    return tf.reduce_mean(tf.cast(features, tf.float32), axis=[-3, -2])


class Pathway(keras.layers.Layer):
    """Layers of a residual network, which subclasses apply to clips.

    Args:
        architecture: A row of `ARCHITECTURES`.
        resnet_size: A key of `RESNET_SIZES`.
        num_filters: Channels of the stem.
    """

    def __init__(
        self,
        architecture: Architecture,
        resnet_size: int = 18,
        num_filters: int = 64,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.architecture = architecture
        self.stem = Conv(num_filters, (architecture.stem_frames, 7, 7), (1, 2, 2))
        self.stages = [
            make_stage(stage, architecture, resnet_size, num_filters)
            for stage in (1, 2, 3, 4)
        ]
        self.final_norm = BatchNormRelu()

    @property
    def blocks(self) -> list[Block]:
        """Blocks of all stages in order.

        Keras's files of weights are written from the attributes of a layer, properties
        too, and do not look into lists of lists such as `stages`.
        """
        return [block for stage in self.stages for block in stage]

    def run_stem(self, clips: tf.Tensor) -> tf.Tensor:
        """Maps clips [..., H, W, 3] to features [..., H/4, W/4, C]."""
        architecture = self.architecture
        return max_pool(
            self.stem(clips), architecture.pool_frames, architecture.time_stride
        )

    def run_stage(
        self,
        stage: int,
        features: tf.Tensor,
        training: bool,
        activations: dict[str, tf.Tensor],
    ) -> tf.Tensor:
        """Applies the blocks of one stage and collects their activated inputs.

        Args:
            stage: 1 to 4.
            features: [..., H, W, C].
            training: Whether batch norm uses the statistics of this batch.
            activations: Receives `stage{s}_block{b}`, the activated block inputs.

        Returns:
            [..., h, w, F], the output of the last block.
        """
        for number, block in enumerate(self.stages[stage - 1], start=1):
            features, activated = block(features, training=training)
            activations[f"stage{stage}_block{number}"] = activated
        return features


class ResNet(Pathway):
    """Stem, four stages, batch norm and ReLU, mean; its arguments are `Pathway`'s."""

    def call(
        self, clips: tf.Tensor, training: bool = False
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Computes the activations and the pooled features of clips.

        Args:
            clips: [B, T, H, W, 3], normalized, in the compute dtype.
            training: Whether batch norm uses the statistics of this batch.

        Returns:
            Activations [B, T', h, w, C] by name: `stem`, the activated input of each
            block (`stage1_block1`, ...), `final`.  And features in float32: [B, T, C]
            of 2-D networks, pooled over space, or [B, 1, C] of 3-D networks, pooled
            over space and time.
        """
        joins_frames = self.architecture.joins_frames
        features = self.run_stem(clips if joins_frames else fold_time(clips))
        activations = {"stem": features}
        for stage in (1, 2, 3, 4):
            features = self.run_stage(stage, features, training, activations)
        features = self.final_norm(features, training=training)
        activations["final"] = features

        if not joins_frames:
            activations = {
                name: unfold_time(value, clips.shape[1])
                for name, value in activations.items()
            }
        pooled = pool_space(activations["final"])  # [B, T', C]
        if joins_frames:
            pooled = tf.reduce_mean(pooled, axis=1, keepdims=True)  # [B, 1, C]
        return activations, pooled
