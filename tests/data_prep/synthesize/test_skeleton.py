"""The skeleton: joints of a pose, for any proportions, and in a mirror."""

import numpy as np
import pytest

from data_prep.synthesize.people import body, skeleton
from data_prep.synthesize.people.motion_capture import JOINTS, Pose, matrices
from data_prep.synthesize.people.persons import PERSONS
from data_prep.synthesize.people.skeleton import Proportions

STANDING = Pose(np.array([0.0, 0.9, 0.0]), np.tile(np.eye(3), (len(JOINTS), 1, 1)))


def any_pose(seed=0):
    quaternions = np.random.default_rng(seed).normal(size=(len(JOINTS), 4))
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    return Pose(np.array([0.3, 0.9, -0.2]), matrices(quaternions))


def at(joints, name):
    return joints.positions[JOINTS.index(name)]


def test_a_standing_person_has_the_lengths_of_the_humanoid():
    joints = skeleton.place(STANDING, Proportions())
    np.testing.assert_allclose(at(joints, "right_hip"), (0, 0.9, 0.085))
    np.testing.assert_allclose(at(joints, "right_ankle"), (0, 0.0685, 0.085), atol=1e-9)
    np.testing.assert_allclose(at(joints, "neck"), (0, 1.36, 0))
    np.testing.assert_allclose(at(joints, "left_elbow"), (-0.024, 1.1047, -0.183))


def test_a_turned_joint_turns_what_hangs_on_it():
    rotations = STANDING.rotations.copy()
    # A quarter turn about z raises the thigh to the front (x).
    rotations[JOINTS.index("right_hip")] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    joints = skeleton.place(Pose(STANDING.position, rotations), Proportions())
    offset = at(joints, "right_ankle") - at(joints, "right_hip")
    np.testing.assert_allclose(offset, (0.8315, 0, 0), atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_feet_of_any_body_neither_float_nor_sink(seed):
    pose = any_pose(seed)
    natural = skeleton.place(pose, Proportions())
    for shape in (Proportions(legs=1.3), Proportions(arms=1.2, girth=2.0)):
        joints = skeleton.place(pose, shape)
        lowest = skeleton._lowest(joints, 1.0)
        assert lowest == pytest.approx(skeleton._lowest(natural, 1.0))


def test_a_mirrored_person_does_with_the_left_what_the_right_did():
    pose, shape = any_pose(), Proportions(1.1, arms=0.9)
    joints = skeleton.place(pose, shape)
    mirrored = skeleton.place(pose, shape, mirrored=True)
    np.testing.assert_allclose(mirrored.positions, joints.positions * [1, 1, -1])
    np.testing.assert_allclose(np.linalg.det(mirrored.rotations), 1)
    # A point of the plane of symmetry goes where the mirror shows it.
    point = np.array([0.1, 0.2, 0.0])
    np.testing.assert_allclose(
        mirrored.rotations @ point, (joints.rotations @ point) * [1, 1, -1]
    )


@pytest.mark.parametrize("name", PERSONS)
def test_every_person_has_a_body_of_closed_parts_about_the_joints(name):
    parts = body.parts(PERSONS[name])
    assert {joint for joint, _, _ in parts} == set(JOINTS)
    for _, mesh, color in parts:
        assert all(0 <= value <= 1 for value in color)
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)
        # Parts look the same in a mirror, so that mirrored persons are persons.
        assert mesh.vertices[:, 2].min() == pytest.approx(-mesh.vertices[:, 2].max())


def test_shadows_are_cast_by_what_lies_between_the_joints():
    joints = skeleton.place(STANDING, Proportions())
    found = body.capsules(joints, Proportions())
    points = np.array([point for start, end, _ in found for point in (start, end)])
    assert points[:, 1].min() > 0 and 1.5 < points[:, 1].max() < 1.6
    assert all(0.02 < radius < 0.2 for _, _, radius in found)
