"""The world of moving textures, whose class is the motion."""

from __future__ import annotations

import math

from data_prep.config import SynthesisConfig
from data_prep.synthesize.motions import MOTIONS
from data_prep.synthesize.render import VideoTask
from data_prep.synthesize.world import World
from vie_tf.storage.errors import UserError

# A longer zoom would end in blur or in a repeating pattern.
_LONGEST_SCENE_SECS = 1.5


def _check(config: SynthesisConfig) -> None:
    if config.seconds / config.scenes > _LONGEST_SCENE_SECS:
        least = math.ceil(config.seconds / _LONGEST_SCENE_SECS)
        raise UserError(
            f"--seconds={config.seconds:g} in --scenes={config.scenes} gives scenes of"
            f" more than {_LONGEST_SCENE_SECS} s, too long for a zoom; use"
            f" --scenes={least}."
        )


MOTION_WORLD = World(
    classes=tuple(MOTIONS),
    num_classes=8,
    task=VideoTask,
    settings=("size", "seconds", "scenes", "seed"),
    kind="motion",
    check=_check,
)
