"""Motion captures: reading the format, and poses between and beyond the frames."""

import json
import math

import numpy as np
import pytest

from data_prep.synthesize.people import motion_capture
from data_prep.synthesize.people.motion_capture import HINGES, JOINTS
from data_prep.synthesize.rendering.meshes import turn_about_y
from vie_tf.storage.errors import UserError


def frame(*, seconds=0.5, position=(0.0, 1.0, 0.0), turn=0.0, knee=0.0):
    """Numbers of a frame: all joints at rest but the root and the right knee."""
    values = [seconds, *position]
    for joint in JOINTS:
        if joint in HINGES:
            values.append(knee if joint == "right_knee" else 0.0)
        elif joint == "root":
            values += [math.cos(turn / 2), 0.0, math.sin(turn / 2), 0.0]
        else:
            values += [1.0, 0.0, 0.0, 0.0]
    return values


def capture(tmp_path, *frames, loop="wrap"):
    path = tmp_path / "motion.txt"
    path.write_text(json.dumps({"Loop": loop, "Frames": frames}))
    return motion_capture.read(str(path))


def test_a_frame_lasts_as_long_as_it_says_and_the_last_one_ends_the_recording(tmp_path):
    found = capture(tmp_path, frame(seconds=0.2), frame(seconds=0.3), frame(seconds=9))
    assert found.times.tolist() == [0.0, 0.2, 0.5]
    assert found.seconds == 0.5
    assert found.positions.shape == (3, 3) and found.quaternions.shape == (3, 13, 4)


def test_a_pose_between_two_frames_is_between_them(tmp_path):
    found = capture(tmp_path, frame(), frame(position=(2.0, 1.0, 0.0), knee=-1.0))
    pose = found.pose(0.25)
    np.testing.assert_allclose(pose.position, (1.0, 1.0, 0.0))
    knee = pose.rotations[JOINTS.index("right_knee")]
    # Half of the angle about z.
    np.testing.assert_allclose(
        knee[:2, :2], [[0.877583, 0.479426], [-0.479426, 0.877583]], atol=1e-6
    )
    np.testing.assert_allclose(pose.rotations[JOINTS.index("neck")], np.eye(3))


def test_a_quaternion_and_its_negative_are_the_same_rotation(tmp_path):
    negative = [-value if 4 <= i < 8 else value for i, value in enumerate(frame())]
    found = capture(tmp_path, frame(), negative)
    np.testing.assert_allclose(found.pose(0.25).rotations[0], np.eye(3), atol=1e-12)


def test_a_movement_that_repeats_goes_on_from_where_it_ended(tmp_path):
    found = capture(tmp_path, frame(), frame(position=(2.0, 1.0, 0.5)))
    for cycles in (-2, -1, 0, 1, 3):
        position = found.pose(0.5 * cycles + 0.25).position
        np.testing.assert_allclose(position, (1 + 2 * cycles, 1, 0.25 + 0.5 * cycles))


def test_a_movement_that_turns_goes_on_in_its_new_direction(tmp_path):
    turn = math.pi / 2
    found = capture(tmp_path, frame(), frame(position=(1.0, 1.0, 0.0), turn=turn))
    # A quarter turn about y takes x to -z: the path is a square.
    corners = [(0, 1, 0), (1, 1, 0), (1, 1, -1), (0, 1, -1), (0, 1, 0)]
    for number, corner in enumerate(corners):
        pose = found.pose(0.5 * number)
        np.testing.assert_allclose(pose.position, corner, atol=1e-12)
        np.testing.assert_allclose(
            pose.rotations[0], turn_about_y(number * turn), atol=1e-12
        )
    np.testing.assert_allclose(found.pose(-0.5).position, (0, 1, -1), atol=1e-12)


def test_any_other_movement_runs_forward_and_backward_with_pauses(tmp_path):
    frames = frame(seconds=1.0), frame(position=(1.0, 1.0, 0.0))
    found = capture(tmp_path, *frames, loop="none")
    places = {
        0: 0,
        0.5: 0.5,
        1: 1,
        1.2: 1,
        1.75: 0.5,
        2.25: 0,
        2.4: 0,
        3: 0.5,
        -0.75: 0.5,
    }
    for seconds, x in places.items():
        assert found.pose(seconds).position[0] == pytest.approx(x), seconds


@pytest.mark.parametrize(
    "content", ["", "[]", '{"Loop": "wrap"}', '{"Loop": "wrap", "Frames": [[1, 2]]}']
)
def test_what_is_no_motion_capture_is_one_line(tmp_path, content):
    path = tmp_path / "motion.txt"
    path.write_text(content)
    with pytest.raises(UserError, match="motion.txt"):
        motion_capture.read(str(path))
