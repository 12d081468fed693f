"""The ten scenes of the world: ground, background, light and things."""

from __future__ import annotations

import dataclasses
import functools
from typing import Callable

import numpy as np

from data_prep.synthesize.rendering.picture import Light
from data_prep.synthesize.scenery import backgrounds

# Of the background of a room: meters from the floor to its top.
WALL_METERS = 7.0


@dataclasses.dataclass(frozen=True)
class Scene:
    """What a scene looks like.

    Attributes:
      ground: paints the ground, square, float32 RGB.
      ground_meters: side of that picture in the world, which repeats.
      background: paints the background, float32 RGB: of a turn of 360 degrees, or of
        the four walls of a room.
      light: light on people and things.
      shadow: darkness of shadows, 0 to 1.
      things: kinds of things that stand around, by their number.
      half_side: half of the side of a room in meters, or 0 in the open.
      horizon_degrees: elevation above which the background hides the ground.
    """

    ground: Callable[[np.random.Generator], np.ndarray]
    ground_meters: float
    background: Callable[[np.random.Generator], np.ndarray]
    light: Light
    shadow: float
    things: dict[str, int]
    half_side: float = 0.0
    horizon_degrees: float = 0.0


_DAY = (1.0, 0.98, 0.92)
SCENES: dict[str, Scene] = {
    "park": Scene(
        ground=backgrounds.mottled((104, 152, 66), 0.13, 60),
        ground_meters=8,
        background=backgrounds.park,
        light=Light((0.5, 1.0, 0.35), _DAY, 0.55),
        shadow=0.5,
        things={"tree": 4, "bush": 3, "bench": 2, "ball": 1},
    ),
    "beach": Scene(
        ground=backgrounds.mottled((232, 208, 160), 0.06, 40),
        ground_meters=8,
        background=backgrounds.beach,
        light=Light((-0.7, 0.8, 0.5), (1.0, 0.95, 0.85), 0.6),
        shadow=0.42,
        things={"parasol": 3, "rock": 3, "ball": 2},
        horizon_degrees=-5.0,
    ),
    "gym": Scene(
        ground=backgrounds.planks((206, 152, 92), 8),
        ground_meters=6,
        background=backgrounds.gym,
        light=Light((0.15, 1.0, 0.1), (1.0, 0.97, 0.9), 0.62),
        shadow=0.35,
        things={"mat": 3, "crate": 2, "ball": 2},
        half_side=12.0,
    ),
    "street": Scene(
        ground=backgrounds.asphalt,
        ground_meters=9,
        background=backgrounds.street,
        light=Light((-0.4, 1.0, -0.5), (1.0, 1.0, 1.0), 0.6),
        shadow=0.45,
        things={"lamp": 3, "cone": 4, "crate": 2},
    ),
    "snow": Scene(
        ground=backgrounds.mottled((228, 234, 246), 0.035, 80),
        ground_meters=9,
        background=backgrounds.snow,
        light=Light((0.8, 0.7, -0.4), (1.0, 0.98, 0.95), 0.62),
        shadow=0.36,
        things={"pine": 5, "rock": 2},
    ),
    "stage": Scene(
        ground=backgrounds.planks((92, 62, 46), 10),
        ground_meters=6,
        background=backgrounds.stage,
        light=Light((0.3, 1.0, 0.5), (1.0, 0.9, 0.78), 0.5),
        shadow=0.6,
        things={"lamp": 2, "crate": 2, "toy": 2},
        half_side=11.0,
    ),
    "desert": Scene(
        ground=backgrounds.mottled((222, 160, 100), 0.08, 90),
        ground_meters=8,
        background=backgrounds.desert,
        light=Light((0.9, 0.55, 0.4), (1.0, 0.9, 0.75), 0.5),
        shadow=0.55,
        things={"rock": 5, "cactus": 4},
    ),
    "playground": Scene(
        ground=backgrounds.court,
        ground_meters=10,
        background=backgrounds.playground,
        light=Light((0.35, 1.0, -0.6), _DAY, 0.58),
        shadow=0.45,
        things={"toy": 5, "ball": 2, "tree": 2},
    ),
    "roof": Scene(
        ground=backgrounds.slabs((150, 132, 138), 32),
        ground_meters=5,
        background=backgrounds.roof,
        light=Light((-0.9, 0.5, 0.3), (1.0, 0.78, 0.62), 0.5),
        shadow=0.5,
        things={"crate": 3, "barrel": 3, "bush": 2},
    ),
    "room": Scene(
        ground=backgrounds.tiles(((206, 190, 168), (150, 96, 78)), 32),
        ground_meters=5,
        background=backgrounds.room,
        light=Light((-0.2, 1.0, 0.3), (1.0, 0.95, 0.88), 0.6),
        shadow=0.38,
        things={"toy": 4, "crate": 2, "lamp": 2},
        half_side=9.0,
    ),
}


@functools.cache
def pictures(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns ground and background of a scene, float32 RGB."""
    rng = np.random.default_rng(list(SCENES).index(name))
    scene = SCENES[name]
    ground, background = scene.ground(rng), scene.background(rng)
    return np.clip(ground, 0, 255), np.clip(background, 0, 255)
