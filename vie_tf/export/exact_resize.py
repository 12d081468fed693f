"""Resize of bytes by TensorFlow's operations, equal to OpenCV's to the bit.

A graph that is exported cannot call OpenCV, and the input pipeline does: with this, a
network sees the same frames in both.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

# OpenCV's weights are whole numbers, of which these make one.
_ONE = 2048


class _Taps(NamedTuple):
    """The two source pixels of each target pixel, and their weights, [S] int32."""

    first: tf.Tensor
    second: tf.Tensor
    first_weight: tf.Tensor
    second_weight: tf.Tensor


def resize(frames: tf.Tensor, size: int) -> tf.Tensor:
    """Resizes frames as `cv2.resize` does with `INTER_LINEAR`.

    Args:
      frames: [N, H, W, C] uint8; H and W need not be static.
      size: S, height and width of the result in pixels.

    Returns:
      [N, S, S, C] uint8.
    """
    height, width = tf.shape(frames)[1], tf.shape(frames)[2]
    rows, columns = _taps(height, size), _taps(width, size, clips_weights=True)
    first_weight, second_weight = (
        weight[:, None] for weight in (columns.first_weight, columns.second_weight)
    )

    def widen(index: tf.Tensor) -> tf.Tensor:
        """Resizes some rows in width: [N, S, S, C] int32."""
        lines = tf.gather(frames, index, axis=1)
        left = tf.cast(tf.gather(lines, columns.first, axis=2), tf.int32)
        right = tf.cast(tf.gather(lines, columns.second, axis=2), tf.int32)
        return left * first_weight + right * second_weight

    above = _scaled(widen(rows.first), rows.first_weight)
    below = _scaled(widen(rows.second), rows.second_weight)
    resized = tf.cast((above + below + 2) // 4, tf.uint8)
    return tf.ensure_shape(resized, [None, size, size, frames.shape[-1]])


def _taps(source: tf.Tensor, target: int, clips_weights: bool = False) -> _Taps:
    """Finds the source pixels of a side.

    Args:
      source: pixels of the source, scalar int32.
      target: pixels of the result.
      clips_weights: whether a pixel at the edge has one source pixel, as in OpenCV's
        rows; in its columns the same one comes twice, which is rounded otherwise.
    """
    scale = 1.0 / (tf.cast(target, tf.float64) / tf.cast(source, tf.float64))
    place = (tf.range(target, dtype=tf.float64) + 0.5) * scale - 0.5
    place = tf.cast(place, tf.float32)
    first = tf.cast(tf.floor(place), tf.int32)
    fraction = place - tf.floor(place)
    if clips_weights:
        is_outside = (first < 0) | (first >= source - 1)
        fraction = tf.where(is_outside, 0.0, fraction)
    return _Taps(
        tf.clip_by_value(first, 0, source - 1),
        tf.clip_by_value(first + 1, 0, source - 1),
        tf.cast(tf.round((1.0 - fraction) * _ONE), tf.int32),
        tf.cast(tf.round(fraction * _ONE), tf.int32),
    )


def _scaled(lines: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Weighs rows [N, S, S, C] of `widen`; keeps two bits below one, as OpenCV does."""
    return (lines // 16) * weights[:, None, None] // 65536
