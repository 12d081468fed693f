"""Linear probes: activations of a layer in, logits out.

Section 4 of the paper: features are averaged over time, so that networks of several
frames have no more weights to learn than those of one, but not over space.

Letters: B clips, T' frames that the network has left, F features, C classes.
"""

from __future__ import annotations

from typing import Mapping

import tensorflow as tf

# Layers of more features are pooled, as in the authors' code.
MAX_FEATURES = 200_000


def time_average(activations: tf.Tensor) -> tf.Tensor:
    """Averages the activations of a layer over time.

    Args:
      activations: [B, T', h, w, c], any floating dtype.

    Returns:
      [B, h, w, c] float32.
    """
    return tf.reduce_mean(tf.cast(activations, tf.float32), axis=1)


def layer_features(*streams: tf.Tensor, over_space: bool = False) -> tf.Tensor:
    """Computes the features that a probe is given.

    Args:
      *streams: activations of the layer, [B, T', h, w, c], any floating dtype, all but
        B known; two for two-stream networks.
      over_space: whether they are averaged over all positions.

    Returns:
      [B, F] float32: each stream averaged over time, and over 2 x 2 positions where it
      alone would have more than `MAX_FEATURES`; streams side by side.
    """
    features = []
    for stream in streams:
        means = time_average(stream)
        if over_space:
            means = tf.reduce_mean(means, axis=[1, 2], keepdims=True)
        size = 2 if _num_features(means) > MAX_FEATURES else 1
        features.append(_pooled(means, size))
    return tf.concat(features, axis=1)


def few_features(activations: tf.Tensor, limit: int) -> tf.Tensor:
    """Features pooled as little as a limit of their number allows.

    Args:
      activations: [B, T', h, w, c], any floating dtype; all but B known.
      limit: of F; where a layer has more channels, F is their number.

    Returns:
      [B, F] float32.
    """
    means = time_average(activations)
    _, height, width, channels = means.shape
    size = 1
    while size < max(height, width):
        if -(-height // size) * -(-width // size) * channels <= limit:
            break
        size += 1
    return _pooled(means, size)


def _pooled(means: tf.Tensor, size: int) -> tf.Tensor:
    if size > 1:
        means = tf.nn.avg_pool2d(means, size, size, "SAME")
    return tf.reshape(means, [-1, _num_features(means)])


def _num_features(means: tf.Tensor) -> int:
    _, height, width, channels = means.shape
    return height * width * channels


class LinearProbes(tf.Module):
    """One linear layer for each layer of the network.

    The weights start at 0: the loss is convex, so that nothing has to be drawn.

    Args:
      num_features: F of each layer, by its name.
      num_classes: C.

    Attributes:
      kernels: by layer, [F, C] float32.
      biases: by layer, [C] float32.
    """

    def __init__(self, num_features: Mapping[str, int], num_classes: int) -> None:
        super().__init__(name="linear_probes")
        self.layers = tuple(num_features)
        self.kernels = {
            layer: tf.Variable(tf.zeros([count, num_classes]), name=f"{layer}_kernel")
            for layer, count in num_features.items()
        }
        self.biases = {
            layer: tf.Variable(tf.zeros([num_classes]), name=f"{layer}_bias")
            for layer in num_features
        }

    def __call__(self, features: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Computes logits [B, C] by layer, from features [B, F] by layer."""
        return {
            layer: tf.matmul(features[layer], self.kernels[layer]) + self.biases[layer]
            for layer in self.layers
        }
