"""Synthesis of videos whose class is a motion."""

from __future__ import annotations

from absl import flags

from data_prep.config import SynthesisConfig

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for the videos.", required=True
)
_NUM_VIDEOS = flags.DEFINE_integer(
    "num_videos", SynthesisConfig.num_videos, "Videos over all classes.", lower_bound=1
)
_NUM_CLASSES = flags.DEFINE_integer(
    "num_classes", SynthesisConfig.num_classes, "Motions to choose from.", lower_bound=1
)
_SIZE = flags.DEFINE_integer(
    "size",
    SynthesisConfig.size,
    "Shortest side in pixels, even; frames are 4:3.",
    lower_bound=32,
)
_SECONDS = flags.DEFINE_float(
    "seconds", SynthesisConfig.seconds, "Length of a video in seconds.", lower_bound=0.1
)
_SCENES = flags.DEFINE_integer(
    "scenes",
    SynthesisConfig.scenes,
    "The texture changes every --seconds / --scenes seconds.",
    lower_bound=1,
)
_NUM_PROCESSES = flags.DEFINE_integer(
    "num_processes",
    SynthesisConfig.num_processes,
    "Worker processes; 0: one for each core, 1: no workers.",
    lower_bound=0,
)
_SEED = flags.DEFINE_integer(
    "seed", SynthesisConfig.seed, "Same seed, same videos.", lower_bound=0
)

flags.register_validator(_SIZE, lambda value: value % 2 == 0, "must be even")


def config() -> SynthesisConfig:
    """Returns the synthesis that the command line asks for."""
    return SynthesisConfig(
        output_dir=_OUTPUT_DIR.value,
        num_videos=_NUM_VIDEOS.value,
        num_classes=_NUM_CLASSES.value,
        size=_SIZE.value,
        seconds=_SECONDS.value,
        scenes=_SCENES.value,
        num_processes=_NUM_PROCESSES.value,
        seed=_SEED.value,
    )
