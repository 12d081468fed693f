"""Configuration of the two commands of data_prep; a default is written here once."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class ConversionConfig:
    """How a folder of videos becomes a data set.

    Attributes:
      videos: folder of videos; its first-level sub-folders are the classes.
      output_dir: folder of the shards and the manifest, made if it is missing.
      val_fraction: share of each class that goes to the `val` split, in [0, 1).
      fps: frames per second of the records.
      shortest_side: of the stored frames, in pixels; smaller ones stay as they are.
      jpeg_quality: of the stored frames, 1 to 100.
      min_frames: a video that gives fewer frames at `fps` is refused.
      videos_per_shard: most videos in one TFRecord file.
      num_processes: worker processes; 0 means one for each core, 1 means none
        (everything happens in the calling process).
      seed: of the split and of the order of the ids.
    """

    videos: str
    output_dir: str
    val_fraction: float = 0.2
    fps: float = 25.0  # This and the next: section 4 of the paper.
    shortest_side: int = 320
    jpeg_quality: int = 90
    min_frames: int = 2  # One frame is a picture: nothing moves in it.
    videos_per_shard: int = 16
    num_processes: int = 0
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class SynthesisConfig:
    """Which videos `data_prep.synthesize` makes.

    Attributes:
      output_dir: folder that receives one sub-folder per class.
      num_videos: over all classes, which get equally many (or one more).
      num_classes: the first so many rows of `data_prep.motions.MOTIONS`.
      size: shortest side in pixels; frames are 4:3.
      seconds: length of a video.
      scenes: a video changes its texture every `seconds / scenes` seconds.
      num_processes: as in `ConversionConfig`.
      seed: same seed, same videos.
    """

    output_dir: str
    num_videos: int = 600
    num_classes: int = 8
    size: int = 96
    seconds: float = 4.0
    scenes: int = 4
    num_processes: int = 0
    seed: int = 0
