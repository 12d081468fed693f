"""What a picture of an object shows, drawn at random from its seed.

As with real things, an object has a color of its own, which varies from piece to
piece, and mostly stands upright.  With any color in any position, its shape alone would
tell it, and a linear probe of so few pictures stays at chance.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from data_prep.synthesize.scenery.scenes import SCENES

NUM_OBJECTS = 64
OBJECTS = tuple(f"object_{number:03d}" for number in range(NUM_OBJECTS))
# How far a channel of a color is from that of the object, and the largest tilt.
_COLOR_RANGE, _TILT = 0.15, math.radians(30)


@dataclasses.dataclass(frozen=True)
class PicturePlan:
    """What a picture shows.

    Attributes:
      object: number of the object among pybullet's random ones.
      scene: a key of `SCENES`.
      place: where the object stands in the scene, x and z in meters.
      quaternion: rotation of the object, x, y, z, w.
      color: red, green and blue of the object, 0 to 1.
      extent: largest side of the object in meters.
      azimuth: direction from the object to the camera in radians.
      elevation: angle of the camera above the ground in radians.
      distance: distance of the camera in meters.
      aim: how far the object is from the middle, to the right and up, as fractions of
        the height of the picture.
      light: factor of the brightness.
    """

    object: int
    scene: str
    place: tuple[float, float]
    quaternion: tuple[float, float, float, float]
    color: tuple[float, float, float]
    extent: float
    azimuth: float
    elevation: float
    distance: float
    aim: tuple[float, float]
    light: float


def draw(seed: int, object: int, number: int) -> PicturePlan:
    """Draws what a picture shows, the same for the same arguments."""
    rng = np.random.default_rng([seed, 1000 + object, number])
    return PicturePlan(
        object=object,
        scene=list(SCENES)[int(rng.integers(len(SCENES)))],
        place=_pair(rng, -1.5, 1.5),
        quaternion=_upright(rng),
        color=_color(rng, object),
        extent=float(rng.uniform(0.9, 1.3)),
        azimuth=float(rng.uniform(0, 2 * math.pi)),
        elevation=float(rng.uniform(0.1, 1.0)),
        distance=float(rng.uniform(1.9, 2.6)),
        aim=_pair(rng, -0.12, 0.12),
        light=float(rng.uniform(0.8, 1.1)),
    )


def _color(rng: np.random.Generator, object: int) -> tuple[float, float, float]:
    own = np.random.default_rng([1000 + object]).uniform(0.15, 0.95, 3)
    red, green, blue = np.clip(own + rng.uniform(-_COLOR_RANGE, _COLOR_RANGE, 3), 0, 1)
    return float(red), float(green), float(blue)


def _upright(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """A tilt in any direction; the camera goes around, so nothing turns about y."""
    direction, half = rng.uniform(0, 2 * math.pi), rng.uniform(0, _TILT) / 2
    side = math.sin(half)
    return side * math.cos(direction), 0.0, side * math.sin(direction), math.cos(half)


def _pair(rng: np.random.Generator, low: float, high: float) -> tuple[float, float]:
    return float(rng.uniform(low, high)), float(rng.uniform(low, high))
