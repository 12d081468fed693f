"""Clips are taken where much moves."""

import cv2
import numpy as np
import pytest
import tensorflow as tf
from pretext_fixtures import textures
from record_fixtures import HEIGHT, WIDTH, write_data_set

from vie_tf.config import DataConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.questions.moving_frames import drawn_window, motion

RECIPE = ClipRecipe(
    num_frames=4, frame_interval=2, crop_size=32, sampling="sparse", question="order"
)
# Frames that move, of 80.
MOVING = range(60, 80)


def jpeg(gray):
    return cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def panned(offsets, size=(64, 64)):
    """JPEG images of a texture that is moved to the right by some pixels."""
    scene = np.tile(textures(1, np.random.default_rng(0))[0, ..., 0], (4, 4))
    return [jpeg(np.roll(scene, n, axis=1)[: size[0], : size[1]]) for n in offsets]


def windows(*of_windows):
    return np.array([np.array(window, object) for window in of_windows], object)


def test_motion_is_in_pixels_of_32_from_a_frame_to_the_next():
    found = motion(
        windows(panned([0, 0, 0]), panned([0, 1, 2]), panned([0, 3, 6])), (64, 64)
    )
    np.testing.assert_allclose(found, [0, 0.5, 1.5], atol=0.2)


def test_motion_of_large_frames_is_that_of_small_ones():
    small = [cv2.imdecode(np.frombuffer(one, np.uint8), 0) for one in panned([0, 3, 6])]
    large = [jpeg(cv2.resize(one, (256, 256))) for one in small]
    assert motion(windows(large), (256, 256))[0] == pytest.approx(1.5, abs=0.3)


def test_a_window_with_a_broken_image_is_not_drawn_for_its_motion():
    broken = panned([0, 3, 6])
    broken[1] = broken[1][:100]
    assert motion(windows(broken, [b""] * 3), (64, 64)).tolist() == [0, 0]


def test_windows_are_drawn_in_proportion_to_their_motion():
    def shares(motions):
        weights = tf.constant(motions)
        draws = tf.constant((np.arange(400) + 0.5) / 400, tf.float32)
        drawn = [int(drawn_window(weights, draw)) for draw in draws]
        return (np.bincount(drawn, None, len(motions)) / 400).tolist()

    assert shares([1.0, 0.0, 3.0, 0.0]) == [0.25, 0, 0.75, 0]
    assert shares([0.0, 0.0, 0.0, 0.0]) == [0.25] * 4


@pytest.fixture(name="data", scope="module")
def fixture_data(tmp_path_factory):
    """Videos of which the last quarter moves."""

    def frames(video_id, num_frames):
        del video_id
        numbers = [max(n - MOVING.start, 0) * 2 for n in range(num_frames)]
        return panned(numbers, (HEIGHT, WIDTH))

    folder = str(tmp_path_factory.mktemp("data"))
    facts = {"num_train": 4, "num_frames": MOVING.stop, "make_frames": frames}
    return folder, write_data_set(folder, **facts)


def clips_of(data, num_windows, recipe=RECIPE):
    folder, manifest = data
    config = DataConfig(folder, motion_windows=num_windows, color="none")
    return pipeline.training_clips(config, manifest, recipe, batch_size=4, seed=0)


def first_frames(data, num_windows, count=40):
    clips = clips_of(data, num_windows)
    return [int(clips.example(number).indices[0]) for number in range(count)]


def test_clips_are_taken_where_the_video_moves(data):
    def share_that_moves(num_windows):
        last = np.array(first_frames(data, num_windows)) + 6
        return np.mean(last > MOVING.start)

    # Of the 73 places of a clip, 20 show motion.
    assert share_that_moves(1) == pytest.approx(20 / 73, abs=0.15)
    assert share_that_moves(8) > 0.75


def test_one_window_is_that_of_other_objectives(data):
    other = ClipRecipe(4, 2, 32, "sparse")
    for number in range(4):
        one = clips_of(data, 1).example(number)
        usual = clips_of(data, None, other).example(number)
        assert one.indices.tolist() == usual.indices.tolist()
        np.testing.assert_array_equal(one.clip, usual.clip)


def test_a_position_has_the_same_clip_in_a_batch_and_by_itself(data):
    clips = clips_of(data, 4)
    batch = next(iter(clips))
    for place, position in enumerate(batch["positions"].numpy()):
        np.testing.assert_array_equal(
            batch["clips"][place], clips.example(int(position)).clip
        )


def test_differences_are_taken_of_the_frames_of_the_window(data):
    recipe = ClipRecipe(4, 2, 32, "sparse", input="differences", question="order")
    example = clips_of(data, 4, recipe).example(0)
    first, later = np.split(example.indices, 2)
    assert first.tolist() == list(range(first[0], first[0] + 8, 2))
    np.testing.assert_array_equal(later, first + 4)
    assert example.clip.shape == (4, 32, 32, 2)
