"""Color jitter of section 4: one draw for all frames of a clip.

Brightness, contrast, saturation and hue in random order, then gray, or gray first.
`draw` makes the random choices, which two implementations carry out:

  exact  operation after operation, each clipped at black and white; contrast scales
         about the mean gray of each frame, hue rotates in HSV.  This is Pillow's
         ImageEnhance, which the authors' loader uses, in floating point.
  fast   the same operations as one affine map of the three channels, with hue rotated
         in YIQ and one clipping at the end (`affine`).

Here both are TensorFlow operations; `opencv_ops` has them on bytes, several times
faster.

Letters: T frames; clips are [T, H, W, 3] float32 in 0 .. 1.
"""

from __future__ import annotations

import math
from typing import Callable, NamedTuple

import numpy as np
import tensorflow as tf

IMPLEMENTATIONS = ("exact", "fast", "none")

BRIGHTNESS = CONTRAST = SATURATION = 0.4  # factors in 1 +- 0.4
HUE = 0.4  # turns
NUM_DRAWS = 9

LUMA = (0.299, 0.587, 0.114)  # ITU-R 601, as Pillow's conversion to gray

_GRAY_MATRIX = np.tile(np.array(LUMA, np.float32), [3, 1])  # rows: new channels
_TO_YIQ = np.array([LUMA, (0.596, -0.274, -0.322), (0.211, -0.523, 0.312)])

_GRAY_MAP = np.kron(np.eye(2, dtype=np.float32), _GRAY_MATRIX)


class ColorDraw(NamedTuple):
    """The random choices for one clip, scalar float32 unless it says otherwise.

    Attributes:
      brightness: factor of the brightness.
      contrast: factor of the contrast.
      saturation: factor of the saturation.
      hue: rotation of the hue in turns.
      is_gray: whether the clip becomes gray, scalar bool.
      order: order in which 0 brightness, 1 contrast, 2 saturation and 3 hue are
        applied, [4] int32.
      gray_first: whether it becomes gray before these and not after them, scalar bool.
    """

    brightness: tf.Tensor
    contrast: tf.Tensor
    saturation: tf.Tensor
    hue: tf.Tensor
    is_gray: tf.Tensor
    order: tf.Tensor
    gray_first: tf.Tensor | bool = False


def draw(
    draws: tf.Tensor, gray_probability: float = 0.3, gray_first: bool = False
) -> ColorDraw:
    """Makes the choices for one clip from uniform random numbers.

    Args:
      draws: [NUM_DRAWS] float32 in [0, 1).
      gray_probability: probability that the clip becomes gray.
      gray_first: whether it does so before the other operations.
    """
    return ColorDraw(
        brightness=1.0 + BRIGHTNESS * (2.0 * draws[0] - 1.0),
        contrast=1.0 + CONTRAST * (2.0 * draws[1] - 1.0),
        saturation=1.0 + SATURATION * (2.0 * draws[2] - 1.0),
        hue=HUE * (2.0 * draws[3] - 1.0),
        is_gray=draws[4] < gray_probability,
        order=tf.argsort(draws[5:]),
        gray_first=tf.constant(gray_first),
    )


def apply_exact(clip: tf.Tensor, color: ColorDraw) -> tf.Tensor:
    """Carries out a draw, one operation after the other."""
    operations: list[Callable[[tf.Tensor], tf.Tensor]] = [
        lambda x: adjust_brightness(x, color.brightness),
        lambda x: adjust_contrast(x, color.contrast),
        lambda x: adjust_saturation(x, color.saturation),
        lambda x: adjust_hue(x, color.hue),
    ]
    gray_before, gray_after = _gray_when(color)
    clip = tf.cond(gray_before, lambda: gray(clip), lambda: clip)
    for position in range(4):
        # Bound as defaults, since the branches are traced within this iteration.
        clip = tf.switch_case(
            color.order[position],
            [lambda op=op, clip=clip: op(clip) for op in operations],
        )
    return tf.cond(gray_after, lambda: gray(clip), lambda: clip)


def _gray_when(color: ColorDraw) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns whether a clip becomes gray before and after the other operations."""
    first = tf.convert_to_tensor(color.gray_first)
    return color.is_gray & first, color.is_gray & ~first


def apply_fast(clip: tf.Tensor, color: ColorDraw) -> tf.Tensor:
    """Carries out a draw as one affine map."""
    of_pixel, of_mean = affine(color)
    means = tf.reduce_mean(clip, axis=[1, 2])  # [T, 3]
    offsets = tf.matmul(means, of_mean, transpose_b=True)[:, None, None]
    return tf.clip_by_value(_mix_channels(clip, of_pixel) + offsets, 0.0, 1.0)


def affine(color: ColorDraw) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns a draw as an affine map: new pixel = A pixel + B mean pixel of the frame.

    The mean enters by contrast, which scales about it.  The mean after the earlier
    operations is known without looking at the pixels again, since they are linear.

    Returns:
      A and B, [3, 3] float32 each.
    """
    amounts = tf.stack(
        [
            *(color.brightness, color.contrast, 1.0 - color.contrast),
            *(color.saturation, 1.0 - color.saturation),
            *(
                1.0,
                tf.cos(2.0 * math.pi * color.hue),
                tf.sin(2.0 * math.pi * color.hue),
            ),
        ]
    )
    maps = tf.reshape(tf.linalg.matvec(tf.constant(_MAPS), amounts), [4, 6, 6])
    maps = tf.gather(maps, color.order)
    whole = maps[3] @ maps[2] @ maps[1] @ maps[0]
    gray_before, gray_after = _gray_when(color)
    gray_map, unchanged = tf.constant(_GRAY_MAP), tf.eye(6)
    whole = tf.where(gray_after, gray_map, unchanged) @ whole
    whole = whole @ tf.where(gray_before, gray_map, unchanged)
    return whole[:3, :3], whole[:3, 3:]


def _maps_of_operations() -> np.ndarray:
    """Returns the four operations as maps of a pixel and the mean pixel, stacked.

    Each is a [6, 6] matrix, a sum of fixed matrices times the amounts of `affine`.

    Returns:
      [4 * 36, 8] float32.
    """
    maps = np.zeros([4, 6, 6, 8])
    maps[0, ..., 0] = np.eye(6)
    # Contrast adds the gray of the mean to the pixel and to the mean.
    maps[1, ..., 1] = np.eye(6)
    maps[1, ..., 2] = np.kron([[0, 1], [0, 1]], _GRAY_MATRIX)
    maps[2, ..., 3] = np.eye(6)
    maps[2, ..., 4] = _GRAY_MAP
    # Hue rotates the color plane of YIQ: T^-1 (E + cos C + sin S) T.
    back = np.linalg.inv(_TO_YIQ)
    still, cosine, sine = np.zeros([3, 3, 3])
    still[0, 0] = cosine[1, 1] = cosine[2, 2] = sine[1, 2] = 1
    sine[2, 1] = -1
    for amount, part in ((5, still), (6, cosine), (7, sine)):
        maps[3, ..., amount] = np.kron(np.eye(2), back @ part @ _TO_YIQ)
    return maps.reshape(-1, 8).astype(np.float32)


_MAPS = _maps_of_operations()


def adjust_brightness(clip: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Blends a clip with black."""
    return tf.clip_by_value(clip * factor, 0.0, 1.0)


def adjust_contrast(clip: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Blends a clip with the mean gray of each frame."""
    means = tf.reduce_mean(clip, axis=[1, 2])  # [T, 3]
    pivot = tf.linalg.matvec(means, LUMA)[:, None, None, None]  # [T, 1, 1, 1]
    return tf.clip_by_value(clip * factor + pivot * (1.0 - factor), 0.0, 1.0)


def adjust_saturation(clip: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Blends a clip with its gray version."""
    matrix = factor * tf.eye(3) + (1.0 - factor) * tf.constant(_GRAY_MATRIX)
    return tf.clip_by_value(_mix_channels(clip, matrix), 0.0, 1.0)


def adjust_hue(clip: tf.Tensor, turns: tf.Tensor) -> tf.Tensor:
    """Rotates the hue by a fraction of a full turn."""
    return tf.image.adjust_hue(clip, turns)


def gray(clip: tf.Tensor) -> tf.Tensor:
    """Returns the gray version of a clip, in three equal channels."""
    return _mix_channels(clip, tf.constant(_GRAY_MATRIX))


def _mix_channels(clip: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """Multiplies every pixel by a [3, 3] matrix."""
    shape = tf.shape(clip)
    pixels = tf.matmul(tf.reshape(clip, [-1, 3]), matrix, transpose_b=True)
    return tf.ensure_shape(tf.reshape(pixels, shape), clip.shape)
