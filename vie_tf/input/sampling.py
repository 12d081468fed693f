"""The frames of a clip: index arithmetic on frame counts, no images.

`vie_tf.input.clip_source` reads the frames.  `SAMPLING_RULES` is the table of the rules
of section 3 ("Architecture and sampling strategy"):

  name     families             clip
  single   single               one random frame
  dense    3dresnet, slowfast   T frames, a fixed interval apart; test clips reach from
                                the first to the last frame
  sparse   slow                 the same; test clips keep away from both ends
  binned   trn                  one random frame from each of T consecutive bins of
                                half a second

A video shorter than its clip is looped: index i means frame i modulo F.  A static video
shows one frame T times (`ClipRecipe.static`), which gives images to a network of
several frames.

Differences need a later frame for each frame of a clip (`later_frames`).  Clips are
then chosen as in a video without its last frames, so that every frame has a later one,
also where a short video is looped.

In evaluation clips are at fixed places (`fixed_clips`).

Letters: F frames of the video, T frames of a clip.
"""

from __future__ import annotations

from typing import Callable, NamedTuple

import tensorflow as tf

from vie_tf.input import fixed_clips
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.fixed_clips import Numbers


def training_clip(
    recipe: ClipRecipe, num_video_frames: tf.Tensor, seed: tf.Tensor
) -> tf.Tensor:
    """Draws the frames of one clip.

    Args:
      recipe: frames of the clip.
      num_video_frames: F, scalar int32, at least 1.
      seed: [2] integers; the same seed draws the same clip.

    Returns:
      [T] int32, each in 0 .. F - 1.
    """
    num_video_frames = fixed_clips.num_positions(recipe, num_video_frames)
    if recipe.static:
        frame = training_clip(fixed_clips.one_frame(recipe), num_video_frames, seed)
        return fixed_clips.tiled(frame, recipe)
    return SAMPLING_RULES[recipe.sampling].draw(recipe, num_video_frames, seed)


def evaluation_clips(
    recipe: ClipRecipe, num_video_frames: Numbers, num_clips: int
) -> Numbers:
    """Returns equally spaced clips, at the authors' positions.

    A single frame is the middle one of each of `num_clips` equal parts of the video.  A
    clip of `sparse` starts at i / (num_clips + 1) of the possible starts, i = 1 ..
    num_clips; one of `dense` at g / (num_clips - 1), g = 0 .. num_clips - 1, where a
    video that is too short for clips without overlap is looped.  A frame of a bin is
    its middle one.

    Source: pt_loader/datasets.py and tf_model/data.py of the authors' repository.

    Args:
      recipe: frames of the clips.
      num_video_frames: F, scalar int32 or an integer, at least 1.
      num_clips: clips per video, 5 in the paper.

    Returns:
      [num_clips, T] int32, each in 0 .. F - 1.
    """
    spread = SAMPLING_RULES[recipe.sampling].spread
    return fixed_clips.equally_spaced(spread, recipe, num_video_frames, num_clips)


def _random_offsets(recipe: ClipRecipe, seed: tf.Tensor) -> tf.Tensor:
    """Returns frames of a clip that starts at frame 0, by the steps of its rate: [T].

    Steps are the two whole numbers about their mean, in random order.  So are those of
    the authors' loader for 3DRotNet (`RotVideoDataset`), which draws each step and
    starts again until 16 frames cover 25.
    """
    step, num_steps = int(recipe.frame_step), recipe.num_frames - 1
    exact = num_steps * (recipe.frame_step - step)
    draw = tf.random.stateless_uniform([], seed + 1)
    num_longer = tf.cast(tf.floor(exact + draw), tf.int32)
    is_longer = tf.cast(tf.range(num_steps) < num_longer, tf.int32)
    steps = step + tf.random.experimental.stateless_shuffle(is_longer, seed + 2)
    return tf.concat([[0], tf.cumsum(steps)], axis=0)


def _uniform(seed: tf.Tensor, shape: list[int], upper: tf.Tensor) -> tf.Tensor:
    """Draws integers in 0 .. upper - 1, where `upper` may differ by element."""
    fraction = tf.random.stateless_uniform(shape, seed)
    drawn = tf.cast(fraction * tf.cast(upper, tf.float32), tf.int32)
    return tf.minimum(drawn, upper - 1)


def _draw_start(
    recipe: ClipRecipe, num_video_frames: tf.Tensor, seed: tf.Tensor
) -> tf.Tensor:
    """Draws the first frame; the others follow at the interval of the recipe."""
    start = _uniform(seed, [], fixed_clips.num_starts(num_video_frames, recipe))
    if recipe.frame_rate:
        return (start + _random_offsets(recipe, seed)) % num_video_frames
    return fixed_clips.frames_from(start, recipe, num_video_frames)


def _draw_in_bins(
    recipe: ClipRecipe, num_video_frames: tf.Tensor, seed: tf.Tensor
) -> tf.Tensor:
    """Draws the first of T consecutive bins, and one frame in each."""
    num_frames = recipe.num_frames
    width = fixed_clips.bin_frames(num_video_frames, num_frames)
    start = _uniform(
        seed, [], fixed_clips.num_bin_starts(num_video_frames, width, num_frames)
    )
    first = (start + tf.range(num_frames)) * width  # [T], first frame of each bin
    size = tf.clip_by_value(num_video_frames - first, 1, width)  # the last is shorter
    offset = _uniform(seed + 1, [num_frames], size)
    return (first + offset) % num_video_frames


class SamplingRule(NamedTuple):
    """How the frames of a clip are chosen.

    Attributes:
      draw: takes a recipe, F and a seed; draws a training clip, [T] int32.
      spread: takes a recipe, F (a tensor or an integer) and a number of clips; returns
        [num_clips, T] int32.
    """

    draw: Callable[[ClipRecipe, tf.Tensor, tf.Tensor], tf.Tensor]
    spread: fixed_clips.Spread


SAMPLING_RULES = {
    "single": SamplingRule(_draw_start, fixed_clips.SPREADS["single"]),
    "dense": SamplingRule(_draw_start, fixed_clips.SPREADS["dense"]),
    "sparse": SamplingRule(_draw_start, fixed_clips.SPREADS["sparse"]),
    "binned": SamplingRule(_draw_in_bins, fixed_clips.SPREADS["binned"]),
}
