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

In evaluation clips are equally spaced (`evaluation_clips`) or, for fine-tuned networks,
all clips that follow each other (`consecutive_clips`).

Letters: F frames of the video, T frames of a clip.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Callable, NamedTuple

import tensorflow as tf

from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.later_frames import num_positions

BIN_FRAMES = 12  # half a second at 25 fps (section 3, family 3)


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
    num_video_frames = num_positions(recipe, num_video_frames)
    if recipe.static:
        return _tiled(training_clip(_one_frame(recipe), num_video_frames, seed), recipe)
    return SAMPLING_RULES[recipe.sampling].draw(recipe, num_video_frames, seed)


def bin_range(
    num_video_frames: tf.Tensor, number: tf.Tensor, bin_frames: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the frames of a bin of a video (the binned data sets of table 3).

    Args:
      num_video_frames: F, scalar int32.
      number: number of the bin, from 0, scalar.
      bin_frames: frames of a bin, at least 1; the last bin may have fewer.

    Returns:
      First frame and number of frames, scalar int32.
    """
    first = tf.cast(number, tf.int32) * bin_frames
    return first, tf.minimum(num_video_frames - first, bin_frames)


def evaluation_clips(
    recipe: ClipRecipe, num_video_frames: tf.Tensor, num_clips: int
) -> tf.Tensor:
    """Returns equally spaced clips, at the authors' positions.

    A single frame is the middle one of each of `num_clips` equal parts of the video.  A
    clip of `sparse` starts at i / (num_clips + 1) of the possible starts, i = 1 ..
    num_clips; one of `dense` at g / (num_clips - 1), g = 0 .. num_clips - 1, where a
    video that is too short for clips without overlap is looped.  A frame of a bin is
    its middle one.

    Source: pt_loader/datasets.py and tf_model/data.py of the authors' repository.

    Args:
      recipe: frames of the clips.
      num_video_frames: F, scalar int32, at least 1.
      num_clips: clips per video, 5 in the paper.

    Returns:
      [num_clips, T] int32, each in 0 .. F - 1.
    """
    num_video_frames = num_positions(recipe, num_video_frames)
    if recipe.static:
        frames = evaluation_clips(_one_frame(recipe), num_video_frames, num_clips)
        return _tiled(frames, recipe)
    return SAMPLING_RULES[recipe.sampling].spread(recipe, num_video_frames, num_clips)


def consecutive_clips(recipe: ClipRecipe, num_video_frames: tf.Tensor) -> tf.Tensor:
    """Returns all clips of a video that follow each other without overlap (appendix E).

    A clip spans T times the interval of the recipe, 16 consecutive frames for
    `3dresnet`; frames after the last whole span are left out.  A video shorter than a
    span is looped.

    Args:
      recipe: frames of the clips.
      num_video_frames: F, scalar int32, at least 1.

    Returns:
      [max(F // span, 1), T] int32, each in 0 .. F - 1.
    """
    num_video_frames = num_positions(recipe, num_video_frames)
    if recipe.static:
        return _tiled(consecutive_clips(_one_frame(recipe), num_video_frames), recipe)
    span = recipe.span
    starts = tf.range(tf.maximum(num_video_frames // span, 1)) * span
    return _frames_from(starts, recipe, num_video_frames)


def even_offsets(recipe: ClipRecipe) -> tf.Tensor:
    """Returns frames of a clip that starts at frame 0, as even as they can be: [T]."""
    even = [int(number * recipe.frame_step) for number in range(recipe.num_frames)]
    return tf.constant(even, tf.int32)


def _one_frame(recipe: ClipRecipe) -> ClipRecipe:
    """Returns the recipe of the single frame that a static video repeats."""
    return dataclasses.replace(
        recipe, num_frames=1, sampling="single", static=False, input="frames"
    )


def _tiled(frames: tf.Tensor, recipe: ClipRecipe) -> tf.Tensor:
    """Repeats frames [..., 1] T times, to [..., T]."""
    return tf.repeat(frames, recipe.num_frames, axis=-1)


def _frames_from(
    starts: tf.Tensor, recipe: ClipRecipe, num_video_frames: tf.Tensor
) -> tf.Tensor:
    """Returns the frames of clips that start at frames [...]: [..., T] int32."""
    return (starts[..., None] + even_offsets(recipe)) % num_video_frames


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


def _num_starts(num_video_frames: tf.Tensor, recipe: ClipRecipe) -> tf.Tensor:
    """Counts frames at which a clip can start: all of a video that is looped."""
    starts = num_video_frames - math.ceil((recipe.num_frames - 1) * recipe.frame_step)
    return tf.where(starts > 0, starts, num_video_frames)


def _bin_frames(num_video_frames: tf.Tensor, num_frames: int) -> tf.Tensor:
    """Returns the frames of a bin, fewer than half a second in a short video."""
    return tf.clip_by_value(num_video_frames // num_frames, 1, BIN_FRAMES)


def _num_bin_starts(
    num_video_frames: tf.Tensor, width: tf.Tensor, num_frames: int
) -> tf.Tensor:
    """Counts bins at which T consecutive bins can start; the last may be short."""
    num_bins = (num_video_frames + width - 1) // width
    return tf.maximum(num_bins - num_frames + 1, 1)


def _uniform(seed: tf.Tensor, shape: list[int], upper: tf.Tensor) -> tf.Tensor:
    """Draws integers in 0 .. upper - 1, where `upper` may differ by element."""
    fraction = tf.random.stateless_uniform(shape, seed)
    drawn = tf.cast(fraction * tf.cast(upper, tf.float32), tf.int32)
    return tf.minimum(drawn, upper - 1)


def _draw_start(
    recipe: ClipRecipe, num_video_frames: tf.Tensor, seed: tf.Tensor
) -> tf.Tensor:
    """Draws the first frame; the others follow at the interval of the recipe."""
    start = _uniform(seed, [], _num_starts(num_video_frames, recipe))
    if recipe.frame_rate:
        return (start + _random_offsets(recipe, seed)) % num_video_frames
    return _frames_from(start, recipe, num_video_frames)


def _draw_in_bins(
    recipe: ClipRecipe, num_video_frames: tf.Tensor, seed: tf.Tensor
) -> tf.Tensor:
    """Draws the first of T consecutive bins, and one frame in each."""
    num_frames = recipe.num_frames
    width = _bin_frames(num_video_frames, num_frames)
    start = _uniform(seed, [], _num_bin_starts(num_video_frames, width, num_frames))
    first = (start + tf.range(num_frames)) * width  # [T], first frame of each bin
    size = tf.clip_by_value(num_video_frames - first, 1, width)  # the last is shorter
    offset = _uniform(seed + 1, [num_frames], size)
    return (first + offset) % num_video_frames


def _spread_frames(
    recipe: ClipRecipe, num_video_frames: tf.Tensor, num_clips: int
) -> tf.Tensor:
    """Takes the middle frame of each of as many parts of the video as clips."""
    starts = (2 * tf.range(num_clips) + 1) * num_video_frames // (2 * num_clips)
    return _frames_from(starts, recipe, num_video_frames)


def _spread_starts(
    recipe: ClipRecipe, num_video_frames: tf.Tensor, num_clips: int
) -> tf.Tensor:
    """Spaces the starts of the clips equally."""
    num_starts = _num_starts(num_video_frames, recipe)
    starts = (tf.range(num_clips) + 1) * num_starts // (num_clips + 1)
    return _frames_from(starts, recipe, num_video_frames)


def _spread_to_both_ends(
    recipe: ClipRecipe, num_video_frames: tf.Tensor, num_clips: int
) -> tf.Tensor:
    """Spaces the starts from the first frame to the last; loops a short video."""
    span = recipe.span
    last = tf.maximum(num_video_frames, num_clips * span) - span
    if num_clips == 1:
        start = last[None] // 2
    else:
        start = tf.range(num_clips) * last // (num_clips - 1)
    return _frames_from(start, recipe, num_video_frames)


def _spread_bins(
    recipe: ClipRecipe, num_video_frames: tf.Tensor, num_clips: int
) -> tf.Tensor:
    """Spaces the first bins of the clips equally, and takes their middle frames."""
    width = _bin_frames(num_video_frames, recipe.num_frames)
    starts = _num_bin_starts(num_video_frames, width, recipe.num_frames)
    first_bin = (tf.range(num_clips) + 1) * starts // (num_clips + 1)
    bins = first_bin[:, None] + tf.range(recipe.num_frames)  # [num_clips, T]
    return (bins * width + width // 2) % num_video_frames


class SamplingRule(NamedTuple):
    """How the frames of a clip are chosen.

    Attributes:
      draw: takes a recipe, F and a seed; draws a training clip, [T] int32.
      spread: takes a recipe, F and a number of clips; returns [num_clips, T] int32.
    """

    draw: Callable[[ClipRecipe, tf.Tensor, tf.Tensor], tf.Tensor]
    spread: Callable[[ClipRecipe, tf.Tensor, int], tf.Tensor]


SAMPLING_RULES = {
    "single": SamplingRule(_draw_start, _spread_frames),
    "dense": SamplingRule(_draw_start, _spread_to_both_ends),
    "sparse": SamplingRule(_draw_start, _spread_starts),
    "binned": SamplingRule(_draw_in_bins, _spread_bins),
}
