"""Differences of frames: what moves in a clip, without the scene that stands still.

Clips come in with two gray channels, of frame t and of a later frame; the difference of
the two goes out, signed and scaled for a network.  Gray levels are uint8 until they
reach the device, as colors are.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

# The scale of a clip is the level that this fraction of its absolute differences does
# not exceed.
SCALE_QUANTILE = 0.995
# Differences are as large as colors are after their normalization (100 of 255 levels
# over a standard deviation of 0.226), and the few above the quantile are cut.
_AMPLITUDE = 100 / 255 / 0.226
_LIMIT = 1.27
# The noise of cameras and JPEG moves gray levels by 2 to 5 at that quantile, motion by
# 30 to 100; clips without motion are not to be blown up to full contrast.
LEAST_SCALE = 8.0

_LEVELS = 256


def normalized_differences(pairs: tf.Tensor) -> tf.Tensor:
    """Subtracts gray frames, and scales the differences of each clip.

    A clip without any motion gives zeros.

    Args:
      pairs: [B, T, H, W, 2] uint8: gray of frame t, and of the later frame.

    Returns:
      [B, T, H, W, 1] float32 in -2.2 .. 2.2, 1.7 at the scale of the clip.
    """
    levels = tf.cast(pairs, tf.int32)
    differences = levels[..., 1:] - levels[..., :1]  # [B, T, H, W, 1]
    scale = _scale(tf.abs(differences))[:, None, None, None, None]
    scaled = tf.cast(differences, tf.float32) / scale
    return _AMPLITUDE * tf.clip_by_value(scaled, -_LIMIT, _LIMIT)


def _scale(magnitudes: tf.Tensor) -> tf.Tensor:
    """Returns the quantile of each clip, at least `LEAST_SCALE`: [B] float32.

    Magnitudes are whole numbers, so a histogram finds it without sorting.
    """
    num_values = tf.reduce_prod(tf.shape(magnitudes)[1:])
    flat = tf.reshape(magnitudes, [-1, num_values])
    counts = tf.math.bincount(flat, minlength=_LEVELS, maxlength=_LEVELS, axis=-1)
    needed = tf.cast(SCALE_QUANTILE * tf.cast(num_values, tf.float32), tf.int32)
    below = tf.cast(tf.cumsum(counts, axis=-1) < needed, tf.float32)  # [B, 256]
    return tf.maximum(tf.reduce_sum(below, axis=-1), LEAST_SCALE)


def picture(clips: np.ndarray) -> np.ndarray:
    """Returns clips as pictures: their colors, or else their differences in gray.

    Args:
      clips: [B, T, H, W, C] uint8 of any `ClipRecipe.input`.

    Returns:
      [B, T, H, W, 3] uint8; a difference of zero is gray 128.
    """
    if clips.shape[-1] != 2:
        return clips[..., :3]
    differences = normalized_differences(tf.constant(clips)).numpy()
    gray = 128 + differences * (127 / (_AMPLITUDE * _LIMIT))
    return np.repeat(gray.astype(np.uint8), 3, axis=-1)
