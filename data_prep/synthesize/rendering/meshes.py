"""Triangle meshes that bodies and things are made of."""

from __future__ import annotations

import dataclasses
import math
from typing import Iterable, Sequence

import numpy as np

Color = tuple[float, float, float]
"""Red, green and blue, 0 to 1."""

Ring = tuple[float, float, float, float]
"""Of a loft: height, half axes along x and z, and shift in x."""


@dataclasses.dataclass(frozen=True)
class Mesh:
    """A surface of triangles.

    Attributes:
      vertices: positions in meters, [V, 3].
      normals: unit vectors out of the surface, [V, 3].
      triangles: indices of vertices, counterclockwise from outside, [T, 3].
    """

    vertices: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray

    def moved(self, offset: Sequence[float]) -> Mesh:
        """Returns the mesh at another place."""
        return dataclasses.replace(self, vertices=self.vertices + np.array(offset))

    def turned(self, rotation: np.ndarray) -> Mesh:
        """Returns the mesh after a rotation [3, 3]."""
        vertices, normals = self.vertices @ rotation.T, self.normals @ rotation.T
        return dataclasses.replace(self, vertices=vertices, normals=normals)


def loft(rings: Sequence[Ring], segments: int = 10) -> Mesh:
    """Returns a closed surface through horizontal ellipses, from bottom to top.

    Args:
      rings: ellipses; those of size 0 are tips.
      segments: corners of an ellipse.
    """
    angles = np.arange(segments) * 2 * math.pi / segments
    rows = [
        np.stack(
            [x + depth * np.cos(angles), np.full(segments, y), width * np.sin(angles)],
            axis=1,
        )
        for y, depth, width, x in rings
    ]
    vertices = np.concatenate(rows)  # [R * S, 3]
    triangles = []
    for row in range(len(rings) - 1):
        for corner in range(segments):
            low, low_next = (
                row * segments + corner,
                row * segments + (corner + 1) % segments,
            )
            high, high_next = low + segments, low_next + segments
            triangles += [(low, high, low_next), (low_next, high, high_next)]
    return with_normals(vertices, np.array(triangles))


def with_normals(vertices: np.ndarray, triangles: np.ndarray) -> Mesh:
    """Returns a smooth surface: a vertex has the mean normal of its place."""
    corners = vertices[triangles]  # [T, 3, 3]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    # Vertices at one place, such as those of a tip, share a normal.
    _, place = np.unique(np.round(vertices, 6), axis=0, return_inverse=True)
    sums = np.zeros((place.max() + 1, 3))
    for corner in range(3):
        np.add.at(sums, place.reshape(-1)[triangles[:, corner]], faces)
    lengths = np.sqrt((sums**2).sum(axis=1, keepdims=True))
    return Mesh(
        vertices, (sums / np.maximum(lengths, 1e-12))[place.reshape(-1)], triangles
    )


def ellipsoid(
    depth: float, height: float, width: float, rings: int = 7, segments: int = 10
) -> Mesh:
    """Returns an ellipsoid about the origin, by its half axes along x, y and z."""
    polar = np.linspace(-math.pi / 2, math.pi / 2, rings)
    return loft(
        [
            (height * math.sin(a), depth * math.cos(a), width * math.cos(a), 0.0)
            for a in polar
        ],
        segments,
    )


def limb(
    length: float, upper: float, lower: float, middle: float | None = None
) -> Mesh:
    """Returns a tapered capsule from the origin downward.

    Args:
      length: distance of the centers of its two ends.
      upper: radius at the origin.
      lower: radius at the other end.
      middle: radius at 35% of the length, for muscles; none for a straight taper.
    """
    rings: list[Ring] = [(-length - lower, 0.0, 0.0, 0.0)]
    rings.append((-length - 0.6 * lower, 0.8 * lower, 0.8 * lower, 0.0))
    rings.append((-length, lower, lower, 0.0))
    if middle is not None:
        rings.append((-0.35 * length, middle, middle, 0.0))
    rings.append((0.0, upper, upper, 0.0))
    rings.append((0.6 * upper, 0.8 * upper, 0.8 * upper, 0.0))
    rings.append((upper, 0.0, 0.0, 0.0))
    return loft(rings, segments=8)


def box(depth: float, height: float, width: float) -> Mesh:
    """Returns a box that stands on the origin, by its sides along x, y and z."""
    x, y, z = depth / 2, height, width / 2
    faces = (
        ((x, 0, z), (x, 0, -z), (x, y, -z), (x, y, z)),
        ((-x, 0, -z), (-x, 0, z), (-x, y, z), (-x, y, -z)),
        ((-x, 0, z), (x, 0, z), (x, y, z), (-x, y, z)),
        ((x, 0, -z), (-x, 0, -z), (-x, y, -z), (x, y, -z)),
        ((-x, y, z), (x, y, z), (x, y, -z), (-x, y, -z)),
        ((-x, 0, -z), (x, 0, -z), (x, 0, z), (-x, 0, z)),
    )
    vertices = np.array([corner for face in faces for corner in face], np.float64)
    triangles = np.array(
        [(4 * i, 4 * i + j, 4 * i + j + 1) for i in range(6) for j in (1, 2)]
    )
    corners = vertices[triangles[::2]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.sqrt((normals**2).sum(axis=1, keepdims=True))
    return Mesh(vertices, np.repeat(normals, 4, axis=0), triangles)


def read_obj(lines: Iterable[str]) -> Mesh:
    """Reads vertices and polygons of the lines of a Wavefront file."""
    vertices, triangles = [], []
    for line in lines:
        kind, *rest = line.split() or [""]
        if kind == "v":
            vertices.append([float(value) for value in rest[:3]])
        elif kind == "f":
            corners = [int(corner.split("/")[0]) - 1 for corner in rest]
            triangles += [(corners[0], *pair) for pair in zip(corners[1:], corners[2:])]
    return with_normals(np.array(vertices), np.array(triangles))


def flat(vertices: np.ndarray, triangles: np.ndarray) -> Mesh:
    """Returns a surface with edges: no triangles share a corner or a normal."""
    corners = vertices[triangles]  # [T, 3, 3]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.sqrt((normals**2).sum(axis=1, keepdims=True))
    normals = np.repeat(normals / np.maximum(lengths, 1e-12), 3, axis=0)
    return Mesh(corners.reshape(-1, 3), normals, np.arange(len(normals)).reshape(-1, 3))


def turn_about_y(angle: float) -> np.ndarray:
    """Returns the rotation [3, 3] about the vertical axis by an angle in radians."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
