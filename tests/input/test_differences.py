"""Differences of frames: which frames they take, and what they are scaled to."""

import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf
from frame_fixtures import reference_frame
from record_fixtures import write_data_set

from vie_tf.config import DataConfig
from vie_tf.input import later_frames, pipeline, sampling
from vie_tf.input.augmentation import augmentations, differences
from vie_tf.input.clip_recipe import ClipRecipe, check_motion
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import VideoEntry

RECIPE = ClipRecipe(3, 1, crop_size=32, sampling="dense", input="differences")


def noisy_frames(video_id, num_frames):
    """JPEG frames of colored noise, of their own in each frame of each video."""
    rng = np.random.default_rng(video_id)
    frames = rng.integers(0, 256, [num_frames, 9, 12, 3], np.uint8)
    frames = frames.repeat(4, axis=1).repeat(4, axis=2)
    return [tf.io.encode_jpeg(frame, quality=95).numpy() for frame in frames]


@pytest.fixture(name="data", scope="module")
def fixture_data(tmp_path_factory):
    data_dir = str(tmp_path_factory.mktemp("noise"))
    return data_dir, write_data_set(data_dir, make_frames=noisy_frames, num_frames=20)


def take(data, num_batches=2, recipe=RECIPE, **options):
    data_dir, manifest = data
    clips = pipeline.training_clips(
        DataConfig(data_dir, **options), manifest, recipe, batch_size=4, seed=0
    )
    return np.concatenate(
        [batch["clips"] for batch in itertools.islice(clips, num_batches)]
    )


def with_input(name):
    return dataclasses.replace(RECIPE, input=name)


# Which frames.


@pytest.mark.parametrize("sampling_rule", sampling.SAMPLING_RULES)
@pytest.mark.parametrize("num_frames", [5, 6, 9, 90])
def test_the_later_frame_is_four_frames_later_also_in_looped_videos(
    sampling_rule, num_frames
):
    recipe = dataclasses.replace(RECIPE, sampling=sampling_rule, frame_interval=5)
    for seed in range(20):
        seeds = tf.constant([seed, 1])
        clip = sampling.training_clip(recipe, tf.constant(num_frames), seeds)
        both = later_frames.with_later_frames(recipe, clip, tf.constant(num_frames))
        first, later = np.split(both.numpy(), 2)
        assert (later == first + 4).all() and first.min() >= 0
        assert later.max() < num_frames


@pytest.mark.parametrize(
    ("num_frames", "wanted"), [(1, [0, 0]), (2, [0, 1]), (3, [0, 2]), (5, [0, 4])]
)
def test_a_video_shorter_than_the_lag_gives_the_difference_that_it_has(
    num_frames, wanted
):
    single = dataclasses.replace(RECIPE, num_frames=1, sampling="single")
    clips = sampling.evaluation_clips(single, tf.constant(num_frames), 4)
    for clip in clips:
        frames = later_frames.with_later_frames(single, clip, tf.constant(num_frames))
        assert frames.numpy().tolist() == wanted


def test_frames_alone_are_sampled_as_ever():
    frames = tf.constant([3, 4, 5])
    same = later_frames.with_later_frames(with_input("frames"), frames, tf.constant(6))
    np.testing.assert_array_equal(same, frames)


def test_both_frames_of_a_difference_are_in_the_same_bin(data):
    clips = pipeline.training_clips(
        DataConfig(data[0], bin_frames=10), data[1], RECIPE, batch_size=4, seed=0
    )
    for position in range(12):
        frames = clips.example(position).indices
        assert len(frames) == 6
        assert len(set(frames // 10)) == 1


@pytest.mark.parametrize(
    ("interval", "num_frames", "wanted"),
    [
        (2, 4, [0, 1, 2, 3, 2, 3, 6, 7]),
        (4, 4, [0, 1, 2, 3, 1, 2, 3, 7]),
        (1, 4, None),  # too short
        (3, 4, None),  # frames in between
    ],
)
def test_frames_that_come_twice_are_decoded_once(interval, num_frames, wanted):
    recipe = ClipRecipe(num_frames, interval, 32, "dense", input="differences")
    clip = tf.range(num_frames) * interval
    frames = later_frames.with_later_frames(recipe, clip, tf.constant(90))
    repeats = later_frames.repeats(recipe, frames, 1)
    if wanted is None:
        assert repeats is None
        return
    assert repeats.sources == wanted
    assert repeats.hold
    looped = later_frames.with_later_frames(recipe, clip % 3, tf.constant(5))
    assert not later_frames.repeats(recipe, looped, 1).hold


def test_clips_of_a_video_share_no_frames():
    recipe = dataclasses.replace(RECIPE, num_frames=3, frame_interval=2)
    frames = tf.constant([0, 2, 4, 9, 11, 13, 4, 6, 8, 13, 15, 17])
    repeats = later_frames.repeats(recipe, frames, num_clips=2)
    assert repeats.sources == [0, 1, 2, 3, 4, 5, 2, 7, 8, 5, 10, 11]
    assert repeats.hold


@pytest.mark.parametrize("name", ["differences", "both"])
def test_clips_are_the_same_whether_frames_are_decoded_once_or_twice(
    data, monkeypatch, name
):
    recipe = dataclasses.replace(with_input(name), frame_interval=2)
    once = take(data, 1, recipe)
    monkeypatch.setattr(later_frames, "repeats", lambda *arguments, **options: None)
    np.testing.assert_array_equal(once, take(data, 1, recipe))


# Their values.


def normalized_twin(pairs):
    """What `normalized_differences` computes, clip by clip, with sorting."""
    result = []
    for clip in pairs.astype(int):
        change = clip[..., 1] - clip[..., 0]
        levels = np.sort(np.abs(change), axis=None)
        needed = int(np.float32(0.995) * change.size)
        scale = max(levels[needed - 1], 8)
        limited = np.clip(change / scale, -1.27, 1.27)
        result.append(limited * 100 / 255 / 0.226)
    return np.stack(result)[..., None]


def test_differences_are_scaled_by_the_quantile_of_their_clip():
    rng = np.random.default_rng(0)
    changes = (
        rng.normal(size=[5, 4, 10, 12])
        * np.array([1, 5, 20, 60, 200])[:, None, None, None]
    )
    later = np.clip(128 + changes, 0, 255).astype(np.uint8)
    pairs = np.stack([np.full_like(later, 128), later], axis=-1)
    actual = differences.normalized_differences(tf.constant(pairs))
    np.testing.assert_allclose(actual, normalized_twin(pairs), rtol=1e-5, atol=1e-6)


def test_a_clip_without_motion_gives_zeros():
    still = tf.fill([2, 3, 8, 8, 2], tf.constant(77, tf.uint8))
    assert not differences.normalized_differences(still).numpy().any()


def test_noise_is_not_blown_up_to_the_contrast_of_motion():
    noise = np.random.default_rng(0).integers(100, 103, [1, 3, 8, 8, 2], np.uint8)
    assert np.abs(differences.normalized_differences(tf.constant(noise))).max() < 0.5


def test_a_picture_shows_no_difference_as_middle_gray():
    pairs = np.zeros([1, 1, 2, 1, 2], np.uint8)
    pairs[0, 0, 0] = [[20, 220]]
    picture = differences.picture(pairs)
    assert picture[0, 0, :, 0].tolist() == [[255, 255, 255], [128, 128, 128]]


@pytest.mark.parametrize("name", ["frames", "both"])
def test_a_picture_of_colors_shows_them(name):
    clips = np.arange(10, dtype=np.uint8).reshape(1, 1, 1, 2, 5)
    clips = clips if name == "both" else clips[..., :3]
    np.testing.assert_array_equal(differences.picture(clips), clips[..., :3])


# The pipeline.


def test_a_clip_of_both_has_the_colors_then_the_grays(data):
    recipe = dataclasses.replace(with_input("both"), frame_interval=2)
    both = take(data, recipe=recipe, color="none").astype(int)
    assert both.shape == (8, 3, 32, 32, 5)
    gray = both[..., :3] @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(both[..., 3], gray, atol=1)
    # Frame t + 4 is that of the last position of a clip of three.
    np.testing.assert_array_equal(both[:, 2, ..., 3], both[:, 0, ..., 4])
    alone = dataclasses.replace(recipe, input="differences")
    pairs = take(data, recipe=alone, color="none").astype(int)
    # A decoder of gray leaves out the rounding and cutting of colors.
    assert np.abs(pairs - both[..., 3:]).mean() < 1.5


def test_color_jitter_changes_the_colors_alone(data):
    recipe = with_input("both")
    plain, jittered = (take(data, 1, recipe, color=c) for c in ("none", "exact"))
    np.testing.assert_array_equal(plain[..., 3:], jittered[..., 3:])
    assert np.abs(plain[..., :3].astype(int) - jittered[..., :3]).mean() > 10


@pytest.mark.parametrize("name", ["differences", "both"])
@pytest.mark.parametrize("flip", [False, True])
def test_a_data_service_makes_the_same_clips_within_rounding(name, flip):
    frames = np.stack([np.roll(reference_frame(), n, axis=1) for n in range(4)])
    windows = tf.unstack(tf.constant(frames[..., :1] if name != "both" else frames))
    quick, portable = (
        augmentations.transform(
            windows, 32, flip=tf.constant(flip), input=name, portable=is_portable
        ).numpy()
        for is_portable in (False, True)
    )
    assert quick.shape == portable.shape == (2, 32, 32, 5 if name == "both" else 2)
    np.testing.assert_allclose(quick.astype(int), portable.astype(int), atol=1)


@pytest.mark.parametrize("num_clips", [2, None])
def test_evaluation_clips_have_the_channels_of_training(data, num_clips):
    recipe = dataclasses.replace(with_input("both"), frame_interval=2)
    clips = pipeline.evaluation_clips(
        DataConfig(data[0]), data[1], "val", recipe, num_clips=num_clips
    )
    (batch,) = clips
    assert batch["clips"].shape[1:] == (num_clips or 1, 3, 32, 32, 5)
    np.testing.assert_array_equal(
        batch["clips"][:, :, 2, ..., 3], batch["clips"][:, :, 0, ..., 4]
    )


# What is refused.


def videos_of(*frame_counts):
    entry = VideoEntry(0, 0, "train", "", "", 1, 25.0, 32, 32, 0)
    return [dataclasses.replace(entry, frames=count) for count in frame_counts]


@pytest.mark.parametrize("name", ["differences", "both"])
def test_images_have_no_differences(name):
    with pytest.raises(UserError, match=f"--input={name}.*use --input=frames"):
        check_motion(videos_of(1, 1), with_input(name), "3dresnet")
    check_motion(videos_of(1, 2), with_input(name), "3dresnet")


def test_a_static_video_has_no_differences():
    static = dataclasses.replace(RECIPE, static=True)
    with pytest.raises(UserError, match="--static_video.*--input=differences"):
        check_motion(videos_of(9), static, "3dresnet")
