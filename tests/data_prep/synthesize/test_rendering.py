"""Meshes, cameras and backdrops of rendered worlds, without a renderer."""

import math

import numpy as np
import pytest

from data_prep.synthesize.rendering import camera, meshes
from data_prep.synthesize.scenery import backdrop, scenes, things
from data_prep.synthesize.scenery.scenes import SCENES

SHAPES = {
    "loft": meshes.loft([(0, 0, 0, 0), (0, 1, 1, 0), (2, 1, 1, 0), (2, 0, 0, 0)]),
    "ellipsoid": meshes.ellipsoid(1.0, 2.0, 3.0),
    "limb": meshes.limb(0.5, 0.1, 0.05, 0.12),
    "box": meshes.box(1.0, 2.0, 3.0),
    "flat": meshes.flat(meshes.box(1, 1, 1).vertices, meshes.box(1, 1, 1).triangles),
}


def volume(mesh):
    """Volume within triangles that run counterclockwise, by the divergence theorem."""
    corners = mesh.vertices[mesh.triangles]
    return np.linalg.det(corners).sum() / 6


@pytest.mark.parametrize("name", SHAPES)
def test_surfaces_are_closed_and_look_outward(name):
    mesh = SHAPES[name]
    assert volume(mesh) > 0
    center = (mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2
    outward = ((mesh.vertices - center) * mesh.normals).sum(axis=1)
    assert (outward > -1e-9).all()


def test_volumes_are_those_of_the_shapes():
    assert volume(meshes.box(1.0, 2.0, 3.0)) == pytest.approx(6)
    fine = meshes.ellipsoid(1.0, 2.0, 3.0, rings=41, segments=80)
    assert volume(fine) == pytest.approx(4 / 3 * math.pi * 6, rel=0.01)


def test_a_wavefront_file_gives_its_polygons_as_triangles():
    lines = [
        "# square",
        "v 0 0 0",
        "v 1 0 0",
        "v 1 1 0",
        "v 0 1 0",
        "f 1/1 2/2 3/3 4/4",
    ]
    mesh = meshes.read_obj(lines)
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    np.testing.assert_allclose(mesh.normals, [[0, 0, 1]] * 4)


def test_the_ray_of_the_middle_goes_forward_and_the_upper_edge_has_half_the_field():
    view = camera.look(np.array([5.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0]), 0.0, 40.0)
    rays = view.rays(33, 25)
    np.testing.assert_allclose(rays[12, 16], (-1, 0, 0), atol=1e-6)
    assert rays[0, 16, 1] == pytest.approx(math.tan(math.radians(20)) * 24 / 25)
    assert rays[12, 32, 2] < 0  # looking along -x, the right is at -z


def test_the_smoothed_path_is_straight_where_the_path_is():
    path = np.stack([np.arange(40.0)] * 3, axis=1)
    smoothed = camera.smooth(path, 3.0)
    np.testing.assert_allclose(smoothed, path[9:-9])


def test_a_shadow_lies_opposite_to_the_light():
    ball = (np.array([0.0, 2.0, 0.0]),) * 2 + (0.3,)
    shadows = backdrop.cast([ball], np.zeros(3), (1.0, 1.0, 0.0))
    rows, columns = np.nonzero(shadows > 0.9)
    meters = (columns.mean() - 256) * 18 / 512, (rows.mean() - 256) * 18 / 512
    np.testing.assert_allclose(meters, (-2, 0), atol=0.1)


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_has_ground_below_and_a_background_above(name):
    view = camera.look(np.array([4.0, 1.5, 0.0]), np.array([0.0, 1.0, 0.0]), 0.0, 50.0)
    no_shadow = np.zeros((512, 512), np.float32)
    picture = backdrop.draw(view, name, no_shadow, np.zeros(3), (64, 48))
    assert picture.shape == (48, 64, 3)
    assert picture.min() >= 0 and picture.max() <= 255
    assert picture.std() > 8
    ground, _ = scenes.pictures(name)
    near = picture[-8:].mean(axis=(0, 1)), ground.mean(axis=(0, 1))
    np.testing.assert_allclose(*near, atol=40)


@pytest.mark.parametrize("name", SCENES)
def test_things_always_stand_at_the_same_places_around_the_middle(name):
    first, second = things.layout(name), things.layout(name)
    assert [thing.place for thing in first] == [thing.place for thing in second]
    assert len(first) == sum(SCENES[name].things.values())
    assert all(2.5 < math.hypot(*thing.place) < 9 for thing in first)


def test_walls_surround_the_camera():
    half_side = SCENES["room"].half_side
    seen = set()
    for angle in range(0, 360, 45):
        direction = math.cos(math.radians(angle)), 0.0, math.sin(math.radians(angle))
        rays = np.array([[direction]], np.float32)
        eye = np.array([1.0, 1.5, -2.0])
        to_wall = np.minimum(
            backdrop._exit(1.0, rays[:, :, 0], half_side),
            backdrop._exit(-2.0, rays[:, :, 2], half_side),
        )
        place = eye + to_wall[0, 0] * rays[0, 0]
        assert np.abs(place[[0, 2]]).max() == pytest.approx(half_side)
        columns, _ = backdrop._wall_places(eye, rays, to_wall, half_side)
        seen.add(int(columns[0, 0]) // 256)
    assert seen == {0, 1, 2, 3}
