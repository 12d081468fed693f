"""Test clips of one video that is in memory, by TensorFlow's operations alone.

They are those of `vie_tf.input.pipeline.evaluation_clips` for a data set, equal to the
bit for the same JPEG strings.  Exported networks and the Python API use them.

Letters: F frames of the video, T frames and C channels of a clip, S its height and
width.
"""

from __future__ import annotations

import tensorflow as tf

from vie_tf.export.exact_resize import resize
from vie_tf.input import later_frames, sampling
from vie_tf.input.augmentation import augmentations, crops
from vie_tf.input.clip_recipe import ClipRecipe

# Integer weights of OpenCV for red, green and blue, in 2^15 ths.
_LUMA = (9798, 19235, 3735)
_LUMA_BITS = 15


def clips_of_jpegs(
    jpegs: tf.Tensor, recipe: ClipRecipe, num_clips: int, crop: str
) -> tf.Tensor:
    """Makes equally spaced clips of a video, resized and center cropped.

    Args:
      jpegs: [F] JPEG strings, the frames of the video, at least one.
      recipe: frames, size and channels of the clips.
      num_clips: number of clips.
      crop: crop of the training, a key of `crops.TEST_WINDOWS`.

    Returns:
      [num_clips, T, S, S, C] uint8.
    """
    chosen = tf.gather(jpegs, _indices(recipe, tf.shape(jpegs)[0], num_clips))
    height, width, _ = tf.unstack(tf.io.extract_jpeg_shape(jpegs[0]))
    window = crops.TEST_WINDOWS[crop](height, width)
    frames = augmentations.decode_window(chosen, window, recipe.crop_size, recipe.input)
    return _clips(resize(tf.stack(frames), recipe.crop_size), recipe, num_clips)


def clips_of_frames(
    frames: tf.Tensor, recipe: ClipRecipe, num_clips: int, crop: str
) -> tf.Tensor:
    """Makes the clips of `clips_of_jpegs` from decoded frames, [F, H, W, 3] uint8."""
    chosen = tf.gather(frames, _indices(recipe, tf.shape(frames)[0], num_clips))
    return _clips(center_crop(chosen, recipe.crop_size, crop), recipe, num_clips)


def center_crop(frames: tf.Tensor, size: int, crop: str) -> tf.Tensor:
    """Takes the test window of frames and resizes it.

    Where the window is at least twice as large as the crop, blocks of 2, 4 or 8 pixels
    a side are averaged first, which is what the decoder of JPEG strings does.

    Args:
      frames: [N, H, W, C] uint8; H and W need not be static.
      size: S, in pixels.
      crop: crop of the training, a key of `crops.TEST_WINDOWS`.

    Returns:
      [N, S, S, C] uint8.
    """
    shape = tf.shape(frames)
    window = crops.TEST_WINDOWS[crop](shape[1], shape[2])
    ratio = augmentations.shrink_ratio(window, size)
    top, left, height, width = tf.unstack(tf.maximum(window // ratio, [0, 0, 1, 1]))
    cut = frames[
        :,
        top * ratio : (top + height) * ratio,
        left * ratio : (left + width) * ratio,
    ]
    channels = frames.shape[-1]
    blocks = tf.reshape(cut, [-1, height, ratio, width, ratio, channels])
    total = tf.reduce_sum(tf.cast(blocks, tf.int32), axis=[2, 4])
    area = ratio * ratio
    means = tf.cast((total + area // 2) // area, tf.uint8)  # [N, h, w, C]
    return resize(means, size)


def _indices(recipe: ClipRecipe, num_frames: tf.Tensor, num_clips: int) -> tf.Tensor:
    """Frames of all clips one after the other, then the later ones of differences."""
    indices = sampling.evaluation_clips(recipe, num_frames, num_clips)
    flat = tf.reshape(indices, [num_clips * recipe.num_frames])
    return later_frames.with_later_frames(recipe, flat, num_frames)


def _clips(frames: tf.Tensor, recipe: ClipRecipe, num_clips: int) -> tf.Tensor:
    """Joins resized frames [n, S, S, 1 or 3] to clips."""
    if recipe.has_differences:
        gray = _gray(frames)
        parts = [*tf.split(gray, 2)]  # the frames, and the later ones
        if recipe.has_colors:
            parts = [tf.split(frames, 2)[0], *parts]
        frames = tf.concat(parts, axis=-1)
    return tf.reshape(frames, [num_clips, *recipe.shape])


def _gray(frames: tf.Tensor) -> tf.Tensor:
    """Returns gray levels [n, S, S, 1] as OpenCV computes them."""
    if frames.shape[-1] == 1:
        return frames
    total = tf.reduce_sum(tf.cast(frames, tf.int32) * _LUMA, axis=-1, keepdims=True)
    half = 1 << (_LUMA_BITS - 1)
    return tf.cast((total + half) // (1 << _LUMA_BITS), tf.uint8)
