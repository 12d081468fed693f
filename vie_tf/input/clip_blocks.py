"""Blocks of training clips: read, decoded and augmented by one call of Python.

A graph that is run for one clip alone, and its calls of Python, cost about as much as
decoding a frame, so training makes a block of clips of one frame at once.  The clips
are those of `TrainingClipMaker.finish`, pixel by pixel.

Letters: K clips of a block, S height and width, C channels of a clip.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from vie_tf.input.augmentation import augmentations, color_jitter, crops, opencv_ops
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.clip_source import ClipSource

_MAX_CLIPS = 32  # of which the work that a block needs once is a small part


class Draw(NamedTuple):
    """What is drawn for the pixels of a clip.

    Attributes:
      window: top, left, height and width in pixels of the shrunk frame, [4] int32.
      ratio: by how much the decoder shrinks it, scalar int32.
      flip: whether the clip is mirrored, scalar bool.
      color: what `opencv_ops.transform_into` needs for its color jitter.
    """

    window: tf.Tensor
    ratio: tf.Tensor
    flip: tf.Tensor
    color: tuple[tf.Tensor, ...]


def draw_for_training(
    height: tf.Tensor,
    width: tf.Tensor,
    crop_size: int,
    seed: tf.Tensor,
    *,
    crop: str,
    min_crop_area: float,
    color: str,
    gray_probability: float,
    gray_first: bool,
) -> Draw:
    """Draws what `augment_for_training` draws; arguments as there."""
    draws = augmentations.draw_numbers(seed)
    window = augmentations.window_of(height, width, draws, crop, min_crop_area)
    of_color = draws[crops.NUM_DRAWS : -1]
    jitter = color_jitter.draw(of_color, gray_probability, gray_first)
    ratio = augmentations.shrink_ratio(window, crop_size)
    return Draw(
        window=augmentations.shrunk_window(window, ratio),
        ratio=ratio,
        flip=augmentations.is_flipped(draws),
        color=opencv_ops.color_arguments(color, jitter),
    )


def block_size(batch_size: int) -> int:
    """Returns the clips of a block, a divisor of the batch."""
    most = min(batch_size, _MAX_CLIPS)
    return max(size for size in range(1, most + 1) if batch_size % size == 0)


def make_clips(
    source: ClipSource,
    recipe: ClipRecipe,
    implementation: str,
    videos: tf.Tensor,
    indices: tf.Tensor,
    draws: Draw,
) -> tf.Tensor:
    """Makes a block of clips of one frame within a tf.data graph.

    A frame that cannot be read or decoded raises an error.

    Args:
      source: videos of the clips.
      recipe: input and size of the clips.
      implementation: of the color jitter.
      videos: [K] indices into the videos of the source.
      indices: the frame of each clip, and the later one if there are differences,
        [K, 1] or [K, 2] int32.
      draws: tensors of `draw_for_training`, each of K clips.

    Returns:
      [K, 1, S, S, C] uint8.
    """
    channels = 1 if recipe.input == "differences" else 3

    def run(
        videos: np.ndarray,
        indices: np.ndarray,
        windows: np.ndarray,
        ratios: np.ndarray,
        flips: np.ndarray,
        *color: np.ndarray,
    ) -> np.ndarray:
        clips = opencv_ops.aligned_clips([len(videos), *recipe.shape])
        with tf.device("CPU:0"):
            for number, clip in enumerate(clips):
                jpegs = source.read_jpegs(int(videos[number]), indices[number])
                window, ratio = windows[number], int(ratios[number])
                opencv_ops.transform_into(
                    clip,
                    [_decoded(jpeg, window, ratio, channels) for jpeg in jpegs],
                    implementation,
                    [argument[number] for argument in color],
                    bool(flips[number]),
                    recipe.input,
                )
        return clips

    inputs = [videos, indices, draws.window, draws.ratio, draws.flip, *draws.color]
    clips = tf.numpy_function(run, inputs, tf.uint8, stateful=False)
    return tf.ensure_shape(clips, [None, *recipe.shape])


def _decoded(jpeg: bytes, window: np.ndarray, ratio: int, channels: int) -> np.ndarray:
    """Decodes a window of a frame."""
    # `tf.io` has the same operation, at twice the cost of a call.
    decoded = tf.raw_ops.DecodeAndCropJpeg(
        contents=jpeg, crop_window=window, channels=channels, ratio=ratio
    )
    return np.asarray(memoryview(decoded))  # not a copy
