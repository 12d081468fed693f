"""The frames of a video that its clips read, for processes that decode video files.

The others need not be brought to their size and encoded.  This module does without
TensorFlow, as those processes do.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from vie_tf.input import fixed_clips
from vie_tf.input.clip_recipe import ClipRecipe


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
        spread = fixed_clips.SPREADS[self.recipe.sampling]
        clips = fixed_clips.equally_spaced(
            spread, self.recipe, num_video_frames, self.num_clips
        )
        frames = set(np.ravel(clips).tolist())
        if self.recipe.has_differences:
            later = fixed_clips.later_than(np.ravel(clips), num_video_frames)
            frames.update(later.tolist())
        return frozenset(frames)
