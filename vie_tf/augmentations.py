"""Augmentation of clips: one random draw for all frames of a clip.

Comes in: JPEG frames of one sampled clip.  Goes out: a clip [T, h, w, 3] uint8.
The step before is `vie_tf.clip_sampling`, the step after is batching.

The recipe of section 4: resize the shortest side to a random size between 256 and
320 pixels, cut a random 224 x 224 window, colour noise, horizontal flip.  For other
crop sizes the range keeps its proportion, 8/7 to 10/7 of the crop, which for 112
pixels gives the 128 to 160 of appendix B.

Instead of resizing and then cutting, the same window is cut from the source and then
resized: far fewer pixels are decoded and resized.

Colour values are those of Pillow's ImageEnhance, which the authors' loader uses, in
floating point: saturation blends with the gray image, contrast with the mean gray of
each frame (one factor for the clip, each frame about its own mean), hue turns in HSV.
"""

from __future__ import annotations

from typing import Callable

import tensorflow as tf

MIN_RESIZE = 8 / 7  # shortest side / crop size: 256 / 224 = 128 / 112
MAX_RESIZE = 10 / 7  # 320 / 224 = 160 / 112

BRIGHTNESS = CONTRAST = SATURATION = 0.4  # factors in 1 +- 0.4
HUE = 0.4  # turns
GRAY_PROBABILITY = 0.3
FLIP_PROBABILITY = 0.5

_LUMA = (0.299, 0.587, 0.114)  # ITU-R 601, as Pillow's conversion to gray


def random_window(height: tf.Tensor, width: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draws the square that becomes the crop.

    Args:
      height: of the frames, scalar int32.
      width: of the frames, scalar int32.
      seed: [2] integers.

    Returns:
      [4] int32: top, left, height and width in source pixels.
    """
    resize, top, left = tf.unstack(tf.random.stateless_uniform([3], seed))
    side = _window_side(height, width, MIN_RESIZE + resize * (MAX_RESIZE - MIN_RESIZE))

    def offset(fraction: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        room = size - side
        drawn = tf.cast(fraction * tf.cast(room + 1, tf.float32), tf.int32)
        return tf.minimum(drawn, room)

    return tf.stack([offset(top, height), offset(left, width), side, side])


def center_window(height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """The square of the test transform: shortest side 8/7 of the crop, its centre.

    Args:
      height: of the frames, scalar int32.
      width: of the frames, scalar int32.

    Returns:
      [4] int32: top, left, height and width in source pixels.
    """
    side = _window_side(height, width, tf.constant(MIN_RESIZE))
    return tf.stack([(height - side) // 2, (width - side) // 2, side, side])


def _window_side(height: tf.Tensor, width: tf.Tensor, resize: tf.Tensor) -> tf.Tensor:
    """Source pixels that the crop covers when the shortest side is resized."""
    shortest = tf.cast(tf.minimum(height, width), tf.float32)
    return tf.maximum(tf.cast(tf.round(shortest / resize), tf.int32), 1)


def decode_window(
    frames: tf.Tensor, window: tf.Tensor, crop_size: int, num_frames: int
) -> tf.Tensor:
    """Decodes one window of every frame and resizes it.

    Args:
      frames: [T] JPEG strings.
      window: [4] int32, as from `random_window`.
      crop_size: h = w, in pixels.
      num_frames: T.

    Returns:
      [T, h, w, 3] float32 in 0 .. 255.
    """
    # T ops side by side, not a loop: TensorFlow may decode the frames in parallel.
    decoded = tf.stack(
        [
            tf.io.decode_and_crop_jpeg(frames[t], window, channels=3)
            for t in range(num_frames)
        ]
    )
    # Antialiased as Pillow's; plain bilinear sampling would skip source pixels.
    resized = tf.image.resize(decoded, [crop_size, crop_size], antialias=True)
    return tf.ensure_shape(resized, [num_frames, crop_size, crop_size, 3])


def random_flip(clip: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirrors all frames left to right, or none.

    Args:
      clip: [T, H, W, C].
      seed: [2] integers.
    """
    flip = tf.random.stateless_uniform([], seed) < FLIP_PROBABILITY
    return tf.cond(flip, lambda: tf.reverse(clip, axis=[2]), lambda: clip)


def random_color(clip: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Brightness, contrast, saturation and hue in random order, then gray.

    Args:
      clip: [T, H, W, 3] float32 in 0 .. 1.
      seed: [2] integers.

    Returns:
      [T, H, W, 3] float32 in 0 .. 1.
    """
    draws = tf.unstack(tf.random.stateless_uniform([5], seed))
    order = tf.random.experimental.stateless_shuffle(tf.range(4), seed + 1)

    def factor(draw: tf.Tensor, spread: float) -> tf.Tensor:
        return 1.0 + spread * (2.0 * draw - 1.0)

    operations: list[Callable[[tf.Tensor], tf.Tensor]] = [
        lambda x: adjust_brightness(x, factor(draws[0], BRIGHTNESS)),
        lambda x: adjust_contrast(x, factor(draws[1], CONTRAST)),
        lambda x: adjust_saturation(x, factor(draws[2], SATURATION)),
        lambda x: adjust_hue(x, HUE * (2.0 * draws[3] - 1.0)),
    ]
    for position in range(4):
        # Bound as defaults: the branches are traced within this very iteration.
        clip = tf.switch_case(
            order[position],
            [lambda op=op, clip=clip: op(clip) for op in operations],
        )
    return tf.cond(draws[4] < GRAY_PROBABILITY, lambda: gray(clip), lambda: clip)


def adjust_brightness(clip: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Blends [T, H, W, 3] in 0 .. 1 with black."""
    return tf.clip_by_value(clip * factor, 0.0, 1.0)


def adjust_contrast(clip: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Blends [T, H, W, 3] in 0 .. 1 with the mean gray of each frame."""
    means = tf.reduce_mean(clip, axis=[1, 2])  # [T, 3]
    pivot = tf.linalg.matvec(means, _LUMA)[:, None, None, None]  # [T, 1, 1, 1]
    return tf.clip_by_value(clip * factor + pivot * (1.0 - factor), 0.0, 1.0)


def adjust_saturation(clip: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Blends [T, H, W, 3] in 0 .. 1 with its gray version."""
    luma = tf.constant(_LUMA)[:, None] * tf.ones([1, 3])  # [3, 3]
    matrix = factor * tf.eye(3) + (1.0 - factor) * luma
    return tf.clip_by_value(_mix_channels(clip, matrix), 0.0, 1.0)


def adjust_hue(clip: tf.Tensor, turns: tf.Tensor) -> tf.Tensor:
    """Turns the hue of [T, H, W, 3] in 0 .. 1 by a fraction of a full turn."""
    return tf.image.adjust_hue(clip, turns)


def gray(clip: tf.Tensor) -> tf.Tensor:
    """The gray version of [T, H, W, 3], in three equal channels."""
    return _mix_channels(clip, tf.constant(_LUMA)[:, None] * tf.ones([1, 3]))


def _mix_channels(clip: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """Multiplies every pixel, a row of 3 channels, by a [3, 3] matrix."""
    shape = tf.shape(clip)
    pixels = tf.matmul(tf.reshape(clip, [-1, 3]), matrix)
    return tf.ensure_shape(tf.reshape(pixels, shape), clip.shape)


def to_uint8(clip: tf.Tensor) -> tf.Tensor:
    """Rounds a clip in 0 .. 255 to bytes, which is what travels to the device."""
    return tf.cast(tf.clip_by_value(tf.round(clip), 0.0, 255.0), tf.uint8)


def augment_for_training(
    frames: tf.Tensor,
    height: tf.Tensor,
    width: tf.Tensor,
    crop_size: int,
    num_frames: int,
    seed: tf.Tensor,
    color_noise: bool = True,
) -> tf.Tensor:
    """The training recipe of section 4.

    Args:
      frames: [T] JPEG strings of one clip.
      height: of the frames, scalar int32.
      width: of the frames, scalar int32.
      crop_size: h = w, in pixels.
      num_frames: T.
      seed: [2] integers; the same seed gives the same clip.
      color_noise: whether `random_color` is a part of it.

    Returns:
      [T, h, w, 3] uint8.
    """
    seeds = tf.random.experimental.stateless_split(seed, 3)
    window = random_window(height, width, seeds[0])
    clip = decode_window(frames, window, crop_size, num_frames)
    if color_noise:
        clip = random_color(clip / 255.0, seeds[1]) * 255.0
    return random_flip(to_uint8(clip), seeds[2])


def transform_for_test(
    frames: tf.Tensor,
    height: tf.Tensor,
    width: tf.Tensor,
    crop_size: int,
    num_frames: int,
) -> tf.Tensor:
    """The test transform of section 4: resize and centre crop, nothing random.

    Args and returns as in `augment_for_training`.
    """
    window = center_window(height, width)
    return to_uint8(decode_window(frames, window, crop_size, num_frames))
