"""The networks as functional models of Keras layers, as one writes them from the paper.

Comes in: the name of a family.  Goes out: a model from clips [B, T, H, W, 3] uint8 to
embeddings [B, D].  Convolutions are `Conv2D` on frames and `Conv3D` on clips, whatever
the size of their kernels; the parameters are those of `vie_tf.models`, and so is the
function (tests/test_benchmarks.py).

Layers are made in the order of the authors' code, so that their numbers say which
layer of `vie_tf.models` is meant.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.peers.measurement import (
    BN_EPSILON,
    BN_MOMENTUM,
    CHANNEL_MEAN,
    CHANNEL_STD,
    DIM,
)
from vie_tf.keras import keras

layers = keras.layers

Triple = tuple[int, int, int]  # frames, height, width; 2-D layers drop the first

# Frames seen by both convolutions of a block, for each stage.
FRAMES = ((1, 1),) * 4
DENSE = ((3, 3),) * 4
SLOW = ((1, 1), (1, 1), (3, 1), (3, 1))
FAST = ((3, 1),) * 4
NUM_BLOCKS = 2  # of a stage of ResNet-18


def conv(
    features: tf.Tensor, filters: int, kernel: Triple, strides: Triple = (1, 1, 1)
) -> tf.Tensor:
    """Convolves without bias; padding is the same on both sides."""
    num_axes = features.shape.rank - 2
    size, strides = kernel[-num_axes:], strides[-num_axes:]
    margins = tuple((length - 1) // 2 for length in size)
    padding = "same"
    if max(strides) > 1:
        padding = "valid"
        if any(margins):
            pad = {2: layers.ZeroPadding2D, 3: layers.ZeroPadding3D}[num_axes]
            features = pad(margins)(features)
    layer = {2: layers.Conv2D, 3: layers.Conv3D}[num_axes]
    start = keras.initializers.VarianceScaling(1.0, "fan_in", "truncated_normal")
    return layer(
        filters, size, strides, padding, use_bias=False, kernel_initializer=start
    )(features)


def norm_relu(features: tf.Tensor) -> tf.Tensor:
    """Batch norm and ReLU."""
    normalized = layers.BatchNormalization(momentum=BN_MOMENTUM, epsilon=BN_EPSILON)
    return layers.ReLU()(normalized(features))


def max_pool(features: tf.Tensor, frames: int, time_stride: int) -> tf.Tensor:
    """Maximum over `frames` x 3 x 3, stride 2 in space."""
    if features.shape.rank == 4:
        return layers.MaxPool2D(3, 2, "same")(features)
    size, strides = (frames, 3, 3), (time_stride, 2, 2)
    return layers.MaxPool3D(size, strides, "same")(features)


def stage(
    features: tf.Tensor,
    filters: int,
    frames: tuple[int, int],
    strides: Triple,
) -> tf.Tensor:
    """Two pre-activation blocks; the first one projects its shortcut and strides."""
    for block in range(NUM_BLOCKS):
        activated = norm_relu(features)
        first = strides if block == 0 else (1, 1, 1)
        if block == 0:
            features = conv(activated, filters, (1, 1, 1), first)
        residual = conv(activated, filters, (frames[0], 3, 3), first)
        residual = conv(norm_relu(residual), filters, (frames[1], 3, 3))
        features = layers.Add()([residual, features])
    return features


def strides_of(number: int, time_stride: int = 1) -> Triple:
    """Strides of stage 0, 1, 2 or 3."""
    return (1, 1, 1) if number == 0 else (time_stride, 2, 2)


def mean(features: tf.Tensor) -> tf.Tensor:
    """Mean over positions and frames in float32, [B, C]."""
    if features.shape.rank == 4:
        return layers.GlobalAveragePooling2D(dtype="float32")(features)
    return layers.GlobalAveragePooling3D(dtype="float32")(features)


def frame_network(images: tf.Tensor) -> tf.Tensor:
    """ResNet-18 of images: [B, H, W, 3] to [B, 512]."""
    features = max_pool(conv(images, 64, (1, 7, 7), (1, 2, 2)), 1, 1)
    for number, frames in enumerate(FRAMES):
        features = stage(features, 64 * 2**number, frames, strides_of(number))
    return mean(norm_relu(features))


def single(clips: tf.Tensor) -> tf.Tensor:
    """One frame: [B, 1, H, W, 3] to [B, 512]."""
    return frame_network(layers.Reshape(clips.shape[2:])(clips))


def trn(clips: tf.Tensor) -> tf.Tensor:
    """Frames one by one, then next to each other: [B, T, H, W, 3] to [B, T * 512]."""
    images = keras.Input(clips.shape[2:])
    of_images = keras.Model(images, frame_network(images))
    return layers.Flatten(dtype="float32")(layers.TimeDistributed(of_images)(clips))


def dense_3dresnet(clips: tf.Tensor) -> tf.Tensor:
    """Kernels of three frames, which are halved in every stage but the first."""
    features = max_pool(conv(clips, 64, (7, 7, 7), (1, 2, 2)), 3, 2)
    for number, frames in enumerate(DENSE):
        features = stage(features, 64 * 2**number, frames, strides_of(number, 2))
    return mean(norm_relu(features))


def slow(clips: tf.Tensor) -> tf.Tensor:
    """Frames alone in the first two stages, three together in the last two."""
    features = max_pool(conv(clips, 64, (1, 7, 7), (1, 2, 2)), 1, 1)
    for number, frames in enumerate(SLOW):
        features = stage(features, 64 * 2**number, frames, strides_of(number))
    return mean(norm_relu(features))


def slowfast(clips: tf.Tensor) -> tf.Tensor:
    """Slow, with what a narrow network saw in four times as many frames appended."""
    features = max_pool(conv(clips, 8, (5, 7, 7), (1, 2, 2)), 1, 1)
    sums = [features]
    for number, frames in enumerate(FAST):
        features = stage(features, 8 * 2**number, frames, strides_of(number))
        sums.append(features)
    fast = mean(norm_relu(features))

    def with_lateral(features: tf.Tensor, fast_sum: tf.Tensor) -> tf.Tensor:
        lateral = conv(fast_sum, 2 * fast_sum.shape[-1], (5, 1, 1), (4, 1, 1))
        return layers.Concatenate()([features, lateral])

    features = max_pool(conv(clips[:, ::4], 64, (1, 7, 7), (1, 2, 2)), 1, 1)
    features = with_lateral(features, sums[0])
    for number, frames in enumerate(SLOW):
        features = stage(features, 64 * 2**number, frames, strides_of(number))
        features = with_lateral(features, sums[number + 1])
    return layers.Concatenate(dtype="float32")([mean(norm_relu(features)), fast])


NETWORKS = {
    "single": single,
    "trn": trn,
    "slow": slow,
    "slowfast": slowfast,
    "3dresnet": dense_3dresnet,
}


def build(name: str, num_frames: int, crop_size: int) -> keras.Model:
    """Makes a model with fresh variables, under the global policy of Keras.

    Args:
      name: a key of `NETWORKS`.
      num_frames: T.
      crop_size: pixels, H and W.

    Returns:
      A model from [B, T, H, W, 3] uint8 to embeddings [B, D] float32 of norm 1.

    Raises:
      ValueError: there is no such network.
    """
    if name not in NETWORKS:
        raise ValueError(f"the Keras peer has {', '.join(NETWORKS)}, not {name}")
    clips = keras.Input([num_frames, crop_size, crop_size, 3], dtype=tf.uint8)
    mean_of_channels, std = np.array(CHANNEL_MEAN), np.array(CHANNEL_STD)
    normalize = layers.Rescaling(
        1 / (255 * std), -mean_of_channels / std, dtype="float32"
    )
    pooled = NETWORKS[name](normalize(clips))
    raw = layers.Dense(DIM, dtype="float32")(pooled)
    embeddings = layers.UnitNormalization(dtype="float32")(raw)
    return keras.Model(clips, embeddings)
