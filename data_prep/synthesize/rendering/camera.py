"""Cameras: where they stand, how they follow a person, and the rays of their pixels."""

from __future__ import annotations

import dataclasses
import math

import numpy as np


@dataclasses.dataclass(frozen=True)
class Camera:
    """A way to film, which many videos share.

    Attributes:
      azimuth: direction from the person to the camera in degrees.
      height: height above the ground in meters.
      distance: distance from the person in meters.
      field: vertical field of view in degrees.
      shake: how much a hand trembles; 1 is a calm hand, 0 a tripod.
    """

    azimuth: float
    height: float
    distance: float
    field: float
    shake: float


CAMERAS: dict[str, Camera] = {
    "tripod": Camera(20, 1.3, 3.4, 40, 0.0),
    "hand": Camera(70, 1.55, 3.1, 44, 0.8),
    "low": Camera(115, 0.6, 3.2, 44, 0.0),
    "balcony": Camera(160, 2.3, 3.6, 40, 0.0),
    "phone": Camera(205, 1.4, 2.9, 48, 1.2),
    "distant": Camera(250, 1.6, 5.2, 30, 0.0),
    "drone": Camera(295, 2.6, 3.5, 42, 0.6),
    "knee": Camera(340, 0.8, 3.6, 40, 0.0),
}


@dataclasses.dataclass(frozen=True)
class View:
    """A camera at a moment.

    Attributes:
      eye: position in meters, [3].
      axes: directions to the right, up and forward, [3, 3].
      field: vertical field of view in degrees.
    """

    eye: np.ndarray
    axes: np.ndarray
    field: float

    def rays(self, width: int, height: int) -> np.ndarray:
        """Returns the directions through the centers of all pixels, [H, W, 3].

        They have the length 1 along the axis of the camera.
        """
        scale = math.tan(math.radians(self.field) / 2)
        across = (2 * (np.arange(width) + 0.5) / width - 1) * scale * width / height
        down = (1 - 2 * (np.arange(height) + 0.5) / height) * scale
        right, up, forward = self.axes
        return (
            forward + across[None, :, None] * right + down[:, None, None] * up
        ).astype(np.float32)


def look(eye: np.ndarray, target: np.ndarray, roll: float, field: float) -> View:
    """Returns the view from a point to another, turned about its axis in radians."""
    forward = _unit(target - eye)
    right = _unit(np.cross(forward, np.array([0.0, 1.0, 0.0])))
    up = np.cross(right, forward)
    cos, sin = math.cos(roll), math.sin(roll)
    return View(
        eye, np.stack([cos * right + sin * up, cos * up - sin * right, forward]), field
    )


def tremor(rng: np.random.Generator, num_frames: int, fps: float) -> np.ndarray:
    """Returns how a hand drifts: four smooth curves of deviation 1, [T, 4]."""
    seconds = np.arange(num_frames) / fps
    curves = np.zeros((num_frames, 4))
    for _ in range(4):
        hertz = rng.uniform(0.15, 1.1, 4)
        phase = rng.uniform(0, 2 * math.pi, 4)
        curves += np.sin(2 * math.pi * hertz * seconds[:, None] + phase)
    return curves / math.sqrt(2)


def smooth(path: np.ndarray, deviation: float) -> np.ndarray:
    """Returns a path [T, 3] after a Gaussian filter, cut by three deviations a side."""
    reach = math.ceil(3 * deviation)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    weights /= weights.sum()
    return np.stack([np.convolve(axis, weights, "valid") for axis in path.T], axis=1)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / math.sqrt(float((vector**2).sum()))
