"""Plain networks: convolutions one after the other, without shortcuts.

They are those of other methods in table 2 of the paper: C3D, and AlexNet on frames.
Both have batch norm after every convolution, and the mean over positions in place of
their layers fc6 and fc7, so that they take clips of every size, as the residual
networks do.  `PLAIN_NETWORKS` defines them.

Sources: Tran et al. 2015, section 3.3 (C3D); Krizhevsky et al. 2012, section 3.5, in
the layout of Caffe's reference model (AlexNet).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from vie_tf.config import ModelConfig
from vie_tf.keras import keras
from vie_tf.models.embedder import Embedder
from vie_tf.models.family import Make, assemble, num_outputs
from vie_tf.models.heads import FrameMean
from vie_tf.models.layers import BatchNormRelu, Conv, fold_time, unfold_time
from vie_tf.models.resnet import PROBED_LAYERS, max_pool, pool_space


@dataclasses.dataclass(frozen=True)
class PlainConv:
    """A convolution of a plain network.

    Attributes:
        width: Output channels, as a multiple of those of the first layer.
        kernel: Height and width of the kernel.
        stride: Stride in space.
        groups: Parts of the channels that are convolved apart from each other.
    """

    width: float
    kernel: int = 3
    stride: int = 1
    groups: int = 1


@dataclasses.dataclass(frozen=True)
class PlainNetwork:
    """A row of `PLAIN_NETWORKS`.

    Attributes:
        groups: The convolutions of conv1 .. conv5.
        pools: After which of the groups 1 .. 5 positions are halved by a maximum.
        first_filters: Channels of conv1 where `num_filters` is its default of 64.
        kernel_frames: Frames that a kernel covers.
        pool: Maximum over neighboring positions; takes features and the number of the
            group that they come from.
    """

    groups: tuple[tuple[PlainConv, ...], ...]
    pools: tuple[int, ...]
    first_filters: int
    kernel_frames: int
    pool: Callable[[tf.Tensor, int], tf.Tensor]


def _pool_clips(features: tf.Tensor, group: int) -> tf.Tensor:
    """Maximum over 2 x 2 positions and, but after conv1, two frames."""
    num_frames = 1 if group == 1 else 2
    return tf.nn.max_pool3d(
        features, [num_frames, 2, 2], [num_frames, 2, 2], padding="SAME"
    )


def _pool_frames(features: tf.Tensor, group: int) -> tf.Tensor:
    """Maximum over 3 x 3 positions, every second one."""
    del group
    return max_pool(features, 1, 1)


PLAIN_NETWORKS = {
    "c3d": PlainNetwork(
        groups=(
            (PlainConv(1),),
            (PlainConv(2),),
            (PlainConv(4), PlainConv(4)),
            (PlainConv(8), PlainConv(8)),
            (PlainConv(8), PlainConv(8)),
        ),
        pools=(1, 2, 3, 4),
        first_filters=64,
        kernel_frames=3,
        pool=_pool_clips,
    ),
    # 96, 256, 384, 384 and 256 channels.
    "alexnet": PlainNetwork(
        groups=(
            (PlainConv(1, kernel=11, stride=4),),
            (PlainConv(8 / 3, kernel=5, groups=2),),
            (PlainConv(4),),
            (PlainConv(4, groups=2),),
            (PlainConv(8 / 3, groups=2),),
        ),
        pools=(1, 2),
        first_filters=96,
        kernel_frames=1,
        pool=_pool_frames,
    ),
}


class GroupedConv(keras.layers.Layer):
    """Convolutions side by side, each of a part of the channels.

    TensorFlow's own grouped convolution has no gradient on CPUs.

    Args:
        filters: Number of output channels of all parts together.
        kernel_size: As for `Conv`.
        strides: As for `Conv`.
        groups: Number of parts, which divides the channels.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: tuple[int, int, int],
        strides: tuple[int, int, int],
        groups: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.parts = [
            Conv(filters // groups, kernel_size, strides) for _ in range(groups)
        ]

    def call(self, features: tf.Tensor) -> tf.Tensor:
        """Convolves [B, T, H, W, C] or [B*T, H, W, C]; rank and dtype are kept."""
        channels = tf.split(features, len(self.parts), axis=-1)
        outputs = [part(one) for part, one in zip(self.parts, channels)]
        return outputs[0] if len(outputs) == 1 else tf.concat(outputs, axis=-1)


class PlainBackbone(keras.layers.Layer):
    """Convolution, batch norm and ReLU, again and again; then the mean over positions.

    Args:
        network: A row of `PLAIN_NETWORKS`.
        num_filters: 64 for the widths of the papers; fewer make a narrower network.
        stacks_frames: Whether a network of frames is given all frames of a clip side
            by side, as channels, and not each by itself.
    """

    def __init__(
        self,
        network: PlainNetwork,
        num_filters: int = 64,
        stacks_frames: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.network, self.stacks_frames = network, stacks_frames
        first = network.first_filters * num_filters / 64
        convs = [conv for group in network.groups for conv in group]
        self.convs = [_make_conv(conv, first, network.kernel_frames) for conv in convs]
        self.norms = [BatchNormRelu() for _ in convs]

    def call(
        self, clips: tf.Tensor, training: bool = False
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Computes the activations and the pooled features of clips.

        Args:
            clips: [B, T, H, W, C], normalized, in the compute dtype.
            training: Whether batch norm uses the statistics of this batch.

        Returns:
            Activations [B, T', h, w, F] by name: the last of each group, after batch
            norm and ReLU and before a maximum is taken.  And features in float32:
            [B, T, F] of networks of single frames, else [B, 1, F].
        """
        joins_frames = self.network.kernel_frames > 1
        num_frames, features = clips.shape[1], clips
        if self.stacks_frames:
            features = tf.concat(tf.unstack(clips, num_frames, axis=1), axis=-1)
            num_frames = 1
        elif not joins_frames:
            features = fold_time(clips)  # [B*T, H, W, C]
        layers = iter(zip(self.convs, self.norms))
        activations = {}
        names = zip(self.network.groups, PROBED_LAYERS.values())
        for number, (group, name) in enumerate(names, start=1):
            for _ in group:
                convolve, normalize = next(layers)
                features = normalize(convolve(features), training=training)
            activations[name] = features
            if number in self.network.pools:
                features = self.network.pool(features, number)
        if joins_frames:
            pooled = pool_space(features)  # [B, T', F]
            return activations, tf.reduce_mean(pooled, axis=1, keepdims=True)
        activations = {
            name: unfold_time(value, num_frames) for name, value in activations.items()
        }
        return activations, pool_space(activations[PROBED_LAYERS["conv5"]])


def _make_conv(conv: PlainConv, first: float, kernel_frames: int) -> GroupedConv:
    """Makes a convolution; `first` is the number of channels of conv1.

    Channels are even, as the next convolution may have two groups of them.
    """
    return GroupedConv(
        2 * max(round(first * conv.width / 2), 1),
        (kernel_frames, conv.kernel, conv.kernel),
        (1, conv.stride, conv.stride),
        conv.groups,
    )


def make_plain(name: str, stacks_frames: bool = False) -> Make:
    """Returns the function that makes networks of a row of `PLAIN_NETWORKS`.

    Args:
        name: The row.
        stacks_frames: As for `PlainBackbone`.
    """
    network = PLAIN_NETWORKS[name]

    def make(family: str, config: ModelConfig) -> Embedder:
        backbone = PlainBackbone(network, config.num_filters, stacks_frames)
        # That of single frames averages them, as Input-Single does.
        head = FrameMean(num_outputs(config), of_unit_vectors=not config.num_classes)
        return assemble(backbone, head, family, config)

    return make
