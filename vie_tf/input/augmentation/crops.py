"""The window of a frame that becomes the crop: arithmetic on sizes, no images.

Each crop takes height and width of the frames of a clip, scalar int32, and uniform
random numbers, [NUM_DRAWS] float32 in [0, 1).  It returns top, left, height and width
of one window for all frames of the clip, [4] int32, in source pixels, which
`vie_tf.input.augmentation.augmentations` decodes and resizes.

  random_short_side_crop  shortest side resized to 256 .. 320, then a random 224 x 224
                          crop (section 4; appendix B: 128 .. 160 and 112)
  multi_scale_crop        a square of 5 sizes in one of 5 places (appendix E,
                          "Multi-scale Aug.")
  random_resized_crop     a random area and aspect ratio, as images are augmented
  random_squeezed_crop    the frame squeezed into 136 x 136, then a random 112 x 112
                          crop (3DRotNet, as the authors trained it)
  whole_frame             70% to 100% of the height and of the width, squeezed into a
                          square, so that what happens at the sides is rarely missed

Test windows (`TEST_WINDOWS`) follow the crop of the training:

  center                  shortest side resized to 256, then the center 224 x 224
  whole_side              the largest square in the center, for multi_scale_crop
  squeezed_center         the center of the squeezed frame, for random_squeezed_crop
  everything              the frame, squeezed into a square, for whole_frame

A frame is not resized and then cropped: the same window is cropped from the source and
then resized, so far fewer pixels are decoded and resized.
"""

from __future__ import annotations

from typing import Callable

import tensorflow as tf

MIN_RESIZE = 8 / 7  # shortest side / crop size: 256 / 224 = 128 / 112
MAX_RESIZE = 10 / 7  # 320 / 224 = 160 / 112

SCALES = tuple(2.0 ** (-i / 4) for i in range(5))  # of the shortest side

MAX_AREA = 1.0  # fraction of the frame; the least is a setting
MIN_ASPECT, MAX_ASPECT = 3 / 4, 4 / 3  # width / height
MIN_FRACTION = 0.7  # of the height and of the width, for whole_frame
_TRIES = 10  # draws of an area and an aspect ratio that may fit into the frame

SQUEEZED = 112 / 136  # of the height and of the width, for random_squeezed_crop

NUM_DRAWS = 2 * _TRIES + 2  # for `random_resized_crop`; the others need fewer


def random_short_side_crop(
    height: tf.Tensor, width: tf.Tensor, draws: tf.Tensor
) -> tf.Tensor:
    """Takes a square of 1 / MAX_RESIZE to 1 / MIN_RESIZE of the shortest side."""
    resize, top, left = draws[0], draws[1], draws[2]
    side = _side(height, width, MIN_RESIZE + resize * (MAX_RESIZE - MIN_RESIZE))
    return tf.stack(
        [_offset(top, height - side), _offset(left, width - side), side, side]
    )


def multi_scale_crop(
    height: tf.Tensor, width: tf.Tensor, draws: tf.Tensor
) -> tf.Tensor:
    """Takes a square of one of `SCALES`, in a corner or in the center."""
    return multi_scale_window(
        height,
        width,
        scale=tf.constant(SCALES)[_below(draws[0], len(SCALES))],
        place=_below(draws[1], 5),
    )


def multi_scale_window(
    height: tf.Tensor, width: tf.Tensor, scale: tf.Tensor, place: tf.Tensor
) -> tf.Tensor:
    """Returns the window of `multi_scale_crop` with a given scale and place.

    Args:
      height: height of the frames in pixels, scalar int32.
      width: width of the frames in pixels, scalar int32.
      scale: side of the window as a fraction of the shortest side.
      place: 0 center, 1 top left, 2 top right, 3 bottom left, 4 bottom right.

    Returns:
      [4] int32.
    """
    shortest = tf.cast(tf.minimum(height, width), tf.float32)
    side = tf.maximum(tf.cast(shortest * scale, tf.int32), 1)
    half = tf.maximum(side // 2, 1)
    # As in the authors' loader, a center crop of an odd size is one pixel smaller.
    side = tf.where(place == 0, tf.minimum(2 * half, side), side)
    tops = [height // 2 - half, 0, 0, height - side, height - side]
    lefts = [width // 2 - half, 0, width - side, 0, width - side]
    top, left = tf.stack(tops)[place], tf.stack(lefts)[place]
    return tf.stack([tf.maximum(top, 0), tf.maximum(left, 0), side, side])


def random_resized_crop(
    height: tf.Tensor, width: tf.Tensor, draws: tf.Tensor, min_area: float = 0.08
) -> tf.Tensor:
    """Takes a window of random area and aspect ratio at a random place.

    The area is `min_area` to all of the frame.  Where none of the tries fits into it,
    the window is the largest in the center whose aspect ratio is allowed.
    """
    areas, aspects = draws[:_TRIES], draws[_TRIES : 2 * _TRIES]
    full_height, full_width = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    area = full_height * full_width * (min_area + areas * (MAX_AREA - min_area))
    low, high = tf.math.log(MIN_ASPECT), tf.math.log(MAX_ASPECT)
    aspect = tf.exp(low + aspects * (high - low))
    widths = _at_least_one(tf.sqrt(area * aspect))  # [tries]
    heights = _at_least_one(tf.sqrt(area / aspect))
    fits = (widths <= width) & (heights <= height)
    chosen = tf.argmax(fits)  # the first
    drawn = tf.stack(
        [
            _offset(draws[-2], height - heights[chosen]),
            _offset(draws[-1], width - widths[chosen]),
            heights[chosen],
            widths[chosen],
        ]
    )
    largest_width = tf.minimum(width, _at_least_one(full_height * MAX_ASPECT))
    largest_height = tf.minimum(height, _at_least_one(full_width / MIN_ASPECT))
    central = tf.stack(
        [
            (height - largest_height) // 2,
            (width - largest_width) // 2,
            largest_height,
            largest_width,
        ]
    )
    return tf.where(tf.reduce_any(fits), drawn, central)


def whole_frame(height: tf.Tensor, width: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """Takes 70% to 100% of the height and, drawn by itself, of the width."""
    fractions = MIN_FRACTION + draws[:2] * (1.0 - MIN_FRACTION)
    window_height = _at_least_one(tf.cast(height, tf.float32) * fractions[0])
    window_width = _at_least_one(tf.cast(width, tf.float32) * fractions[1])
    return tf.stack(
        [
            _offset(draws[2], height - window_height),
            _offset(draws[3], width - window_width),
            window_height,
            window_width,
        ]
    )


def random_squeezed_crop(
    height: tf.Tensor, width: tf.Tensor, draws: tf.Tensor
) -> tf.Tensor:
    """Takes `SQUEEZED` of the height and of the width at a random place."""
    window_height, window_width = _squeezed(height), _squeezed(width)
    return tf.stack(
        [
            _offset(draws[0], height - window_height),
            _offset(draws[1], width - window_width),
            window_height,
            window_width,
        ]
    )


def squeezed_center(height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """Takes the middle of what `random_squeezed_crop` takes."""
    window_height, window_width = _squeezed(height), _squeezed(width)
    top, left = (height - window_height) // 2, (width - window_width) // 2
    return tf.stack([top, left, window_height, window_width])


def center(height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """Takes the square of the test transform: 1 / MIN_RESIZE of the shortest side."""
    side = _side(height, width, tf.constant(MIN_RESIZE))
    return tf.stack([(height - side) // 2, (width - side) // 2, side, side])


def whole_side(height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """Takes the largest square in the center, the largest of `multi_scale_crop`.

    Source: get_val_cfg_transform in tf_model/data.py of the authors' repository.
    """
    return multi_scale_window(height, width, tf.constant(SCALES[0]), tf.constant(0))


def everything(height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """Takes the frame."""
    return tf.stack([0, 0, height, width])


CROPS: dict[str, Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "random_short_side_crop": random_short_side_crop,
    "multi_scale_crop": multi_scale_crop,
    "random_resized_crop": random_resized_crop,
    "random_squeezed_crop": random_squeezed_crop,
    "whole_frame": whole_frame,
}

TEST_WINDOWS: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "random_short_side_crop": center,
    "multi_scale_crop": whole_side,
    "random_resized_crop": center,
    "random_squeezed_crop": squeezed_center,
    "whole_frame": everything,
}


def _side(height: tf.Tensor, width: tf.Tensor, resize: tf.Tensor) -> tf.Tensor:
    """Returns the source pixels of the crop when the shortest side is resized."""
    shortest = tf.cast(tf.minimum(height, width), tf.float32)
    return _at_least_one(shortest / resize)


def _squeezed(size: tf.Tensor) -> tf.Tensor:
    return _at_least_one(tf.cast(size, tf.float32) * SQUEEZED)


def _at_least_one(size: tf.Tensor) -> tf.Tensor:
    return tf.maximum(tf.cast(tf.round(size), tf.int32), 1)


def _below(fraction: tf.Tensor, count: tf.Tensor | int) -> tf.Tensor:
    """Maps a fraction in [0, 1) to an integer in 0 .. count - 1."""
    drawn = tf.cast(fraction * tf.cast(count, tf.float32), tf.int32)
    return tf.minimum(drawn, count - 1)


def _offset(fraction: tf.Tensor, room: tf.Tensor) -> tf.Tensor:
    """Maps a fraction in [0, 1) to an integer in 0 .. room."""
    return _below(fraction, tf.maximum(room, 0) + 1)
