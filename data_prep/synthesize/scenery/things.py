"""Things that stand in the scenes, made of meshes with colors."""

from __future__ import annotations

import dataclasses
import math
from typing import Callable

import numpy as np

from data_prep.synthesize.rendering.meshes import (
    Color,
    Mesh,
    box,
    ellipsoid,
    loft,
    turn_about_y,
)
from data_prep.synthesize.rendering.picture import Picture
from data_prep.synthesize.scenery.backdrop import Capsule
from data_prep.synthesize.scenery.scenes import SCENES


@dataclasses.dataclass(frozen=True)
class Thing:
    """A thing at its place.

    Attributes:
      parts: meshes in the world, with their colors.
      place: point on the ground, x and z in meters.
      radius: radius of the circle on the ground that it covers, in meters.
      toy: number of one of pybullet's random objects, if it is one; otherwise -1.
      size: size of that object in meters.
    """

    parts: tuple[tuple[Mesh, Color], ...]
    place: tuple[float, float]
    radius: float
    toy: int = -1
    size: float = 0.0


# Meshes about the origin with their colors, and the radius on the ground.
_Shape = tuple[list[tuple[Mesh, Color]], float]

_WOOD, _BARK, _STEEL = (0.55, 0.38, 0.22), (0.35, 0.24, 0.16), (0.42, 0.44, 0.47)
_BRIGHT = (
    *((0.9, 0.25, 0.2), (0.98, 0.75, 0.2), (0.2, 0.5, 0.85), (0.3, 0.7, 0.4)),
    *((0.95, 0.95, 0.92), (0.65, 0.3, 0.7)),
)
# These stand farther away, since they are high.
_HIGH = ("tree", "pine", "lamp")


def layout(scene: str) -> list[Thing]:
    """Returns the things of a scene, which always stand at the same places."""
    rng = np.random.default_rng([1, list(SCENES).index(scene)])
    numbers = SCENES[scene].things
    kinds = [kind for kind, number in numbers.items() for _ in range(number)]
    turn = rng.uniform(0, 2 * math.pi)
    found = []
    for number, kind in enumerate(rng.permutation(kinds)):
        # Around the middle, in all directions.
        angle = turn + 2 * math.pi * (number + rng.uniform(-0.3, 0.3)) / len(kinds)
        distance = rng.uniform(2.6, 7.0) + (1.5 if kind in _HIGH else 0.0)
        place = distance * math.cos(angle), distance * math.sin(angle)
        if kind == "toy":
            toy, size = int(rng.integers(1000)), rng.uniform(0.5, 1.0)
            found.append(Thing((), place, 0.6 * size, toy, size))
            continue
        parts, radius = _KINDS[str(kind)](rng)
        rotation = turn_about_y(rng.uniform(0, 2 * math.pi))
        moved = tuple(
            (mesh.turned(rotation).moved((place[0], 0.0, place[1])), color)
            for mesh, color in parts
        )
        found.append(Thing(moved, place, radius))
    return found


def add(picture: Picture, thing: Thing) -> None:
    """Adds a thing to a picture at its place."""
    for mesh, color in thing.parts:
        picture.add(mesh, color)
    if thing.toy >= 0:
        color = np.random.default_rng(thing.toy).uniform(0.1, 0.95, 3).tolist()
        center = np.array([thing.place[0], 0.4 * thing.size, thing.place[1]])
        picture.add_random_object(thing.toy, thing.size, color, center)


def capsules(thing: Thing) -> list[Capsule]:
    """Returns what a thing casts shadows as."""
    found = []
    for mesh, _ in thing.parts:
        low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
        middle, half = (low + high) / 2, (high - low) / 2
        radius = float(min(half[0], half[2]))
        rise = max(float(half[1]) - radius, 0.0)
        up = np.array([0.0, rise, 0.0])
        found.append((middle - up, middle + up, radius))
    if thing.toy >= 0:
        at = np.array([thing.place[0], 0.4 * thing.size, thing.place[1]])
        found.append((at, at, 0.4 * thing.size))
    return found


def _tube(height: float, low: float, high: float, bottom: float = 0.0) -> Mesh:
    top = bottom + height
    ends = (bottom, 0.0, 0.0, 0.0), (top, 0.0, 0.0, 0.0)
    sides = (bottom, low, low, 0.0), (top, high, high, 0.0)
    return loft([ends[0], *sides, ends[1]], 8)


def _bright(rng: np.random.Generator) -> Color:
    return _BRIGHT[int(rng.integers(len(_BRIGHT)))]


def _tree(rng: np.random.Generator) -> _Shape:
    green = (float(rng.uniform(0.25, 0.35)), 0.48, 0.18)
    balls = (0.95, 0.0, 2.9, 0.0), (0.7, 0.6, 2.5, 0.3), (0.7, -0.5, 2.45, -0.4)
    crown = [
        (ellipsoid(radius, 0.9 * radius, radius).moved(place), green)
        for radius, *place in balls
    ]
    return [(_tube(2.4, 0.16, 0.1), _BARK), *crown], 0.4


def _pine(rng: np.random.Generator) -> _Shape:
    cones = [
        (_tube(1.0, 0.95 - 0.25 * step, 0.05, 0.5 + 0.6 * step), (0.15, 0.36, 0.28))
        for step in range(3)
    ]
    return [(_tube(0.6, 0.12, 0.12), _BARK), *cones], 0.9


def _bush(rng: np.random.Generator) -> _Shape:
    return [(ellipsoid(0.5, 0.45, 0.6).moved((0, 0.35, 0)), (0.3, 0.5, 0.22))], 0.6


def _rock(rng: np.random.Generator) -> _Shape:
    size = rng.uniform(0.25, 0.6)
    shape = ellipsoid(size, size * 0.7, size * 1.2, 5, 6).moved((0, size * 0.3, 0))
    return [(shape, (0.5, 0.46, 0.44))], size * 1.2


def _cactus(rng: np.random.Generator) -> _Shape:
    green = (0.27, 0.47, 0.26)
    arm = _tube(0.5, 0.09, 0.09, 0.7).moved((0, 0, 0.3))
    elbow = ellipsoid(0.08, 0.08, 0.2).moved((0, 0.7, 0.15))
    return [(_tube(1.5, 0.16, 0.13), green), (arm, green), (elbow, green)], 0.4


def _bench(rng: np.random.Generator) -> _Shape:
    seat = box(0.45, 0.06, 1.5).moved((0, 0.42, 0))
    back = box(0.06, 0.4, 1.5).moved((-0.22, 0.5, 0))
    legs = [(box(0.4, 0.42, 0.08).moved((0, 0, z)), _STEEL) for z in (-0.6, 0.6)]
    return [(seat, _WOOD), (back, _WOOD), *legs], 0.8


def _lamp(rng: np.random.Generator) -> _Shape:
    head = ellipsoid(0.2, 0.14, 0.2).moved((0, 2.7, 0))
    return [(_tube(2.6, 0.06, 0.04), _STEEL), (head, (0.98, 0.93, 0.7))], 0.2


def _parasol(rng: np.random.Generator) -> _Shape:
    color = _bright(rng)
    cloth = loft([(1.75, 1, 1, 0), (2.2, 0.05, 0.05, 0), (2.2, 0, 0, 0)])
    below = loft([(1.74, 0, 0, 0), (1.75, 1, 1, 0)])
    return [(_tube(2.2, 0.03, 0.03), _WOOD), (cloth, color), (below, color)], 0.4


def _cone(rng: np.random.Generator) -> _Shape:
    foot = box(0.4, 0.04, 0.4)
    return [(_tube(0.55, 0.16, 0.03), (0.95, 0.4, 0.12)), (foot, (0.9, 0.9, 0.9))], 0.3


def _barrel(rng: np.random.Generator) -> _Shape:
    return [(_tube(0.9, 0.3, 0.3), _bright(rng))], 0.35


def _mat(rng: np.random.Generator) -> _Shape:
    return [(box(1.2, 0.22, 2.0), (0.2, 0.4, 0.72))], 1.1


def _ball(rng: np.random.Generator) -> _Shape:
    return [(ellipsoid(0.18, 0.18, 0.18).moved((0, 0.18, 0)), _bright(rng))], 0.2


def _crate(rng: np.random.Generator) -> _Shape:
    size = rng.uniform(0.4, 0.8)
    return [(box(size, size, size), _WOOD)], 0.7 * size


_KINDS: dict[str, Callable[[np.random.Generator], _Shape]] = {
    **{"tree": _tree, "pine": _pine, "bush": _bush, "rock": _rock, "cactus": _cactus},
    **{"bench": _bench, "lamp": _lamp, "parasol": _parasol, "cone": _cone},
    **{"barrel": _barrel, "mat": _mat, "ball": _ball, "crate": _crate},
}
