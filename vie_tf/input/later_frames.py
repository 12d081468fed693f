"""The later frames that those of a clip are subtracted from: index arithmetic.

`vie_tf.input.sampling` chooses the frames of a clip.  Clips of differences then get a
later frame for each, `DIFFERENCE_LAG` after it, of which some are frames of the clip as
well: those are decoded once.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from vie_tf.input.clip_recipe import DIFFERENCE_LAG, ClipRecipe
from vie_tf.input.fixed_clips import later_than


def with_later_frames(
    recipe: ClipRecipe, frames: tf.Tensor, num_video_frames: tf.Tensor
) -> tf.Tensor:
    """Adds the frames that those of clips are subtracted from, if the recipe has any.

    Args:
      recipe: frames of the clips.
      frames: frames of one clip or several, [n] int32.
      num_video_frames: F, scalar int32, at least 1.

    Returns:
      [n] int32, or [2 n] for differences: the frames, then a later one for each.  In
      a video of no more than `DIFFERENCE_LAG` frames, that is the last one.
    """
    if not recipe.has_differences:
        return frames
    return tf.concat([frames, later_than(frames, num_video_frames)], axis=0)


class Repeats(NamedTuple):
    """Frames that a list of frames has twice.

    Attributes:
      sources: for each frame of the list, the position of the one that is like it.
      hold: whether they are, scalar bool; not in clips that are looped.
    """

    sources: list[int]
    hold: tf.Tensor


def repeats(recipe: ClipRecipe, frames: tf.Tensor, num_clips: int) -> Repeats | None:
    """Finds the later frames of differences that are also frames of their clip.

    Args:
      recipe: frames of the clips.
      frames: result of `with_later_frames` for all frames of some clips, [2 n] int32.
      num_clips: number of these clips.

    Returns:
      None if there are none, as with an interval that does not divide the lag, or
      steps that differ.
    """
    steps, rest = divmod(DIFFERENCE_LAG, recipe.frame_interval)
    if recipe.frame_rate or rest or steps >= recipe.num_frames:
        return None
    if not recipe.has_differences:
        return None
    count = num_clips * recipe.num_frames
    sources = list(range(2 * count))
    for position in range(count):
        if position % recipe.num_frames + steps < recipe.num_frames:
            sources[count + position] = position + steps
    return Repeats(sources, tf.reduce_all(tf.gather(frames, sources) == frames))
