"""Renders a picture of an object."""

from __future__ import annotations

import math

import numpy as np

from data_prep.synthesize.objects.plan import PicturePlan
from data_prep.synthesize.rendering.camera import look
from data_prep.synthesize.rendering.picture import Picture
from data_prep.synthesize.scenery import backdrop
from data_prep.synthesize.scenery.scenes import SCENES

_FIELD = 40.0


def render(plan: PicturePlan, size: tuple[int, int]) -> np.ndarray:
    """Returns the picture, [H, W, 3] uint8 BGR; `size` is width and height."""
    scene = SCENES[plan.scene]
    picture = Picture(scene.light, size)
    center = np.array([plan.place[0], 0.5 * plan.extent, plan.place[1]])
    picture.add_random_object(
        plan.object, plan.extent, plan.color, center, plan.quaternion
    )
    flat = math.cos(plan.elevation)
    away = np.array(
        [
            flat * math.cos(plan.azimuth),
            math.sin(plan.elevation),
            flat * math.sin(plan.azimuth),
        ]
    )
    high = 2 * plan.distance * math.tan(math.radians(_FIELD) / 2)
    right = np.array([math.sin(plan.azimuth), 0.0, -math.cos(plan.azimuth)])
    target = center - high * (plan.aim[0] * right + np.array([0.0, plan.aim[1], 0.0]))
    view = look(target + plan.distance * away, target, 0.0, _FIELD)
    ball = (center, center, 0.4 * plan.extent)
    shadows = backdrop.cast([ball], center, scene.light.direction)
    behind = backdrop.draw(view, plan.scene, shadows, center, size)
    seen = picture.over(behind, view) * plan.light
    return np.clip(seen, 0, 255).astype(np.uint8)[:, :, ::-1]
