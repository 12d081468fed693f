"""Residual blocks, which the networks in `resnet` and `slowfast` stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from vie_tf.keras import keras
from vie_tf.models.layers import BatchNormRelu, Conv


class ResidualBlock(keras.layers.Layer):
    """Pre-activation block: a residual is added to a shortcut.

    Source: He et al. 2016 (v2).

    Args:
        filters: Number of output channels before `expansion`.
        strides: (frames, height, width) of the block.
        project: Whether the shortcut has a 1x1x1 convolution of its own (in the first
            block of every stage).
    """

    expansion = 1

    def __init__(
        self, filters: int, strides: Sequence[int], project: bool, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.norm1 = BatchNormRelu()
        self.projection: Conv | None = None
        if project:
            self.projection = Conv(self.expansion * filters, (1, 1, 1), strides)

    def residual(self, activated: tf.Tensor, training: bool) -> tf.Tensor:
        """Computes the residual [..., h, w, F] of activated inputs [..., H, W, C]."""
        raise NotImplementedError

    def call(
        self, features: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Adds a residual to `features`.

        Args:
            features: [..., H, W, C], output of the previous block.
            training: Whether batch norm uses the statistics of this batch.

        Returns:
            The sum [..., h, w, F], and the input after batch norm and ReLU
            [..., H, W, C], which linear probes are trained on.
        """
        activated = self.norm1(features, training=training)
        shortcut = self.projection(activated) if self.projection else features
        return self.residual(activated, training) + shortcut, activated


class BasicBlock(ResidualBlock):
    """Block of two convolutions (ResNet-18 and 34).

    Source: He et al. 2016 (v2); with temporal kernels, paper section 3.

    Args:
        filters: Number of output channels.
        time_kernels: Number of frames that the first and the second kernel cover.
        strides: (frames, height, width) of the first convolution.
        project: As for `ResidualBlock`.
    """

    def __init__(
        self,
        filters: int,
        time_kernels: Sequence[int] = (1, 1),
        strides: Sequence[int] = (1, 1, 1),
        project: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, strides, project, **kwargs)
        self.conv1 = Conv(filters, (time_kernels[0], 3, 3), strides)
        self.norm2 = BatchNormRelu()
        self.conv2 = Conv(filters, (time_kernels[1], 3, 3))

    def residual(self, activated: tf.Tensor, training: bool) -> tf.Tensor:
        """Applies both convolutions."""
        return self.conv2(self.norm2(self.conv1(activated), training=training))


class BottleneckBlock(ResidualBlock):
    """Block that works on a quarter of its output channels (ResNet-50 and 101).

    Source: He et al. 2016 (v2); the temporal kernels are placed as in Feichtenhofer
    et al. 2018 (first convolution) or Hara et al. 2018 (second).

    Args:
        filters: Number of inner channels; the output has four times as many.
        time_kernels: Number of frames that the first and the second kernel cover.
        strides: (frames, height, width) of the second convolution.
        project: As for `ResidualBlock`.
    """

    expansion = 4

    def __init__(
        self,
        filters: int,
        time_kernels: Sequence[int] = (1, 1),
        strides: Sequence[int] = (1, 1, 1),
        project: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, strides, project, **kwargs)
        self.conv1 = Conv(filters, (time_kernels[0], 1, 1))
        self.norm2 = BatchNormRelu()
        self.conv2 = Conv(filters, (time_kernels[1], 3, 3), strides)
        self.norm3 = BatchNormRelu()
        self.conv3 = Conv(self.expansion * filters, (1, 1, 1))

    def residual(self, activated: tf.Tensor, training: bool) -> tf.Tensor:
        """Applies the three convolutions."""
        inner = self.norm2(self.conv1(activated), training=training)
        return self.conv3(self.norm3(self.conv2(inner), training=training))
