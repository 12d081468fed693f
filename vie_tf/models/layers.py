"""Layers that all networks share: convolution and batch norm.

They map feature maps [B, T, H, W, C] (3-D networks) or [B*T, H, W, C] (2-D networks)
to feature maps of the same rank.

The rank of the input decides the rank of the kernel, so both kinds of network use the
same blocks: with `kernel_size=(1, 3, 3)` a convolution has a kernel [3, 3, in, out] in
a 2-D network and [1, 3, 3, in, out] in a 3-D one, as in the authors' checkpoints.
Layers are assigned in the order in which the TF1 code created them, on which
`tf1_names` relies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from vie_tf.keras import keras

# Values of the authors' TF1 code.
BN_MOMENTUM = 0.997
BN_EPSILON = 1e-5
# Unless the number of channels is a multiple of this, oneDNN normalizes 16-bit numbers
# one at a time, in eight times the time of casting to float32 and back (measured on the
# fast pathway's 8 channels with AVX-512).
BN_VECTOR_CHANNELS = 16


def sizes_of(features: tf.Tensor) -> list[Any]:
    """Returns the size of each axis: an int if it is static, else a scalar tensor."""
    dynamic = tf.shape(features)
    return [
        dynamic[axis] if size is None else size
        for axis, size in enumerate(features.shape)
    ]


def fold_time(features: tf.Tensor) -> tf.Tensor:
    """Folds time into the batch axis, so that 2-D kernels apply.

    Args:
        features: [B, T, H, W, C], any dtype.

    Returns:
        [B*T, H, W, C]; the frames of a clip are adjacent.
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

    Average pooling with windows of size one is exact and takes an eighth of the CPU
    time of a strided slice and its gradient.
    """
    if len(strides) == 2:
        return tf.nn.avg_pool2d(features, 1, strides, "VALID")
    frames = _every_nth(fold_time(features), strides[1:])
    kept = unfold_time(frames, features.shape[1])  # [B, T, h, w, C]
    if strides[0] == 1:
        return kept
    return over_time(kept, lambda lines: _every_nth(lines, (strides[0], 1)))


def _is_wrong_in_bfloat16(features: tf.Tensor, kernel: tf.Tensor) -> bool:
    """Returns whether TensorFlow's gradient of a 3-D kernel has to be avoided.

    On CPUs with AVX512_BF16 it is wrong, NaN or corrupts the heap where a clip has
    fewer frames than the kernel, but more than one (TensorFlow 2.15.1 and 2.21.0).
    Padding the clip by an operation of its own avoids the case.
    """
    num_frames = features.shape[1]
    is_shorter = num_frames is None or 1 < num_frames < kernel.shape[0]
    return features.dtype == tf.bfloat16 and is_shorter


def _without_padding_taps(kernel: tf.Tensor, num_frames: int | None) -> tf.Tensor:
    """Drops the frames of a kernel that would see padding alone.

    Args:
        kernel: [K, h, w, C, F], any dtype.
        num_frames: T; None if it is not known.

    Returns:
        [min(K, 2 * T - 1), h, w, C, F]; the center stays the center.
    """
    if num_frames is None:
        return kernel
    excess = max(kernel.shape[0] - (2 * num_frames - 1), 0) // 2
    return kernel[excess : kernel.shape[0] - excess]


class Conv(keras.layers.Layer):
    """Convolution without bias and with symmetric padding.

    TensorFlow's SAME padding depends on the input size when a stride is used.  The
    authors pad (k - 1) / 2 on each side instead, which keeps features aligned.

    In a 3-D network, a kernel of one frame runs as a 2-D convolution of B*T frames.  A
    strided 1x1x1 kernel runs without a stride on the positions that the stride keeps.

    Args:
        filters: Number of output channels.
        kernel_size: (frames, height, width), odd; 2-D networks ignore the first.
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
            initializer=keras.initializers.VarianceScaling(
                scale=1.0, mode="fan_in", distribution="truncated_normal"
            ),
        )
        super().build(input_shape)

    def call(self, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Convolves [B, T, H, W, C] or [B*T, H, W, C]; rank and dtype are kept.

        Args:
            features: Input.
            training: Whether a gradient will be taken, which Keras passes on from the
                layer around this one.  The result changes by rounding alone.
        """
        strides = self.strides[-(features.shape.rank - 2) :]
        if self.kernel_size == (1, 1, 1) and max(strides) > 1:
            # With strides, gradients of oneDNN write past their memory on AVX-512
            # (8 channels, 56 x 56 positions; TensorFlow 2.15).
            features = _every_nth(features, strides)
            strides = (1,) * len(strides)
        if features.shape.rank == 5 and self.kernel_size[0] == strides[0] == 1:
            kernel = tf.squeeze(self.kernel, 0)
            frames = fold_time(features)
            frames = self._convolve(frames, kernel, strides[1:], training)
            return unfold_time(frames, features.shape[1])  # [B, T, h, w, F]
        return self._convolve(features, self.kernel, strides, training)

    def _convolve(
        self,
        features: tf.Tensor,
        kernel: tf.Tensor,
        strides: Sequence[int],
        training: bool,
    ) -> tf.Tensor:
        """Convolves features with a kernel of the same rank."""
        num_dims = features.shape.rank - 2
        convolve = {2: tf.nn.conv2d, 3: tf.nn.conv3d}[num_dims]
        pads_time = num_dims == 3 and _is_wrong_in_bfloat16(features, kernel)
        if max(strides) == 1 and not pads_time:
            return convolve(features, kernel, [1] * (num_dims + 2), "SAME")
        if pads_time:
            kernel = _without_padding_taps(kernel, features.shape[1])
        # Padding is a separate operation: gradients of a convolution with explicit
        # paddings took a quarter longer on the CPU.
        margins = [[(size - 1) // 2] * 2 for size in kernel.shape[:num_dims]]
        if any(before for before, _ in margins):
            paddings = [[0, 0], *margins, [0, 0]]
            if not training:
                features = tf.pad(features, paddings)  # is fused with the convolution
            else:
                # Not `tf.pad`: TensorFlow tries to fuse its operation Pad with a
                # conv3d, fails if there are gradients, and then gives up all fusing.
                features = tf.raw_ops.PadV2(
                    input=features,
                    paddings=paddings,
                    constant_values=tf.zeros([], features.dtype),
                )
        return convolve(features, kernel, [1, *strides, 1], "VALID")


class BatchNormRelu(keras.layers.BatchNormalization):
    """Batch norm with the semantics of the authors' TF1 code, followed by ReLU.

    `num_values` is how many values a channel had in the last call; None if that was not
    known when the graph was made.

    The fused kernel only takes [B, H, W, C], so time is folded into the batch;
    normalization is over all frames and positions.  ReLU is applied before time is
    unfolded, so that TensorFlow can fuse both.  Like TF1's fused kernel, the moving
    average takes the unbiased variance.  Each replica has statistics of its own unless
    `synchronize` is called; `trainable = False` freezes them with gamma and beta.
    """

    _fits_vectors = True  # before `build`
    num_values: int | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            axis=-1, momentum=BN_MOMENTUM, epsilon=BN_EPSILON, fused=True, **kwargs
        )

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates gamma, beta and the moving statistics of the last axis."""
        super().build(tf.TensorShape([None, None, None, input_shape[-1]]))
        self.input_spec = None  # which would require rank 4
        self._fits_vectors = input_shape[-1] % BN_VECTOR_CHANNELS == 0

    def synchronize(self) -> None:
        """Computes statistics over all replicas; must precede `build`.

        The fused kernel is limited to one replica, so this is slower, and the moving
        average takes the biased variance.
        """
        self.fused, self.synchronized = False, True

    @property
    def compute_dtype(self) -> str:
        """Dtype that Keras casts the features to before normalization."""
        return super().compute_dtype if self._fits_vectors else "float32"

    def call(self, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Maps [B, T, H, W, C] or [B*T, H, W, C]; shape and dtype are kept."""
        is_folded = features.shape.rank == 4
        self.num_values = features.shape[:-1].num_elements()
        frames = features if is_folded else fold_time(features)
        frames = tf.nn.relu(super().call(frames, training=training))
        frames = tf.cast(frames, features.dtype)
        return frames if is_folded else unfold_time(frames, features.shape[1])
