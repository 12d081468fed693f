"""How large the study is: one setting of data and training for all of its rows."""

from __future__ import annotations

import dataclasses

FPS = 25.0
# What families change.  Those of several frames see what moves: on frames, 600 steps
# of `3dresnet` gained little (kNN 26.7%, untrained 23.3; one seed).  A clip of this
# network spans as much time as the paper's, with half of the frames.
_MOTION = "--input=differences"
_CLIPS: dict[str, tuple[str, ...]] = {
    "3dresnet": ("--num_frames=8", "--frame_interval=2", _MOTION),
    **{family: (_MOTION,) for family in ("trn", "slow", "slowfast")},
}


@dataclasses.dataclass(frozen=True)
class Scale:
    """Sizes of the study.

    Attributes:
      name: name in the results.
      minutes: time on two quiet cores, for the estimate before anything was measured.
      num_videos: videos of people, of which a third shows the held-out actions.
      num_pictures: pictures of objects.
      num_objects: number of objects, the classes of the pictures.
      size: shortest side of both in pixels.
      seconds: length of a video.
      crop_size: height and width of a clip, None for the family's.
      num_filters: filters of the first stage.
      batch_size: videos of a step.
      steps: steps of every pre-training, half of which LA starts after.
      finetune_steps: steps of every fine-tuning.
      seeds: seeds of the family that decides.
      num_clips: clips of a test video.
      validations: validations of a pre-training, the points of its curve.
      clips: flags of the clips of families, by name.
      flags: further flags of every pre-training.
    """

    name: str = "default"
    minutes: float = 110
    num_videos: int = 3000
    num_pictures: int = 1600
    num_objects: int = 40
    size: int = 64
    seconds: float = 3.0
    crop_size: int | None = 48
    num_filters: int = 16
    batch_size: int = 32
    steps: int = 2400
    finetune_steps: int = 400
    seeds: int = 3
    num_clips: int = 2
    validations: int = 8
    clips: dict[str, tuple[str, ...]] = dataclasses.field(
        default_factory=lambda: dict(_CLIPS)
    )
    flags: tuple[str, ...] = (
        # What a memory bank needs that an epoch of a few steps rewrites: the values of
        # --preset=small.
        *("--learning_rate=0.01", "--lr_warmup_steps=60", "--ir_normalizer=batch"),
        *("--batch_norm_momentum=0.9", "--la_num_clusters=auto"),
        # Few looks are shared by many videos, so color tells none of them.
        *("--la_num_background=auto", "--color=none"),
    )

    def sees_pictures(self, *families: str) -> bool:
        """Tells whether all of some families see frames: differences have none."""
        return not any(_MOTION in self.clips.get(family, ()) for family in families)

    def bin_frames(self, num_bins: int) -> int:
        """Returns the frames of a bin of which a video has so many."""
        return -(-round(self.seconds * FPS) // num_bins)


SCALES = {
    "default": Scale(),
    "quick": Scale(
        name="quick",
        minutes=20,
        num_videos=750,
        num_pictures=640,
        num_objects=16,
        steps=600,
        finetune_steps=200,
        seeds=1,
        validations=4,
    ),
    # The paper's networks, clips and rates, on as many videos as Kinetics has.
    "full": Scale(
        name="full",
        minutes=60 * 24 * 14,
        num_videos=300_000,
        num_pictures=100_000,
        num_objects=64,
        size=256,
        seconds=10.0,
        crop_size=None,
        num_filters=64,
        batch_size=64,
        steps=240_000,
        finetune_steps=15_000,
        num_clips=5,
        validations=48,
        clips={},
        flags=("--lr_boundaries=160000,220000", "--color=fast"),
    ),
}
