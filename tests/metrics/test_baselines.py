import pathlib

import cv2
import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import write_data_set
from video_fixtures import write_pictures

from data_prep.config import ConversionConfig
from data_prep.convert import conversion
from vie_tf.input.gray_frames import decode_gray
from vie_tf.metrics import leave_one_out
from vie_tf.metrics.baselines.reading import read_vectors
from vie_tf.metrics.baselines.vectors import (
    BASELINES,
    equally_spaced,
    normalized,
    sampled,
)
from vie_tf.metrics.features import NothingRead
from vie_tf.storage.manifest import Manifest

CLIPS = pathlib.Path(__file__).parents[2] / "../shared/clips"


def vector_of(name, frames, first=0, count=None):
    """The vector of a video that is an array [F, H, W], before it is normalized."""
    frames = np.asarray(frames, np.uint8)
    return BASELINES[name].vector_of(
        lambda indices: iter(frames[indices]), first, count or len(frames)
    )


def flat(*grays, size=32):
    """Frames of one gray level each, [F, S, S]."""
    return np.stack([np.full([size, size], gray) for gray in grays])


def test_moments_lie_within_the_video_and_not_at_its_ends():
    assert equally_spaced(13, 5).tolist() == [2, 4, 6, 8, 10]
    assert equally_spaced(2, 5).tolist() == [0, 0, 0, 0, 0]


def test_all_positions_are_sampled_unless_there_are_too_many():
    assert sampled(4, 5).tolist() == [0, 1, 2, 3]
    assert sampled(9, 5).tolist() == [0, 2, 4, 6, 8]


def test_pixels_are_thumbnails_of_five_frames():
    found = vector_of("pixels", flat(*range(0, 130, 10)))
    assert found.tolist() == np.repeat([20, 40, 60, 80, 100], 256).tolist()


def test_difference_pixels_are_taken_two_frames_apart():
    grays = [number**2 for number in range(15)]
    found = vector_of("difference_pixels", flat(*grays))
    # (t + 2)^2 - t^2 at t = 2, 4, 6, 8, 10
    assert found.tolist() == np.repeat([12, 20, 28, 36, 44], 256).tolist()


def test_motion_map_is_the_mean_difference_at_each_place():
    frames = flat(0, 10, 30, 60)
    frames[:, :, 16:] = 7  # the right half stands still
    found = vector_of("motion_map", frames).reshape(16, 16)
    assert np.all(found[:, :8] == (30 + 50) / 2)
    assert np.all(found[:, 8:] == 0)


def test_motion_map_equals_that_of_all_frames_at_once():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, [9, 20, 30], np.uint8)
    small = [cv2.resize(f, (32, 32), interpolation=cv2.INTER_AREA) for f in frames]
    small = np.stack(small).astype(float)
    mean = np.abs(small[2:] - small[:-2]).mean(axis=0)
    twin = mean.reshape(16, 2, 16, 2).mean(axis=(1, 3))
    assert np.allclose(vector_of("motion_map", frames).reshape(16, 16), twin)


def test_a_part_of_a_video_is_looked_at_alone():
    frames = flat(0, 0, 0, 10, 20, 30)
    whole = vector_of("motion_map", frames[3:])
    assert vector_of("motion_map", frames, first=3, count=3).tolist() == whole.tolist()


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", BASELINES)
def test_a_video_of_one_or_two_frames_has_a_vector(name, count):
    found = vector_of(name, flat(*range(count)))
    assert found.shape == (BASELINES[name].size,)


def test_flow_histogram_knows_direction_and_place():
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.random([64, 64]), (0, 0), 3)
    texture = 255 * (texture - texture.min()) / np.ptp(texture)
    frames = np.stack([np.roll(texture, 2 * step, axis=1) for step in range(4)])
    frames[:, 32:] = 50  # the lower half is empty
    found = vector_of("flow_histogram", frames).reshape(4, 4, 8)
    upper, lower = found[0].sum(), found[3].sum()
    assert upper > 20 * lower
    assert found[0].sum(axis=0).argmax() == 0  # to the right
    left = vector_of("flow_histogram", frames[::-1]).reshape(4, 4, 8)
    assert left[0].sum(axis=0).argmax() == 4


def test_neither_brightness_nor_the_amount_of_motion_counts():
    vector = np.array([1.0, 2.0, 6.0])
    expected = np.array([-2, -1, 3]) / np.sqrt(14)
    assert np.allclose(normalized(vector), expected)
    assert np.allclose(normalized(5 * vector + 3), expected)
    assert normalized(np.ones(3)).tolist() == [0, 0, 0]


def test_large_frames_are_decoded_at_a_fraction_of_their_size():
    picture = np.full([320, 640, 3], 90, np.uint8)
    jpeg = tf.io.encode_jpeg(picture).numpy()
    gray = decode_gray(jpeg, (320, 640))
    assert gray.shape == (80, 160) and abs(int(gray[0, 0]) - 90) <= 1
    with pytest.raises(OSError):
        decode_gray(jpeg[:100], (320, 640))


def test_vectors_are_read_from_records_and_bad_ones_left_out(tmp_path):
    def frames_of(video_id, num_frames):
        gray = flat(*np.random.default_rng(video_id).integers(0, 256, num_frames))
        shown = np.repeat(gray[..., None], 3, axis=-1).astype(np.uint8)
        jpegs = [tf.io.encode_jpeg(frame).numpy() for frame in shown]
        return [jpeg[:200] for jpeg in jpegs] if video_id == 3 else jpegs

    manifest = write_data_set(tmp_path, 4, 0, make_frames=frames_of, num_frames=6)
    folder, videos = str(tmp_path), manifest.split("train")
    found = read_vectors(folder, manifest, videos, "pixels")
    assert [videos[n].id for n in found.video_index] == [2, 4, 5]
    assert found.rows.shape == (3, 1280)
    grays = np.random.default_rng(4).integers(0, 256, 6)
    twin = normalized(vector_of("pixels", flat(*grays)))
    assert np.allclose(found.rows[1], twin, atol=0.01)
    both = read_vectors(folder, manifest, videos, "pixels", with_halves=True)
    assert np.array_equal(both.rows, found.rows)
    twin = normalized(vector_of("pixels", flat(*grays[3:])))
    assert np.allclose(both.halves[1, 1], twin, atol=0.01)
    with pytest.raises(NothingRead):
        read_vectors(folder, manifest, videos[1:2], "pixels")


def accuracies(videos, data_dir, names):
    """Leave-one-out kNN of baselines with k = 10, in percent."""
    paths = str(videos), str(data_dir)
    conversion.convert(
        ConversionConfig(*paths, shortest_side=96, val_fraction=0, num_processes=1)
    )
    manifest = Manifest.load(str(data_dir))
    labels = np.array([video.label for video in manifest.videos])
    return {
        name: 100
        * leave_one_out.is_right(
            read_vectors(str(data_dir), manifest, manifest.videos, name).rows, labels
        ).mean()
        for name in names
    }


def test_motion_is_found_where_scenes_hide_it(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(24):
        grays = rng.integers(0, 256, [4, 4, 1], np.uint8)
        scene = grays.repeat(16, axis=0).repeat(16, axis=1).repeat(3, axis=2)
        pictures = scene[None].repeat(12, axis=0)
        top = 32 * (number % 2)
        for picture in pictures:  # a flickering block, above or below
            picture[top : top + 16, 16:32] = rng.integers(0, 256)
        folder = tmp_path / "videos" / ("low" if number % 2 else "high")
        write_pictures(folder / f"{number}.avi", list(pictures))
    found = accuracies(tmp_path / "videos", tmp_path / "data", BASELINES)
    assert found["motion_map"] == found["difference_pixels"] == 100
    assert found["pixels"] < 80


@pytest.mark.skipif(not CLIPS.exists(), reason="the clips are not here")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("yoga", {"pixels": 66.7, "difference_pixels": 50.0, "motion_map": 82.2}),
        ("urfd", {"pixels": 100, "difference_pixels": 91, "motion_map": 98}),
        ("mocap", {"pixels": 30.0, "difference_pixels": 74.5, "motion_map": 73.8}),
    ],
)
def test_baselines_of_real_videos_are_known(tmp_path, name, expected):
    found = accuracies(CLIPS / name, tmp_path / "data", expected)
    # Frames at another rate, and of another decoder, move a video or two.
    for baseline, accuracy in expected.items():
        assert abs(found[baseline] - accuracy) < 3.1, baseline
