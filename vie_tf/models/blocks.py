"""Layers that every network is made of: convolution, batch norm, residual blocks.

Comes in: feature maps [B, T, H, W, C] (3-D networks) or [B*T, H, W, C] (2-D
networks).  Goes out: feature maps of the same rank.  The step before is
`clip_input`, the step after are the networks in `resnet` and `slowfast`.

The rank of the input decides the rank of a kernel, so both kinds of network use
the same blocks: a convolution that is given `kernel_size=(1, 3, 3)` keeps a
kernel [3, 3, in, out] in a 2-D network and [1, 3, 3, in, out] in a 3-D one, as
in the authors' checkpoints.  Layers are assigned in the order in which the TF1
code created them, because `tf1_names` counts on that order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

# design.md, section 4, and the authors' TF1 code.
BN_MOMENTUM = 0.997
BN_EPSILON = 1e-5
# Of another number of channels, oneDNN normalizes 16-bit numbers one by one, in eight
# times the time that float32 and both casts take (the fast pathway's 8, on AVX-512).
BN_VECTOR_CHANNELS = 16


def sizes_of(features: tf.Tensor) -> list[Any]:
    """Size of every axis: a number where the graph knows it, else a scalar tensor."""
    dynamic = tf.shape(features)
    return [
        dynamic[axis] if size is None else size
        for axis, size in enumerate(features.shape)
    ]


def fold_time(features: tf.Tensor) -> tf.Tensor:
    """Makes time part of the batch, so that 2-D kernels can be used.

    Args:
        features: [B, T, H, W, C], any dtype.

    Returns:
        [B*T, H, W, C], the frames of one clip next to each other.
    """
    return tf.reshape(features, [-1, *sizes_of(features)[2:]])


def unfold_time(features: tf.Tensor, num_frames: int) -> tf.Tensor:
    """Undoes `fold_time`.

    Args:
        features: [B*T, H, W, C], any dtype.
        num_frames: T.

    Returns:
        [B, T, H, W, C].
    """
    return tf.reshape(features, [-1, num_frames, *sizes_of(features)[1:]])


def over_time(
    features: tf.Tensor, function: Callable[[tf.Tensor], tf.Tensor]
) -> tf.Tensor:
    """Applies an operation on images to the time axis of clips.

    Args:
        features: [B, T, H, W, C], any dtype.
        function: Maps [B, T, H*W, C] to [B, t, H*W, C].

    Returns:
        [B, t, H, W, C].
    """
    _, num_frames, height, width, channels = sizes_of(features)
    lines = tf.reshape(features, [-1, num_frames, height * width, channels])
    lines = function(lines)
    return tf.reshape(lines, [-1, lines.shape[1], height, width, channels])


def _every_nth(features: tf.Tensor, strides: Sequence[int]) -> tf.Tensor:
    """Keeps every n-th position of each axis between batch and channels.

    As means of single numbers, which are exact and take an eighth of the time of a
    slice and its gradient on the CPU.
    """
    if len(strides) == 2:
        return tf.nn.avg_pool2d(features, 1, strides, "VALID")
    frames = _every_nth(fold_time(features), strides[1:])
    kept = unfold_time(frames, features.shape[1])  # [B, T, h, w, C]
    if strides[0] == 1:
        return kept
    return over_time(kept, lambda lines: _every_nth(lines, (strides[0], 1)))


class Conv(tf.keras.layers.Layer):
    """Convolution without bias that pads the same on both sides when it strides.

    TensorFlow's SAME depends on the input size when a stride is used; the authors
    pad by hand with (k - 1) / 2 instead, so that features stay aligned.

    In a 3-D network a kernel of one frame sees no other frame, so it runs as a 2-D
    convolution of B*T frames.  A kernel of one position does not stride: the
    positions that it would skip are taken away before.

    Args:
        filters: Number of output channels.
        kernel_size: (frames, height, width), odd numbers; the first is ignored by
            2-D networks.
        strides: (frames, height, width).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Sequence[int],
        strides: Sequence[int] = (1, 1, 1),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = tuple(kernel_size)
        self.strides = tuple(strides)

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates the kernel: rank 4 for rank-4 inputs, rank 5 for rank-5 inputs."""
        num_dims = len(input_shape) - 2
        self.kernel = self.add_weight(
            name="kernel",
            shape=[*self.kernel_size[-num_dims:], input_shape[-1], self.filters],
            initializer=tf.keras.initializers.VarianceScaling(
                scale=1.0, mode="fan_in", distribution="truncated_normal"
            ),
        )
        super().build(input_shape)

    def call(self, features: tf.Tensor) -> tf.Tensor:
        """Convolves [B, T, H, W, C] or [B*T, H, W, C]; rank and dtype are kept."""
        strides = self.strides[-(features.shape.rank - 2) :]
        if self.kernel_size == (1, 1, 1) and max(strides) > 1:
            # With strides, gradients of oneDNN write past their memory on AVX-512
            # (8 channels, 56 x 56 positions; TensorFlow 2.15).
            features = _every_nth(features, strides)
            strides = (1,) * len(strides)
        if features.shape.rank == 5 and self.kernel_size[0] == strides[0] == 1:
            kernel = tf.squeeze(self.kernel, 0)
            frames = fold_time(features)
            frames = self._convolve(frames, kernel, strides[1:])  # [B*T, h, w, F]
            return unfold_time(frames, features.shape[1])
        return self._convolve(features, self.kernel, strides)

    def _convolve(
        self, features: tf.Tensor, kernel: tf.Tensor, strides: Sequence[int]
    ) -> tf.Tensor:
        """Convolves features with a kernel of the same rank."""
        num_dims = features.shape.rank - 2
        convolve = {2: tf.nn.conv2d, 3: tf.nn.conv3d}[num_dims]
        if max(strides) == 1:
            return convolve(features, kernel, [1] * (num_dims + 2), "SAME")
        # Padded by an operation of its own: with the paddings as an attribute of the
        # convolution, its gradients took a quarter longer on the CPU.
        margins = [[(size - 1) // 2] * 2 for size in self.kernel_size[-num_dims:]]
        if any(before for before, _ in margins):
            # As `tf.pad`, but not its operation Pad: TensorFlow tries to make one of it
            # and a conv3d, fails where there are gradients, and gives up all fusing.
            features = tf.raw_ops.PadV2(
                input=features,
                paddings=[[0, 0], *margins, [0, 0]],
                constant_values=tf.zeros([], features.dtype),
            )
        return convolve(features, kernel, [1, *strides, 1], "VALID")


class BatchNormRelu(tf.keras.layers.BatchNormalization):
    """Batch norm as the authors' TF1 code ran it, on any rank, and ReLU.

    The fused kernel takes [B, H, W, C] only, so clips are folded; normalization
    goes over all frames and positions in either case.  The ReLU follows before they
    are unfolded, so that TensorFlow can make one kernel of both.  Like TF1's fused
    kernel it puts the unbiased variance into the moving average.  Statistics belong
    to one replica, unless `synchronize` is called; set `trainable = False` to freeze
    them together with gamma and beta.
    """

    _fits_vectors = True  # until it is built

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            axis=-1, momentum=BN_MOMENTUM, epsilon=BN_EPSILON, fused=True, **kwargs
        )

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates gamma, beta and the moving statistics of the last axis."""
        super().build(tf.TensorShape([None, None, None, input_shape[-1]]))
        self.input_spec = None  # it would ask callers for rank 4
        self._fits_vectors = input_shape[-1] % BN_VECTOR_CHANNELS == 0

    def synchronize(self) -> None:
        """Takes statistics over all replicas; call before the layer is built.

        The fused kernel knows one replica only, so this is slower, and the biased
        variance goes into the moving average.
        """
        self.fused, self.synchronized = False, True

    @property
    def compute_dtype(self) -> str:
        """What Keras casts the features to before it normalizes them."""
        return super().compute_dtype if self._fits_vectors else "float32"

    def call(self, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Maps [B, T, H, W, C] or [B*T, H, W, C]; shape and dtype are kept."""
        is_folded = features.shape.rank == 4
        frames = features if is_folded else fold_time(features)
        frames = tf.nn.relu(super().call(frames, training=training))
        frames = tf.cast(frames, features.dtype)
        return frames if is_folded else unfold_time(frames, features.shape[1])


class BasicBlock(tf.keras.layers.Layer):
    """Pre-activation block of two convolutions (ResNet-18 and 34).

    Source: He et al. 2016 (v2); with temporal kernels, paper section 3.

    Args:
        filters: Number of output channels.
        time_kernels: Frames seen by the first and by the second convolution.
        strides: (frames, height, width) of the first convolution.
        project: Whether the shortcut has a convolution of its own (in the first
            block of every stage).
    """

    expansion = 1

    def __init__(
        self,
        filters: int,
        time_kernels: Sequence[int] = (1, 1),
        strides: Sequence[int] = (1, 1, 1),
        project: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.norm1 = BatchNormRelu()
        self.projection: Conv | None = None
        if project:
            self.projection = Conv(filters, (1, 1, 1), strides)
        self.conv1 = Conv(filters, (time_kernels[0], 3, 3), strides)
        self.norm2 = BatchNormRelu()
        self.conv2 = Conv(filters, (time_kernels[1], 3, 3))

    def call(
        self, features: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Adds a residual to `features`.

        Args:
            features: [..., H, W, C], sum of the blocks before.
            training: Whether batch norm uses the statistics of this batch.

        Returns:
            The new sum [..., h, w, F], and the activated input [..., H, W, C] that
            the convolutions of this block saw (the read-outs' features).
        """
        activated = self.norm1(features, training=training)
        shortcut = self.projection(activated) if self.projection else features
        residual = self.conv1(activated)
        residual = self.norm2(residual, training=training)
        residual = self.conv2(residual)
        return residual + shortcut, activated


class BottleneckBlock(tf.keras.layers.Layer):
    """Pre-activation block that works on a quarter of the channels (ResNet-50, 101).

    Source: He et al. 2016 (v2); the place of the temporal kernels is that of
    Feichtenhofer et al. 2018 (first convolution) or Hara et al. 2018 (second).

    Args:
        filters: Number of channels inside; the output has four times as many.
        time_kernels: Frames seen by the first and by the second convolution.
        strides: (frames, height, width) of the second convolution.
        project: Whether the shortcut has a convolution of its own.
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
        super().__init__(**kwargs)
        self.norm1 = BatchNormRelu()
        self.projection: Conv | None = None
        if project:
            self.projection = Conv(self.expansion * filters, (1, 1, 1), strides)
        self.conv1 = Conv(filters, (time_kernels[0], 1, 1))
        self.norm2 = BatchNormRelu()
        self.conv2 = Conv(filters, (time_kernels[1], 3, 3), strides)
        self.norm3 = BatchNormRelu()
        self.conv3 = Conv(self.expansion * filters, (1, 1, 1))

    def call(
        self, features: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Adds a residual to `features`; see `BasicBlock.call`."""
        activated = self.norm1(features, training=training)
        shortcut = self.projection(activated) if self.projection else features
        residual = self.conv1(activated)
        residual = self.norm2(residual, training=training)
        residual = self.conv2(residual)
        residual = self.norm3(residual, training=training)
        residual = self.conv3(residual)
        return residual + shortcut, activated
