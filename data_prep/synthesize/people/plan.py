"""What a video of people shows, drawn at random from its seed: no picture yet."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from data_prep.synthesize.people.persons import PERSONS
from data_prep.synthesize.rendering.camera import CAMERAS
from data_prep.synthesize.scenery.scenes import SCENES

# Half the rate at which data sets are stored, so that every frame counts twice there.
FPS = 12.5
ACTIONS = (
    *("backflip", "cartwheel", "crawl", "dance_a", "dance_b", "getup_facedown"),
    *("getup_faceup", "jump", "kick", "punch", "roll", "run", "spin", "spinkick"),
    "walk",
)
# Actions that have a place of their own, as in life, and how often they are seen there.
HOMES = {
    **{"crawl": "beach", "dance_b": "stage", "roll": "gym", "run": "park"},
    "punch": "street",
}
AT_HOME = 0.8
_TWO_SCENES, _PASSERS_BY, _TRAVEL = 0.3, 0.2, 0.2
# People are seen from the side, within so many degrees.
_SIDE_DEGREES = 35.0
# Every fifth video of an action is for validation.
VALIDATION_EVERY = 5


@dataclasses.dataclass(frozen=True)
class Shot:
    """A part of a video without a cut.

    Attributes:
      scene: a key of `SCENES`.
      camera: a key of `CAMERAS`.
      heading: turn of the person about the y axis in radians.
      aim: how far the person is from the middle of the picture, to the right and up,
        as fractions of its height.
      nearness: factor of the distance of the camera.
      travel: velocity of the camera to its right and forward, in meters a second.
      light: factor of the brightness.
    """

    scene: str
    camera: str
    heading: float
    aim: tuple[float, float]
    nearness: float
    travel: tuple[float, float]
    light: float


@dataclasses.dataclass(frozen=True)
class Passer:
    """A person who walks by.

    Attributes:
      person: a key of `PERSONS`.
      start: where the middle of the path lies, x and z in meters.
      heading: turn about the y axis in radians.
      phase: time in the motion capture at the start, in seconds.
      speed: factor of the speed.
    """

    person: str
    start: tuple[float, float]
    heading: float
    phase: float
    speed: float


@dataclasses.dataclass(frozen=True)
class VideoPlan:
    """What a video shows.

    Attributes:
      action: an item of `ACTIONS`.
      number: number of the video within the action.
      person: a key of `PERSONS`.
      mirrored: whether left and right change places in the motion capture.
      speed: factor of the speed of the action.
      phase: time in the motion capture at the start, in seconds.
      shots: one or two parts.
      cut: frame at which the second part begins.
      passers: persons who walk by, in the first part.
      hand: seed of the trembling of the hand.
    """

    action: str
    number: int
    person: str
    mirrored: bool
    speed: float
    phase: float
    shots: tuple[Shot, ...]
    cut: int
    passers: tuple[Passer, ...]
    hand: int

    @property
    def split(self) -> str:
        """`train` or `val`."""
        is_val = self.number % VALIDATION_EVERY == VALIDATION_EVERY - 1
        return "val" if is_val else "train"


def draw(seed: int, action: str, number: int, num_frames: int) -> VideoPlan:
    """Draws what a video shows, the same for the same arguments."""
    rng = np.random.default_rng([seed, ACTIONS.index(action), number])
    home = HOMES.get(action, "")
    first = home if home and rng.uniform() < AT_HOME else _one_of(rng, SCENES)
    shots = [_shot(rng, first)]
    if rng.uniform() < _TWO_SCENES:
        others = [name for name in SCENES if name != first]
        shots.append(_shot(rng, _one_of(rng, others)))
    person = _one_of(rng, PERSONS)
    return VideoPlan(
        action=action,
        number=number,
        person=person,
        mirrored=bool(rng.uniform() < 0.5),
        speed=float(math.exp(rng.uniform(math.log(0.75), math.log(1.33)))),
        phase=float(rng.uniform(0, 20)),
        shots=tuple(shots),
        # The first scene is the longer one.
        cut=round(rng.uniform(0.5, 0.7) * num_frames),
        passers=_passers(rng, person),
        hand=int(rng.integers(2**31)),
    )


def _shot(rng: np.random.Generator, scene: str) -> Shot:
    camera = _one_of(rng, CAMERAS)
    travels = rng.uniform() < _TRAVEL
    travel = rng.uniform(-1.0, 1.0, 2) * (0.6 if travels else 0.0)
    return Shot(
        scene=scene,
        camera=camera,
        heading=_heading(rng, camera),
        aim=(float(rng.uniform(-0.42, 0.42)), float(rng.uniform(-0.15, 0.15))),
        nearness=float(rng.uniform(0.75, 1.3)),
        travel=(float(travel[0]), float(travel[1])),
        light=float(rng.uniform(0.88, 1.08)),
    )


def _heading(rng: np.random.Generator, camera: str) -> float:
    """Returns the turn of a person whom a camera sees from the left or right side."""
    # A turn about y takes x, where a person looks, to -z.
    side = float(rng.choice((-1, 1))) * math.pi / 2
    deviation = math.radians(rng.uniform(-_SIDE_DEGREES, _SIDE_DEGREES))
    return side + deviation - math.radians(CAMERAS[camera].azimuth)


def _passers(rng: np.random.Generator, person: str) -> tuple[Passer, ...]:
    if rng.uniform() >= _PASSERS_BY:
        return ()
    others = [name for name in PERSONS if name != person]
    found = []
    for _ in range(int(rng.integers(1, 3))):
        angle, distance = rng.uniform(0, 2 * math.pi), rng.uniform(2.5, 5.0)
        found.append(
            Passer(
                person=_one_of(rng, others),
                start=(distance * math.cos(angle), distance * math.sin(angle)),
                # Past the middle, not through it.
                heading=float(-angle + math.pi / 2 * rng.choice((-1, 1))),
                phase=float(rng.uniform(0, 20)),
                speed=float(rng.uniform(0.8, 1.2)),
            )
        )
    return tuple(found)


def _one_of(rng: np.random.Generator, names: object) -> str:
    choices = list(names)  # type: ignore[call-overload]
    return str(choices[int(rng.integers(len(choices)))])
