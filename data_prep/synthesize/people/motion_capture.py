"""Reads motion captures of a person, and gives the pose at any time.

The files are those that pybullet brings in `data/motions`, in the format of DeepMimic
(Peng et al. 2018): JSON with `Loop` (`wrap` or `none`) and `Frames`.  A frame has 44
numbers: its duration in seconds, the position of the root in meters (y is up), and
the rotations of `JOINTS` relative to their parents: quaternions w, x, y, z, or for
knees and elbows an angle about the z axis in radians.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math

import numpy as np

from data_prep.synthesize.rendering.meshes import turn_about_y
from vie_tf.storage.errors import UserError

JOINTS = (
    *("root", "chest", "neck", "right_hip", "right_knee", "right_ankle"),
    *("right_shoulder", "right_elbow", "left_hip", "left_knee", "left_ankle"),
    *("left_shoulder", "left_elbow"),
)
HINGES = ("right_knee", "right_elbow", "left_knee", "left_elbow")
_NUM_VALUES = 4 + sum(1 if joint in HINGES else 4 for joint in JOINTS)
# How long a movement that does not repeat pauses at both ends, in seconds.
_PAUSE_SECS = 0.25


@dataclasses.dataclass(frozen=True)
class Pose:
    """A person at a moment.

    Attributes:
      position: position of the root in meters, [3].
      rotations: rotations of the joints relative to their parents, [13, 3, 3].
    """

    position: np.ndarray
    rotations: np.ndarray


@dataclasses.dataclass(frozen=True)
class MotionCapture:
    """A recorded movement.

    Attributes:
      repeats: whether the last frame goes over into the first.
      times: times of the frames in seconds, [F], from 0.
      positions: positions of the root in meters, [F, 3].
      quaternions: rotations of the joints, [F, 13, 4].
    """

    repeats: bool
    times: np.ndarray
    positions: np.ndarray
    quaternions: np.ndarray

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return float(self.times[-1])

    def pose(self, seconds: float) -> Pose:
        """Returns the pose at any time, also before the start and after the end.

        A movement that repeats goes on from where it ended, in the direction that it
        then has.  Any other runs forward and backward in turn, with a short pause.
        """
        if not self.repeats:
            return self._within(self.recorded(seconds))
        cycle = math.floor(seconds / self.seconds)
        pose = self._within(seconds - cycle * self.seconds)
        turn, step = self._advance(cycle)
        rotations = pose.rotations.copy()
        rotations[0] = turn @ rotations[0]
        return Pose(turn @ pose.position + step, rotations)

    def recorded(self, seconds: float) -> float:
        """Returns the time in the recording that is shown at any time, in seconds."""
        if self.repeats:
            return seconds % self.seconds
        phase = seconds % (2 * (self.seconds + _PAUSE_SECS))
        if phase > self.seconds + _PAUSE_SECS:
            phase = 2 * self.seconds + _PAUSE_SECS - phase
        return min(max(phase, 0.0), self.seconds)

    def _advance(self, cycles: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the turn [3, 3] and step [3] that the ground plan takes in cycles."""
        angle = self._turn_of_a_cycle
        flat = np.array([1.0, 0.0, 1.0])
        start, end = self.positions[0] * flat, self.positions[-1] * flat
        step = np.zeros(3)
        for cycle in range(abs(cycles)):
            # From a cycle that begins at `step` with an angle, to the next or back.
            if cycles > 0:
                before = turn_about_y(cycle * angle)
                step = step + before @ end - turn_about_y((cycle + 1) * angle) @ start
            else:
                before = turn_about_y(-(cycle + 1) * angle)
                step = step + turn_about_y(-cycle * angle) @ start - before @ end
        return turn_about_y(cycles * angle), step

    @functools.cached_property
    def _turn_of_a_cycle(self) -> float:
        """Angle about the y axis between the directions at start and end, radians."""
        first, last = (matrices(self.quaternions[i, 0]) for i in (0, -1))
        relative = last @ first.T
        return math.atan2(
            relative[0, 2] - relative[2, 0], relative[0, 0] + relative[2, 2]
        )

    def _within(self, seconds: float) -> Pose:
        index = int(np.searchsorted(self.times, seconds, side="right")) - 1
        index = min(max(index, 0), len(self.times) - 2)
        start, end = self.times[index : index + 2]
        part = min(max((seconds - start) / (end - start), 0.0), 1.0)
        position = (1 - part) * self.positions[index] + part * self.positions[index + 1]
        first, second = self.quaternions[index : index + 2]
        # A quaternion and its negative are the same rotation: take the nearer one.
        sign = np.where((first * second).sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
        mixed = (1 - part) * first + part * sign * second  # [13, 4]
        mixed /= np.sqrt((mixed**2).sum(axis=1, keepdims=True))
        return Pose(position, matrices(mixed))


def read(path: str) -> MotionCapture:
    """Reads a motion capture.

    Raises:
      UserError: the file is no motion capture of this format.
    """
    try:
        with open(path) as file:
            content = json.load(file)
        frames = np.array(content["Frames"], np.float64)
        repeats = content["Loop"] == "wrap"
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path!r} is no motion capture of a humanoid ({error!r}); install"
            " pybullet again."
        ) from error
    if frames.ndim != 2 or frames.shape[1] != _NUM_VALUES or len(frames) < 2:
        raise UserError(
            f"{path!r} holds frames of the shape {frames.shape}; a motion capture of a"
            f" humanoid has two or more frames of {_NUM_VALUES} numbers."
        )
    times = np.concatenate([[0.0], np.cumsum(frames[:-1, 0])])
    return MotionCapture(repeats, times, frames[:, 1:4], _quaternions(frames[:, 4:]))


def _quaternions(values: np.ndarray) -> np.ndarray:
    """Returns the rotations of all joints as quaternions, [F, 13, 4]."""
    columns, first = [], 0
    for joint in JOINTS:
        if joint in HINGES:
            half = values[:, first] / 2
            zero = np.zeros_like(half)
            columns.append(np.stack([np.cos(half), zero, zero, np.sin(half)], axis=1))
        else:
            columns.append(values[:, first : first + 4])
        first += 1 if joint in HINGES else 4
    return np.stack(columns, axis=1)


def matrices(quaternions: np.ndarray) -> np.ndarray:
    """Returns rotation matrices [..., 3, 3] of unit quaternions w, x, y, z [..., 4]."""
    w, x, y, z = np.moveaxis(quaternions, -1, 0)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
