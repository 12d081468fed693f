"""The skeleton of a person: where the joints are when a pose is given.

The lengths are those of the humanoid that belongs to the motion captures, in meters.
At rest a person looks along x, y is up, and the right side is at positive z.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from data_prep.synthesize.people.motion_capture import JOINTS, Pose

# Parent and offset from it, of every joint but the root.
_TREE: dict[str, tuple[str, tuple[float, float, float]]] = {
    "chest": ("root", (0.0, 0.236, 0.0)),
    "neck": ("chest", (0.0, 0.224, 0.0)),
    "right_hip": ("root", (0.0, 0.0, 0.085)),
    "right_knee": ("right_hip", (0.0, -0.4215, 0.0)),
    "right_ankle": ("right_knee", (0.0, -0.41, 0.0)),
    "right_shoulder": ("chest", (-0.024, 0.2435, 0.183)),
    "right_elbow": ("right_shoulder", (0.0, -0.2748, 0.0)),
    "left_hip": ("root", (0.0, 0.0, -0.085)),
    "left_knee": ("left_hip", (0.0, -0.4215, 0.0)),
    "left_ankle": ("left_knee", (0.0, -0.41, 0.0)),
    "left_shoulder": ("chest", (-0.024, 0.2435, -0.183)),
    "left_elbow": ("left_shoulder", (0.0, -0.2748, 0.0)),
}
# What may touch the ground: joint, point in its frame, and its radius.
_CONTACTS = (
    *(
        (f"{side}_ankle", (x, -0.03, 0.0), 0.02)
        for side in ("right", "left")
        for x in (-0.04, 0.13)
    ),
    *((f"{side}_elbow", (0.0, -0.26, 0.0), 0.04) for side in ("right", "left")),
    *((f"{side}_knee", (0.0, 0.0, 0.0), 0.05) for side in ("right", "left")),
    *(("neck", (0.0, 0.175, 0.0), 0.1), ("chest", (0.0, 0.12, 0.0), 0.11)),
    ("root", (0.0, 0.07, 0.0), 0.09),
)


@dataclasses.dataclass(frozen=True)
class Proportions:
    """Factors of the lengths and widths of a body.

    Attributes:
      height: factor of everything.
      legs: further factor of the lengths of thighs and shins.
      arms: further factor of the lengths of the arms.
      shoulders: further factor of the width of the shoulders.
      girth: further factor of the thickness of all parts.
      head: further factor of the size of the head.
    """

    height: float = 1.0
    legs: float = 1.0
    arms: float = 1.0
    shoulders: float = 1.0
    girth: float = 1.0
    head: float = 1.0

    def offset(self, joint: str) -> np.ndarray:
        """Returns the offset of a joint from its parent in meters, [3]."""
        factors = {"knee": self.legs, "ankle": self.legs, "elbow": self.arms}
        factor = factors.get(joint.split("_")[-1], 1.0)
        offset = np.array(_TREE[joint][1]) * factor * self.height
        if joint.endswith("shoulder"):
            offset[2] *= self.shoulders
        return offset


@dataclasses.dataclass(frozen=True)
class Joints:
    """Joints of a person in the world.

    Attributes:
      positions: positions in meters, [13, 3].
      rotations: rotations from the frames of the joints to the world, [13, 3, 3].
    """

    positions: np.ndarray
    rotations: np.ndarray


_NATURAL = Proportions()


def place(pose: Pose, proportions: Proportions, mirrored: bool = False) -> Joints:
    """Returns the joints of a person in a pose.

    The lowest point of the body is as high above the ground as that of a body with
    natural proportions would be, so that feet neither float nor sink.

    Args:
      pose: pose that was recorded.
      proportions: lengths of the body.
      mirrored: whether left and right change places.
    """
    joints = _chain(pose, proportions)
    natural = _chain(pose, _NATURAL)
    rise = _lowest(natural, 1.0) * proportions.height - _lowest(
        joints, proportions.height
    )
    positions = joints.positions + np.array([0.0, rise, 0.0])
    if not mirrored:
        return Joints(positions, joints.rotations)
    mirror = np.diag([1.0, 1.0, -1.0])
    # Parts look the same in a mirror, so that a mirrored frame is a rotation again.
    return Joints(positions @ mirror, mirror @ joints.rotations @ mirror)


def _chain(pose: Pose, proportions: Proportions) -> Joints:
    positions = np.zeros((len(JOINTS), 3))
    rotations = np.array(pose.rotations)
    positions[0] = pose.position * proportions.height
    for index, parent, offset in _offsets(proportions):
        positions[index] = positions[parent] + rotations[parent] @ offset
        rotations[index] = rotations[parent] @ rotations[index]
    return Joints(positions, rotations)


@functools.lru_cache(maxsize=64)
def _offsets(proportions: Proportions) -> list[tuple[int, int, np.ndarray]]:
    return [
        (JOINTS.index(joint), JOINTS.index(parent), proportions.offset(joint))
        for joint, (parent, _) in _TREE.items()
    ]


def _lowest(joints: Joints, height: float) -> float:
    return min(
        joints.positions[JOINTS.index(joint), 1]
        + height
        * (float(joints.rotations[JOINTS.index(joint), 1] @ np.array(point)) - radius)
        for joint, point, radius in _CONTACTS
    )
