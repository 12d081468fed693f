"""The recipe of a clip: how many frames, how far apart, how large, and what of them.

A clip of T frames has the channels of `--input`:

  frames       red, green and blue of frame t
  differences  gray of frame t and gray of frame t + DIFFERENCE_LAG
  both         those of frames, then those of differences

The network subtracts the two grays (`vie_tf.input.augmentation.differences`).
"""

from __future__ import annotations

import dataclasses
import math
from typing import Sequence

from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import VideoEntry

FPS = 25  # of records

# Frames of the video, at 25 fps, from one frame of a difference to the other.  Two show
# fast motion alone; eight show slow motion, too, and blur the fast
# (docs/small_collections.md).
DIFFERENCE_LAG = 4


@dataclasses.dataclass(frozen=True)
class ClipRecipe:
    """Frames, size and channels of the clips of a network.

    Attributes:
      num_frames: T.
      frame_interval: frames from one frame of the clip to the next, at 25 fps; not used
        by `binned`.
      crop_size: height and width in pixels.
      sampling: a key of `vie_tf.input.sampling.SAMPLING_RULES`.
      static: whether all T frames are the same one, drawn as by `single`.
      input: `frames`, `differences` or `both`.
      frame_rate: frames per second, in place of the interval; not used by `binned`.
      question: what training clips are asked besides, a key of
        `vie_tf.input.questions.makers.CLIP_MAKERS`; empty for nothing.
    """

    num_frames: int
    frame_interval: int
    crop_size: int
    sampling: str
    static: bool = False
    input: str = "frames"
    frame_rate: float | None = None
    question: str = ""

    @property
    def frame_step(self) -> float:
        """Frames at 25 fps from one frame of the clip to the next, in the mean."""
        return FPS / self.frame_rate if self.frame_rate else self.frame_interval

    @property
    def span(self) -> int:
        """Frames at 25 fps that a clip covers, the step after its last one included."""
        return math.ceil(self.num_frames * self.frame_step)

    @property
    def has_colors(self) -> bool:
        """Whether a clip has the colors of its frames."""
        return self.input != "differences"

    @property
    def has_differences(self) -> bool:
        """Whether a clip has the gray levels that differences are made of."""
        return self.input != "frames"

    @property
    def num_channels(self) -> int:
        """Number of channels of a clip: 3, 2 or 5."""
        return 3 * self.has_colors + 2 * self.has_differences

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of a clip, [T, S, S, C]."""
        return self.num_frames, self.crop_size, self.crop_size, self.num_channels


def check_motion(
    videos: Sequence[VideoEntry], recipe: ClipRecipe, model_name: str
) -> None:
    """Checks that a network of several frames, or of differences, is given no images.

    Args:
      videos: videos that the network is given.
      recipe: frames of its clips; static if images are meant.
      model_name: name of the network, for the message.

    Raises:
      UserError: all videos have one frame and the network takes several, or a network
        of differences is given videos without motion.
    """
    if recipe.static and recipe.has_differences:
        raise UserError(
            f"--static_video repeats one frame, in which nothing moves, but"
            f" --input={recipe.input} is about what moves: leave one of them out."
        )
    if not videos or any(video.frames > 1 for video in videos):
        return
    if recipe.has_differences:
        raise UserError(
            "The videos have one frame each (images), in which nothing moves, but"
            f" --input={recipe.input} is about what moves: use --input=frames."
        )
    if recipe.num_frames > 1 and not recipe.static:
        raise UserError(
            f"The videos have one frame each (images), but --model={model_name} takes"
            f" {recipe.num_frames} frames. Add --static_video to show it each image as"
            " a static video, or use --model=single."
        )


def with_static(recipe: ClipRecipe, static_video: bool) -> ClipRecipe:
    """Returns the recipe, static if it was or if `static_video` asks for it."""
    return dataclasses.replace(recipe, static=recipe.static or static_video)
