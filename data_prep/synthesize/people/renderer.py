"""Renders videos of people."""

from __future__ import annotations

from typing import Iterator

import numpy as np

from data_prep.synthesize.people import body, stage
from data_prep.synthesize.people.motion_capture import JOINTS
from data_prep.synthesize.people.persons import PERSONS
from data_prep.synthesize.people.plan import Shot, VideoPlan
from data_prep.synthesize.people.skeleton import Joints
from data_prep.synthesize.rendering.picture import Picture, quaternion
from data_prep.synthesize.scenery import backdrop, things
from data_prep.synthesize.scenery.scenes import SCENES


def render(
    plan: VideoPlan, num_frames: int, size: tuple[int, int]
) -> Iterator[np.ndarray]:
    """Yields the frames of a video.

    Args:
      plan: what it shows.
      num_frames: number of frames.
      size: width and height in pixels.

    Yields:
      [H, W, 3] uint8 BGR.
    """
    starts = [0, plan.cut, num_frames][: len(plan.shots)] + [num_frames]
    for number, shot in enumerate(plan.shots):
        frames = range(starts[number], starts[number + 1])
        yield from _shot(plan, shot, frames, num_frames, size, with_passers=number == 0)


def _shot(
    plan: VideoPlan,
    shot: Shot,
    frames: range,
    num_frames: int,
    size: tuple[int, int],
    *,
    with_passers: bool,
) -> Iterator[np.ndarray]:
    actor, path = stage.lead(plan, shot, num_frames)
    views = list(stage.views(plan, shot, path))
    eyes = np.stack([view.eye for view in views])
    actors = [actor, *(stage.passers(plan, num_frames) if with_passers else [])]
    standing = stage.standing(shot, path, eyes)
    scene = SCENES[shot.scene]
    picture = Picture(scene.light, size)
    for thing in standing:
        things.add(picture, thing)
    bodies = [_add_person(picture, item.person) for item in actors]
    still = [capsule for thing in standing for capsule in things.capsules(thing)]
    for frame in frames:
        for parts, item in zip(bodies, actors):
            _move(picture, parts, item.joints[frame])
        around = path[frame]
        capsules = [*still, *stage.shadow_capsules(actors, frame)]
        shadows = backdrop.cast(capsules, around, scene.light.direction)
        behind = backdrop.draw(views[frame], shot.scene, shadows, around, size)
        seen = picture.over(behind, views[frame]) * shot.light
        yield np.clip(seen, 0, 255).astype(np.uint8)[:, :, ::-1]


def _add_person(picture: Picture, name: str) -> list[tuple[int, int]]:
    """Adds the parts of a person; returns their bodies with their joints."""
    return [
        (picture.add(mesh, color), JOINTS.index(joint))
        for joint, mesh, color in body.parts(PERSONS[name])
    ]


def _move(picture: Picture, parts: list[tuple[int, int]], joints: Joints) -> None:
    quaternions = [quaternion(rotation) for rotation in joints.rotations]
    for part, joint in parts:
        picture.move(part, joints.positions[joint], quaternions[joint])
