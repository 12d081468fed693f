"""What pictures of objects show."""

from __future__ import annotations

import math

import numpy as np

from data_prep.synthesize.objects import plan


def plans(object, number=50, seed=0):
    return [plan.draw(seed, object, place) for place in range(number)]


def test_pieces_of_an_object_are_of_its_color():
    colors = {object: [p.color for p in plans(object)] for object in range(10)}
    for of_object in colors.values():
        assert np.ptp(of_object, axis=0).max() < 0.31
        assert np.ptp(of_object, axis=0).min() > 0.1
    means = [np.mean(of_object, axis=0) for of_object in colors.values()]
    assert np.std(means, axis=0).min() > 0.15


def test_objects_have_the_same_color_for_any_seed():
    first, other = plans(3), plans(3, seed=7)
    assert first != other
    means = [np.mean([p.color for p in of_seed], axis=0) for of_seed in (first, other)]
    np.testing.assert_allclose(*means, atol=0.06)


def test_objects_are_tilted_by_up_to_30_degrees_and_seen_from_all_sides():
    drawn = [p for object in range(5) for p in plans(object)]
    upward = []
    for p in drawn:
        x, y, z, w = p.quaternion
        assert math.isclose(x * x + y * y + z * z + w * w, 1)
        upward.append(1 - 2 * (x * x + z * z))  # of the turned vector (0, 1, 0)
    tilts = np.degrees(np.arccos(upward))
    assert tilts.max() < 30.1 and tilts.max() > 25 and tilts.min() < 5
    quarters = {int(p.azimuth // (math.pi / 2)) for p in drawn}
    assert quarters == {0, 1, 2, 3}


def test_any_object_is_in_any_scene():
    scenes = {p.scene for p in plans(0, 200)}
    assert len(scenes) == 10
