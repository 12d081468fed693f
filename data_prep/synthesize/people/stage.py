"""A video of people: who and what is where in each frame, and the views."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Iterator

import numpy as np

from data_prep.synthesize.people import body, motion_capture, skeleton
from data_prep.synthesize.people.motion_capture import MotionCapture
from data_prep.synthesize.people.persons import PERSONS
from data_prep.synthesize.people.plan import FPS, Shot, VideoPlan
from data_prep.synthesize.people.skeleton import Joints
from data_prep.synthesize.rendering import camera
from data_prep.synthesize.rendering.meshes import turn_about_y
from data_prep.synthesize.rendering.pybullet_session import data_path
from data_prep.synthesize.scenery import backdrop, things
from data_prep.synthesize.scenery.scenes import SCENES

# Deviation of the Gaussian by which a camera smooths the path that it follows.
_FOLLOW_SECS = 0.7
# Of a hand of strength 1: deviation of the aim in meters, of the eye, and of the roll.
_HAND = (0.03, 0.02, 0.006)


@dataclasses.dataclass(frozen=True)
class Actor:
    """A person during a shot.

    Attributes:
      person: a key of `PERSONS`.
      joints: joints in each frame of the video.
    """

    person: str
    joints: list[Joints]


@functools.cache
def capture(action: str) -> MotionCapture:
    """Returns the motion capture of an action, which pybullet brings."""
    name = f"humanoid3d_{action}.txt"
    return motion_capture.read(data_path("data", "motions", name))


def lead(plan: VideoPlan, shot: Shot, num_frames: int) -> tuple[Actor, np.ndarray]:
    """Returns the person who acts, and the path [T, 3] that a camera follows."""
    reach = math.ceil(3 * _FOLLOW_SECS * FPS)
    times = plan.phase + np.arange(-reach, num_frames + reach) / FPS * plan.speed
    recorded = capture(plan.action)
    poses = [recorded.pose(time) for time in times]
    shape = PERSONS[plan.person].proportions
    turn = turn_about_y(shot.heading)
    joints = [skeleton.place(pose, shape, plan.mirrored) for pose in poses]
    path = np.stack([frame.positions[0] for frame in joints]) @ turn.T
    smoothed = camera.smooth(path, _FOLLOW_SECS * FPS)
    # The middle of the path is the middle of the scene.
    middle = smoothed[num_frames // 2] * np.array([1.0, 0.0, 1.0])
    seen = joints[reach : reach + num_frames]
    return Actor(
        plan.person, [_moved(frame, turn, -middle) for frame in seen]
    ), smoothed - middle


def passers(plan: VideoPlan, num_frames: int) -> list[Actor]:
    """Returns the persons who walk by."""
    walk, found = capture("walk"), []
    for passer in plan.passers:
        shape = PERSONS[passer.person].proportions
        times = passer.phase + np.arange(num_frames) / FPS * passer.speed
        joints = [skeleton.place(walk.pose(time), shape) for time in times]
        turn = turn_about_y(passer.heading)
        middle = turn @ joints[num_frames // 2].positions[0]
        offset = np.array(
            [passer.start[0] - middle[0], 0.0, passer.start[1] - middle[2]]
        )
        found.append(
            Actor(passer.person, [_moved(frame, turn, offset) for frame in joints])
        )
    return found


def views(plan: VideoPlan, shot: Shot, path: np.ndarray) -> Iterator[camera.View]:
    """Yields the view in each frame; `path` is what the camera follows, [T, 3]."""
    kind = camera.CAMERAS[shot.camera]
    hand = kind.shake * camera.tremor(np.random.default_rng(plan.hand), len(path), FPS)
    angle = math.radians(kind.azimuth)
    away = np.array([math.cos(angle), 0.0, math.sin(angle)])
    right = np.array([math.sin(angle), 0.0, -math.cos(angle)])
    distance = kind.distance * shot.nearness
    height_of_picture = 2 * distance * math.tan(math.radians(kind.field) / 2)
    limit = SCENES[shot.scene].half_side - 0.3
    for frame, followed in enumerate(path):
        seconds = (frame - len(path) / 2) / FPS
        target = followed * np.array([1.0, 0.0, 1.0]) + np.array([0.0, 0.75, 0.0])
        target -= (
            shot.aim[0] * right + np.array([0.0, shot.aim[1], 0.0])
        ) * height_of_picture
        eye = target + distance * away
        eye[1] = kind.height
        moved = (shot.travel[0] * right - shot.travel[1] * 0.5 * away) * seconds
        eye += moved + _HAND[1] * hand[frame, 2] * right
        # The aim follows half of the way that the eye travels.
        target = target + 0.25 * moved
        target += _HAND[0] * (
            hand[frame, 0] * right + np.array([0.0, hand[frame, 1], 0.0])
        )
        if limit > 0:
            eye[[0, 2]] = np.clip(eye[[0, 2]], -limit, limit)
        yield camera.look(eye, target, _HAND[2] * hand[frame, 3], kind.field)


def standing(shot: Shot, path: np.ndarray, eyes: np.ndarray) -> list[things.Thing]:
    """Returns the things of a scene that stand neither in the way nor in the view."""
    found = []
    for thing in things.layout(shot.scene):
        place = np.array(thing.place)
        on_path = np.abs(_distances(place, path[:, [0, 2]])).min() < thing.radius + 0.8
        between = [0.0, 0.25, 0.5, 0.75, 1.0]
        in_view = any(
            _distances(
                place, (1 - part) * eyes[:, [0, 2]] + part * path[:, [0, 2]]
            ).min()
            < thing.radius + 0.35
            for part in between
        )
        if not on_path and not in_view:
            found.append(thing)
    return found


def shadow_capsules(actors: list[Actor], frame: int) -> Iterator[backdrop.Capsule]:
    """Yields what persons cast shadows as."""
    for actor in actors:
        shape = PERSONS[actor.person].proportions
        yield from body.capsules(actor.joints[frame], shape)


def _distances(place: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.sqrt(((points - place) ** 2).sum(axis=1))


def _moved(joints: Joints, turn: np.ndarray, offset: np.ndarray) -> Joints:
    return Joints(joints.positions @ turn.T + offset, turn @ joints.rotations)
