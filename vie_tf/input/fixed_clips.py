"""The clips of a video at fixed places, for tests: index arithmetic on frame counts.

In evaluation clips are equally spaced (`vie_tf.input.sampling.evaluation_clips`, by a
function of `SPREADS`) or, for fine-tuned networks, all clips that follow each other
(`consecutive_clips`).  The number of frames is a tensor or an integer, and so are the
frames: processes that decode videos ask for them, too (`FramesOfClips`), without
TensorFlow.

Letters: F frames of the video, T frames of a clip.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Callable

import numpy as np

from vie_tf.input.clip_recipe import DIFFERENCE_LAG, ClipRecipe

BIN_FRAMES = 12  # half a second at 25 fps (section 3, family 3)

Numbers = Any
"""Integers of any shape: a tensor, an array, or an integer of Python."""

Spread = Callable[[ClipRecipe, Numbers, int], Numbers]
"""Takes a recipe, F and a number of clips; returns [num_clips, T] int32."""


def equally_spaced(
    spread: Spread, recipe: ClipRecipe, num_video_frames: Numbers, num_clips: int
) -> Numbers:
    """Returns the clips of a video by a function that spreads them.

    Args:
      spread: how clips are spaced.
      recipe: frames of the clips.
      num_video_frames: F, scalar int32 or an integer, at least 1.
      num_clips: clips of a video.

    Returns:
      [num_clips, T] int32, each in 0 .. F - 1.
    """
    num_video_frames = num_positions(recipe, num_video_frames)
    if recipe.static:
        frames = _spread_frames(one_frame(recipe), num_video_frames, num_clips)
        return tiled(frames, recipe)
    return spread(recipe, num_video_frames, num_clips)


def consecutive_clips(recipe: ClipRecipe, num_video_frames: Numbers) -> Numbers:
    """Returns all clips of a video that follow each other without overlap (appendix E).

    A clip spans T times the interval of the recipe, 16 consecutive frames for
    `3dresnet`; frames after the last whole span are left out.  A video shorter than a
    span is looped.

    Args:
      recipe: frames of the clips.
      num_video_frames: F, scalar int32 or an integer, at least 1.

    Returns:
      [max(F // span, 1), T] int32, each in 0 .. F - 1.
    """
    num_video_frames = num_positions(recipe, num_video_frames)
    if recipe.static:
        return tiled(consecutive_clips(one_frame(recipe), num_video_frames), recipe)
    span = recipe.span
    library = library_of(num_video_frames)
    count = library.maximum(num_video_frames // span, 1)
    starts = _range(count) * span
    return frames_from(starts, recipe, num_video_frames)


def even_offsets(recipe: ClipRecipe) -> np.ndarray:
    """Returns frames of a clip that starts at frame 0, as even as they can be: [T]."""
    even = [int(number * recipe.frame_step) for number in range(recipe.num_frames)]
    return np.array(even, np.int32)


def num_positions(recipe: ClipRecipe, num_video_frames: Numbers) -> Numbers:
    """Counts the frames that a clip can have, at least one."""
    if not recipe.has_differences:
        return num_video_frames
    library = library_of(num_video_frames)
    return library.maximum(num_video_frames - DIFFERENCE_LAG, 1)


def later_than(frames: Numbers, num_video_frames: Numbers) -> Numbers:
    """Returns the later frame of each, at the most the last one of the video."""
    library = library_of(num_video_frames)
    return library.minimum(frames + DIFFERENCE_LAG, num_video_frames - 1)


def one_frame(recipe: ClipRecipe) -> ClipRecipe:
    """Returns the recipe of the single frame that a static video repeats."""
    return dataclasses.replace(
        recipe, num_frames=1, sampling="single", static=False, input="frames"
    )


def tiled(frames: Numbers, recipe: ClipRecipe) -> Numbers:
    """Repeats frames [..., 1] T times, to [..., T]."""
    return frames + np.zeros(recipe.num_frames, np.int32)


def library_of(number: Numbers) -> Any:
    """Returns the library for a number: TensorFlow for a tensor, else NumPy.

    Processes that decode videos, which ask for the frames that clips read, have only
    integers, and do without TensorFlow.
    """
    if isinstance(number, (int, np.integer, np.ndarray)):
        return np
    import tensorflow as tf

    return tf


def _range(count: Numbers) -> Numbers:
    """Returns 0 .. count - 1, int32."""
    library = library_of(count)
    if library is np:
        return np.arange(count, dtype=np.int32)
    return library.range(count)


def frames_from(
    starts: Numbers, recipe: ClipRecipe, num_video_frames: Numbers
) -> Numbers:
    """Returns the frames of clips that start at frames [...]: [..., T] int32."""
    return (starts[..., None] + even_offsets(recipe)) % num_video_frames


def num_starts(num_video_frames: Numbers, recipe: ClipRecipe) -> Numbers:
    """Counts frames at which a clip can start: all of a video that is looped."""
    library = library_of(num_video_frames)
    starts = num_video_frames - math.ceil((recipe.num_frames - 1) * recipe.frame_step)
    return library.where(starts > 0, starts, num_video_frames)


def bin_frames(num_video_frames: Numbers, num_frames: int) -> Numbers:
    """Returns the frames of a bin, fewer than half a second in a short video."""
    library = library_of(num_video_frames)
    widest = library.maximum(num_video_frames // num_frames, 1)
    return library.minimum(widest, BIN_FRAMES)


def num_bin_starts(
    num_video_frames: Numbers, width: Numbers, num_frames: int
) -> Numbers:
    """Counts bins at which T consecutive bins can start; the last may be short."""
    num_bins = (num_video_frames + width - 1) // width
    return library_of(num_bins).maximum(num_bins - num_frames + 1, 1)


def _spread_frames(
    recipe: ClipRecipe, num_video_frames: Numbers, num_clips: int
) -> Numbers:
    """Takes the middle frame of each of as many parts of the video as clips."""
    starts = (2 * _range(num_clips) + 1) * num_video_frames // (2 * num_clips)
    return frames_from(starts, recipe, num_video_frames)


def _spread_starts(
    recipe: ClipRecipe, num_video_frames: Numbers, num_clips: int
) -> Numbers:
    """Spaces the starts of the clips equally."""
    possible = num_starts(num_video_frames, recipe)
    starts = (_range(num_clips) + 1) * possible // (num_clips + 1)
    return frames_from(starts, recipe, num_video_frames)


def _spread_to_both_ends(
    recipe: ClipRecipe, num_video_frames: Numbers, num_clips: int
) -> Numbers:
    """Spaces the starts from the first frame to the last; loops a short video."""
    span, library = recipe.span, library_of(num_video_frames)
    last = library.maximum(num_video_frames, num_clips * span) - span
    if num_clips == 1:
        start = last // 2 + _range(1)
    else:
        start = _range(num_clips) * last // (num_clips - 1)
    return frames_from(start, recipe, num_video_frames)


def _spread_bins(
    recipe: ClipRecipe, num_video_frames: Numbers, num_clips: int
) -> Numbers:
    """Spaces the first bins of the clips equally, and takes their middle frames."""
    width = bin_frames(num_video_frames, recipe.num_frames)
    starts = num_bin_starts(num_video_frames, width, recipe.num_frames)
    first_bin = (_range(num_clips) + 1) * starts // (num_clips + 1)
    bins = first_bin[:, None] + _range(recipe.num_frames)  # [num_clips, T]
    return (bins * width + width // 2) % num_video_frames


SPREADS: dict[str, Spread] = {
    "single": _spread_frames,
    "dense": _spread_to_both_ends,
    "sparse": _spread_starts,
    "binned": _spread_bins,
}


@dataclasses.dataclass(frozen=True)
class FramesOfClips:
    """Tells the frames that equally spaced clips read, by the length of the video.

    Attributes:
      recipe: frames of the clips; its rule is in `SPREADS`, which other processes know.
      num_clips: clips of a video.
    """

    recipe: ClipRecipe
    num_clips: int

    def __call__(self, num_video_frames: int) -> frozenset[int]:
        """Returns the frames of a video of F frames, each in 0 .. F - 1."""
        spread = SPREADS[self.recipe.sampling]
        clips = equally_spaced(spread, self.recipe, num_video_frames, self.num_clips)
        frames = set(np.ravel(clips).tolist())
        if self.recipe.has_differences:
            later = later_than(np.ravel(clips), num_video_frames)
            frames.update(later.tolist())
        return frozenset(frames)
