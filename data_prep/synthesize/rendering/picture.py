"""A picture of bodies and things by pybullet's software renderer."""

from __future__ import annotations

import dataclasses
import functools
from typing import Sequence

import numpy as np

from data_prep.decode.opencv import cv2
from data_prep.synthesize.rendering import meshes, pybullet_session
from data_prep.synthesize.rendering.camera import View
from data_prep.synthesize.rendering.meshes import Color, Mesh

# Bodies are rendered larger and averaged, for smooth edges.
_OVERSAMPLING = 2
_NEAR, _FAR = 0.1, 60.0


@dataclasses.dataclass(frozen=True)
class Light:
    """Light from far away.

    Attributes:
      direction: direction to the light, x, y (up) and z.
      color: color of the light.
      ambient: share of the light that comes from everywhere.
    """

    direction: tuple[float, float, float]
    color: Color
    ambient: float


class Picture:
    """The bodies of a picture in pybullet; a new one takes the place of the last.

    Args:
      light: light that falls on them.
      size: width and height in pixels.
    """

    def __init__(self, light: Light, size: tuple[int, int]) -> None:
        self._pybullet = pybullet_session.load()
        self._pybullet.resetSimulation()
        self._light = light
        self._size = size

    def add(
        self,
        mesh: Mesh,
        color: Color,
        position: Sequence[float] = (0.0, 0.0, 0.0),
        quaternion: Sequence[float] = (0.0, 0.0, 0.0, 1.0),
    ) -> int:
        """Adds a mesh; returns its body, which can be moved.

        Args:
          mesh: its surface.
          color: its color.
          position: where its origin is, [3].
          quaternion: its rotation x, y, z, w.
        """
        shape = self._pybullet.createVisualShape(
            self._pybullet.GEOM_MESH,
            vertices=mesh.vertices.tolist(),
            indices=mesh.triangles.reshape(-1).tolist(),
            normals=mesh.normals.tolist(),
            rgbaColor=[*color, 1],
        )
        return self._pybullet.createMultiBody(
            baseVisualShapeIndex=shape,
            basePosition=list(position),
            baseOrientation=list(quaternion),
        )

    def add_random_object(
        self,
        number: int,
        extent: float,
        color: Color,
        center: np.ndarray,
        quaternion: Sequence[float] = (0.0, 0.0, 0.0, 1.0),
    ) -> None:
        """Adds one of the thousand objects that pybullet brings.

        Args:
          number: number of the object, 0 to 999.
          extent: its largest side in meters.
          color: its color.
          center: where the middle of its bounding box is put, [3].
          quaternion: its rotation x, y, z, w.
        """
        self.add(random_object(number, extent), color, center.tolist(), quaternion)

    def move(
        self, body: int, position: np.ndarray, quaternion: Sequence[float]
    ) -> None:
        """Moves a body to a position [3], with a rotation x, y, z, w."""
        self._pybullet.resetBasePositionAndOrientation(
            body, position.tolist(), quaternion
        )

    def over(self, behind: np.ndarray, view: View) -> np.ndarray:
        """Returns a picture [H, W, 3] with the bodies in front of it."""
        width, height = (_OVERSAMPLING * side for side in self._size)
        light = self._light
        target = view.eye + view.axes[2]
        _, _, colors, _, which = self._pybullet.getCameraImage(
            width,
            height,
            self._pybullet.computeViewMatrix(
                view.eye.tolist(), target.tolist(), view.axes[1].tolist()
            ),
            self._pybullet.computeProjectionMatrixFOV(
                view.field, width / height, _NEAR, _FAR
            ),
            renderer=self._pybullet.ER_TINY_RENDERER,
            shadow=0,
            lightDirection=list(light.direction),
            lightColor=list(light.color),
            lightAmbientCoeff=light.ambient,
            lightDiffuseCoeff=1.15 - light.ambient,
            lightSpecularCoeff=0.05,
        )
        colors = np.reshape(colors, (height, width, 4))[:, :, :3]
        cover = (np.reshape(which, (height, width, 1)) >= 0).astype(np.float32)
        seen = np.concatenate([colors * cover, cover], axis=2)
        seen = cv2.resize(seen, self._size, interpolation=cv2.INTER_AREA)
        return seen[:, :, :3] + (1 - seen[:, :, 3:]) * behind


@functools.lru_cache(maxsize=128)
def random_object(number: int, extent: float) -> Mesh:
    """Returns one of pybullet's random objects about the origin.

    Args:
      number: number of the object, 0 to 999.
      extent: its largest side in meters.
    """
    name = f"{number:03d}"
    with open(pybullet_session.data_path("random_urdfs", name, f"{name}.obj")) as file:
        mesh = meshes.read_obj(file)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    scale = extent / float((high - low).max())
    return meshes.flat((mesh.vertices - (low + high) / 2) * scale, mesh.triangles)


def quaternion(rotation: np.ndarray) -> list[float]:
    """Returns the quaternion x, y, z, w of a rotation [3, 3]."""
    trace = rotation[0, 0] + rotation[1, 1] + rotation[2, 2]
    values = np.array([rotation[0, 0], rotation[1, 1], rotation[2, 2], trace])
    largest = int(values.argmax())
    if largest == 3:
        scale = 2 * np.sqrt(1 + trace)
        rest = [
            rotation[2, 1] - rotation[1, 2],
            rotation[0, 2] - rotation[2, 0],
            rotation[1, 0] - rotation[0, 1],
        ]
        return [*(float(value / scale) for value in rest), float(scale / 4)]
    i, j, k = largest, (largest + 1) % 3, (largest + 2) % 3
    scale = 2 * np.sqrt(1 + rotation[i, i] - rotation[j, j] - rotation[k, k])
    found = [0.0] * 4
    found[i] = float(scale / 4)
    found[j] = float((rotation[j, i] + rotation[i, j]) / scale)
    found[k] = float((rotation[k, i] + rotation[i, k]) / scale)
    found[3] = float((rotation[k, j] - rotation[j, k]) / scale)
    return found
