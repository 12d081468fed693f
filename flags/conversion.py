"""Conversion of videos into records."""

from __future__ import annotations

from absl import flags

from data_prep.config import ConversionConfig

_VIDEOS = flags.DEFINE_string(
    "videos",
    None,
    "Folder of videos. Its sub-folders are the classes; videos that lie directly in"
    " it have no labels.",
    required=True,
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "Local folder for the shards and manifest.json, outside of --videos.",
    required=True,
)
_VAL_FRACTION = flags.DEFINE_float(
    "val_fraction",
    ConversionConfig.val_fraction,
    "Share of each class that is kept for validation, 0 to below 1.",
)
_FPS = flags.DEFINE_float(
    "fps", ConversionConfig.fps, "Frames per second to store.", upper_bound=240
)
_SHORTEST_SIDE = flags.DEFINE_integer(
    "shortest_side",
    ConversionConfig.shortest_side,
    "Shortest side of the stored frames in pixels; smaller videos are not enlarged.",
    lower_bound=16,
)
_JPEG_QUALITY = flags.DEFINE_integer(
    "jpeg_quality",
    ConversionConfig.jpeg_quality,
    "JPEG quality of the stored frames.",
    lower_bound=1,
    upper_bound=100,
)
_MIN_FRAMES = flags.DEFINE_integer(
    "min_frames",
    ConversionConfig.min_frames,
    "Videos that give fewer frames (at --fps) are refused.",
    lower_bound=1,
)
_VIDEOS_PER_SHARD = flags.DEFINE_integer(
    "videos_per_shard",
    ConversionConfig.videos_per_shard,
    "Most videos in one TFRecord file.",
    lower_bound=1,
)
_NUM_PROCESSES = flags.DEFINE_integer(
    "num_processes",
    ConversionConfig.num_processes,
    "Worker processes; 0: one for each core, 1: no workers.",
    lower_bound=0,
)
_SEED = flags.DEFINE_integer(
    "seed", ConversionConfig.seed, "Seed of the split and of the order of the videos."
)

flags.register_validator(
    _VAL_FRACTION, lambda value: 0 <= value < 1, "must lie in [0, 1)"
)
flags.register_validator(_FPS, lambda value: value > 0, "must be above 0")


def config() -> ConversionConfig:
    """Returns the conversion that the command line asks for."""
    return ConversionConfig(
        videos=_VIDEOS.value,
        output_dir=_OUTPUT_DIR.value,
        val_fraction=_VAL_FRACTION.value,
        fps=_FPS.value,
        shortest_side=_SHORTEST_SIDE.value,
        jpeg_quality=_JPEG_QUALITY.value,
        min_frames=_MIN_FRAMES.value,
        videos_per_shard=_VIDEOS_PER_SHARD.value,
        num_processes=_NUM_PROCESSES.value,
        seed=_SEED.value,
    )
