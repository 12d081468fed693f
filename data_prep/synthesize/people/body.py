"""The parts of a person: meshes with colors, each in the frame of a joint."""

from __future__ import annotations

from typing import Iterator

import numpy as np

from data_prep.synthesize.people.motion_capture import JOINTS
from data_prep.synthesize.people.persons import Person
from data_prep.synthesize.people.skeleton import Joints, Proportions
from data_prep.synthesize.rendering.meshes import Color, Mesh, ellipsoid, limb, loft

Part = tuple[str, Mesh, Color]
"""Joint, mesh in the frame of the joint, and color."""


def parts(person: Person) -> list[Part]:
    """Returns the parts of a body."""
    return [
        *_trunk(person),
        *_head(person),
        *(part for side in ("right", "left") for part in _arm(person, side)),
        *(part for side in ("right", "left") for part in _leg(person, side)),
    ]


def _trunk(person: Person) -> Iterator[Part]:
    shape = person.proportions
    h, g = shape.height, shape.height * shape.girth
    wide = shape.height * shape.shoulders * (1 + shape.girth) / 2
    pelvis = [
        *((-0.085 * h, 0, 0, 0), (-0.07 * h, 0.07 * g, 0.09 * g, 0)),
        *((-0.01 * h, 0.105 * g, 0.145 * g, 0), (0.07 * h, 0.098 * g, 0.135 * g, 0)),
        *((0.15 * h, 0.088 * g, 0.12 * g, 0), (0.17 * h, 0, 0, 0)),
    ]
    yield "root", loft(pelvis, 12), person.trousers
    chest = [
        *((-0.14 * h, 0, 0, 0), (-0.13 * h, 0.088 * g, 0.118 * g, 0)),
        *((-0.02 * h, 0.09 * g, 0.12 * g, 0), (0.1 * h, 0.112 * g, 0.155 * wide, 0)),
        *((0.2 * h, 0.105 * g, 0.18 * wide, 0), (0.26 * h, 0.075 * g, 0.15 * wide, 0)),
        *((0.295 * h, 0.045 * g, 0.07 * wide, 0), (0.3 * h, 0, 0, 0)),
    ]
    yield "chest", loft(chest, 12), person.shirt


def _head(person: Person) -> Iterator[Part]:
    size = person.proportions.height * person.proportions.head
    girth = person.proportions.height * person.proportions.girth
    neck = limb(0.1 * size, 0.05 * girth, 0.055 * girth).moved((0, 0.1 * size, 0))
    yield "neck", neck, person.skin
    head = ellipsoid(0.1 * size, 0.125 * size, 0.088 * size).moved((0, 0.185 * size, 0))
    yield "neck", head, person.skin
    nose = ellipsoid(0.022 * size, 0.02 * size, 0.014 * size, 5, 6)
    yield "neck", nose.moved((0.1 * size, 0.175 * size, 0)), person.skin
    hair = ellipsoid(0.103 * size, 0.105 * size, 0.098 * size)
    yield "neck", hair.moved((-0.018 * size, 0.225 * size, 0)), person.hair
    if person.hair_style == "long":
        tail = ellipsoid(0.055 * size, 0.15 * size, 0.085 * size)
        yield "neck", tail.moved((-0.085 * size, 0.12 * size, 0)), person.hair
    elif person.hair_style == "bun":
        bun = ellipsoid(0.05 * size, 0.05 * size, 0.05 * size, 6, 8)
        yield "neck", bun.moved((-0.11 * size, 0.28 * size, 0)), person.hair
    elif person.hair_style == "cap":
        crown = ellipsoid(0.112 * size, 0.085 * size, 0.104 * size)
        yield "neck", crown.moved((-0.008 * size, 0.26 * size, 0)), person.shirt
        peak = ellipsoid(0.075 * size, 0.012 * size, 0.07 * size, 5)
        yield "neck", peak.moved((0.1 * size, 0.25 * size, 0)), person.shirt


def _arm(person: Person, side: str) -> Iterator[Part]:
    shape = person.proportions
    length, girth = shape.height * shape.arms, shape.height * shape.girth
    upper = person.skin if person.sleeves == "none" else person.shirt
    lower = person.shirt if person.sleeves == "long" else person.skin
    arm = limb(0.2748 * length, 0.06 * girth, 0.042 * girth, 0.053 * girth)
    yield f"{side}_shoulder", arm, upper
    forearm = limb(0.23 * length, 0.043 * girth, 0.03 * girth, 0.042 * girth)
    yield f"{side}_elbow", forearm, lower
    hand = ellipsoid(0.036 * girth, 0.06 * length, 0.026 * girth, 6, 8)
    yield f"{side}_elbow", hand.moved((0, -0.29 * length, 0)), person.skin


def _leg(person: Person, side: str) -> Iterator[Part]:
    shape = person.proportions
    length, girth = shape.height * shape.legs, shape.height * shape.girth
    thigh = limb(0.4215 * length, 0.085 * girth, 0.06 * girth, 0.08 * girth)
    yield f"{side}_hip", thigh, person.trousers
    lower = person.trousers if person.legs == "long" else person.skin
    shin = limb(0.39 * length, 0.06 * girth, 0.04 * girth, 0.057 * girth)
    yield f"{side}_knee", shin, lower
    size = shape.height
    rings = [
        *((-0.052 * size, 0.11 * size, 0.038 * size, 0.05 * size),),
        *((-0.035 * size, 0.125 * size, 0.046 * size, 0.05 * size),),
        *((-0.005 * size, 0.09 * size, 0.042 * size, 0.025 * size),),
        *((0.045 * size, 0.048 * size, 0.042 * size, -0.01 * size),),
        *((0.05 * size, 0, 0, -0.01 * size),),
    ]
    sole = [(-0.053 * size, 0, 0, 0.05 * size)]
    yield f"{side}_ankle", loft([*sole, *rings], 10), person.shoes


def capsules(
    joints: Joints, proportions: Proportions
) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Returns what a body casts shadows as: start, end (each [3]) and radius."""
    girth = 0.5 * proportions.height * (1 + proportions.girth)
    index = {joint: number for number, joint in enumerate(JOINTS)}

    def point(joint: str, y: float, x: float = 0.0) -> np.ndarray:
        offset = np.array([x, y, 0.0]) * proportions.height
        return joints.positions[index[joint]] + joints.rotations[index[joint]] @ offset

    def joint_at(name: str) -> np.ndarray:
        return joints.positions[index[name]]

    found = [
        (point("root", 0.02), point("chest", -0.02), 0.12 * girth),
        (point("chest", 0.0), point("chest", 0.2), 0.13 * girth),
        (joint_at("right_shoulder"), joint_at("left_shoulder"), 0.07 * girth),
        (point("neck", 0.1), point("neck", 0.2), 0.11 * proportions.height),
    ]
    for side in ("right", "left"):
        hip, knee, ankle, shoulder, elbow = (
            f"{side}_{name}" for name in ("hip", "knee", "ankle", "shoulder", "elbow")
        )
        found += [
            (joint_at(hip), joint_at(knee), 0.08 * girth),
            (joint_at(knee), joint_at(ankle), 0.055 * girth),
            (joint_at(ankle), point(ankle, -0.03, 0.13), 0.045 * girth),
            (joint_at(shoulder), joint_at(elbow), 0.055 * girth),
            (joint_at(elbow), point(elbow, -0.3), 0.042 * girth),
        ]
    return found
