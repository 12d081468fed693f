"""Ground, background and shadows of a picture, computed by the rays of its pixels."""

from __future__ import annotations

from typing import Iterable

import numpy as np

from data_prep.decode.opencv import cv2
from data_prep.synthesize.rendering.camera import View
from data_prep.synthesize.scenery import backgrounds, scenes

# The shadows around a point: side of the square in meters, and in pixels.
_SHADOW_METERS, _SHADOW_SIDE = 18.0, 512
_FAR_METERS = 1000.0
# Where texture of the ground fades, and where the ground fades into the background.
_TEXTURE_METERS, _HAZE_METERS = 16.0, 40.0

Capsule = tuple[np.ndarray, np.ndarray, float]
"""Start [3], end [3] and radius, in meters."""


def draw(
    view: View,
    scene_name: str,
    shadows: np.ndarray,
    around: np.ndarray,
    size: tuple[int, int],
) -> np.ndarray:
    """Returns the picture of a scene without things, [H, W, 3] float32 RGB.

    Args:
      view: camera.
      scene_name: a key of `scenes.SCENES`.
      shadows: shadows around a point, from `cast`.
      around: that point, [3].
      size: width and height in pixels.
    """
    scene = scenes.SCENES[scene_name]
    ground_picture, background_picture = scenes.pictures(scene_name)
    rays = view.rays(*size)  # [H, W, 3]
    x, y, z = rays[:, :, 0], rays[:, :, 1], rays[:, :, 2]
    eye_x, eye_y, eye_z = (float(value) for value in view.eye)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_ground = np.where(y < -1e-4, -eye_y / y, _FAR_METERS)
    level = np.sqrt(x * x + z * z)
    if scene.half_side:
        to_wall = np.minimum(
            _exit(eye_x, x, scene.half_side), _exit(eye_z, z, scene.half_side)
        )
        columns, rows = _wall_places(view.eye, rays, to_wall, scene.half_side)
        is_ground = to_ground < to_wall
    else:
        degrees = np.degrees(np.arctan2(y, level))
        per_degree = backgrounds.WIDTH / 360
        columns = np.degrees(np.arctan2(z, x)) * per_degree % backgrounds.WIDTH
        rows = backgrounds.ROWS_ABOVE - degrees * per_degree
        is_ground = degrees < scene.horizon_degrees
    rows = np.clip(rows, 0, backgrounds.HEIGHT - 1)
    background = _lookup(background_picture, columns, rows)
    ground_x, ground_z = eye_x + to_ground * x, eye_z + to_ground * z
    per_meter = backgrounds.GROUND_SIDE / scene.ground_meters
    ground = _lookup(
        ground_picture,
        ground_x * per_meter % backgrounds.GROUND_SIDE,
        ground_z * per_meter % backgrounds.GROUND_SIDE,
    )
    distance = to_ground * level
    # Far away a pixel shows more than one of the texture: its mean.
    clear = np.exp(-distance / _TEXTURE_METERS)[:, :, None]
    ground = clear * ground + (1 - clear) * ground_picture.mean(axis=(0, 1))
    ground *= 1 - scene.shadow * _shadow_at(
        shadows, ground_x - around[0], ground_z - around[2]
    )
    if not scene.half_side:
        haze = (1 - np.exp(-((distance / _HAZE_METERS) ** 2)))[:, :, None]
        ground = (1 - haze) * ground + haze * background_picture[-1].mean(axis=0)
    return np.where(is_ground[:, :, None], ground, background)


def cast(
    capsules: Iterable[Capsule], around: np.ndarray, sun: tuple[float, float, float]
) -> np.ndarray:
    """Returns the shadows around a point on the ground, [S, S] float32 from 0 to 1.

    Rows go along z, and columns along x.
    """
    field = np.zeros((_SHADOW_SIDE, _SHADOW_SIDE), np.uint8)
    scale = _SHADOW_SIDE / _SHADOW_METERS
    slope = np.array([sun[0], sun[2]]) / sun[1]
    for start, end, radius in capsules:
        places = [
            (point[[0, 2]] - slope * max(point[1], 0.0) - around[[0, 2]]) * scale
            + _SHADOW_SIDE / 2
            for point in (start, end)
        ]
        first, second = (
            tuple(int(round(16 * value)) for value in np.clip(place, -4000, 4000))
            for place in places
        )
        thickness = max(1, round(2 * radius * scale))
        cv2.line(field, first, second, 255, thickness, cv2.LINE_8, 4)
    return cv2.GaussianBlur(field, (0, 0), 1.6).astype(np.float32) / 255


def _shadow_at(shadows: np.ndarray, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    scale = _SHADOW_SIDE / _SHADOW_METERS
    columns, rows = x * scale + _SHADOW_SIDE / 2, z * scale + _SHADOW_SIDE / 2
    return cv2.remap(
        shadows,
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )[:, :, None]


def _exit(eye: float, direction: np.ndarray, half_side: float) -> np.ndarray:
    """Returns how far along the rays one of two opposite walls is."""
    safe = np.where(np.abs(direction) < 1e-6, 1e-6, direction)
    return (np.sign(safe) * half_side - eye) / safe


def _wall_places(
    eye: np.ndarray, rays: np.ndarray, to_wall: np.ndarray, half_side: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns columns and rows in the picture of the four walls."""
    x = eye[0] + to_wall * rays[:, :, 0]
    height = eye[1] + to_wall * rays[:, :, 1]
    z = eye[2] + to_wall * rays[:, :, 2]
    is_x_wall = np.abs(x) > np.abs(z)
    along = np.where(is_x_wall, z * np.sign(x), -x * np.sign(z))
    wall = np.where(is_x_wall, np.where(x > 0, 0, 2), np.where(z > 0, 1, 3))
    part = np.clip((along + half_side) / (2 * half_side), 0, 0.999)
    columns = (wall + part) * backgrounds.WIDTH / 4
    return columns, (1 - height / scenes.WALL_METERS) * backgrounds.HEIGHT


def _lookup(picture: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return cv2.remap(
        picture,
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
