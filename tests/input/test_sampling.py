import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from vie_tf import models
from vie_tf.input import fixed_clips, sampling
from vie_tf.input.clip_recipe import ClipRecipe, check_motion
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import VideoEntry

SINGLE = ClipRecipe(num_frames=1, frame_interval=1, crop_size=224, sampling="single")
DENSE = ClipRecipe(num_frames=16, frame_interval=1, crop_size=112, sampling="dense")
SLOW = ClipRecipe(num_frames=4, frame_interval=16, crop_size=224, sampling="sparse")
FAST = ClipRecipe(num_frames=16, frame_interval=4, crop_size=224, sampling="dense")
BINNED = ClipRecipe(num_frames=4, frame_interval=12, crop_size=224, sampling="binned")


def draw(recipe, num_video_frames, num_draws=400):
    return np.array(
        [
            sampling.training_clip(
                recipe, tf.constant(num_video_frames), tf.constant([7, number])
            )
            for number in range(num_draws)
        ]
    )


# Starts of the five test clips that the authors' loader takes.
@pytest.mark.parametrize(
    "recipe,num_video_frames,starts",
    [
        (SINGLE, 30, [3, 9, 15, 21, 27]),
        (SINGLE, 75, [7, 22, 37, 52, 67]),
        (SINGLE, 120, [12, 36, 60, 84, 108]),
        (SINGLE, 250, [25, 75, 125, 175, 225]),
        (SLOW, 75, [4, 9, 13, 18, 22]),
        (SLOW, 120, [12, 24, 36, 48, 60]),
        (SLOW, 250, [33, 67, 101, 134, 168]),
        (SLOW, 300, [42, 84, 126, 168, 210]),
        (BINNED, 120, [18, 30, 42, 54, 66]),
        (BINNED, 250, [42, 78, 114, 150, 186]),
    ],
)
def test_test_clips_are_the_authors(recipe, num_video_frames, starts):
    clips = sampling.evaluation_clips(recipe, tf.constant(num_video_frames), 5)
    interval = recipe.frame_interval
    wanted = [[s + interval * t for t in range(recipe.num_frames)] for s in starts]
    np.testing.assert_array_equal(clips, wanted)


# Starts by pt_loader/datasets.py with resnet3d_test_sample; a video that is shorter
# than five clips is looped.
@pytest.mark.parametrize(
    "recipe,num_video_frames,starts",
    [
        (FAST, 250, [0, 64, 128, 192, 256]),
        (FAST, 320, [0, 64, 128, 192, 256]),
        (FAST, 500, [0, 109, 218, 327, 436]),
        (FAST, 50, [0, 64, 128, 192, 256]),
        (DENSE, 250, [0, 58, 117, 175, 234]),
        (DENSE, 80, [0, 16, 32, 48, 64]),
        (DENSE, 30, [0, 16, 32, 48, 64]),
    ],
)
def test_test_clips_of_16_frames_are_the_authors(recipe, num_video_frames, starts):
    clips = sampling.evaluation_clips(recipe, tf.constant(num_video_frames), 5)
    interval = recipe.frame_interval
    wanted = [[s + interval * t for t in range(recipe.num_frames)] for s in starts]
    np.testing.assert_array_equal(clips, np.array(wanted) % num_video_frames)


@pytest.mark.parametrize("name", ["slowfast", "3dresnet", "two_stream_sf"])
def test_networks_of_16_frames_have_these_test_clips(name):
    assert models.clip_recipe(name).sampling == "dense"


def test_a_single_test_clip_of_16_frames_is_in_the_middle():
    (clip,) = sampling.evaluation_clips(DENSE, tf.constant(250), 1).numpy()
    assert clip.tolist() == list(range(117, 133))


# First and last of the frames that clips begin with, from sampling.json.
@pytest.mark.parametrize(
    "recipe,num_video_frames,first,last",
    [
        (SINGLE, 30, 0, 29),
        (SLOW, 75, 0, 26),
        (BINNED, 30, 0, 13),
        (BINNED, 75, 0, 47),
    ],
)
def test_training_clips_start_anywhere_they_fit(recipe, num_video_frames, first, last):
    starts = draw(recipe, num_video_frames)[:, 0]
    assert (starts.min(), starts.max()) == (first, last)


def test_dense_clips_use_the_last_frame_too():
    # The authors' loader never does: its starts end one frame early.
    assert draw(DENSE, 20)[:, -1].max() == 19


def test_a_clip_keeps_its_interval():
    np.testing.assert_array_equal(np.diff(draw(FAST, 250)), 4)
    np.testing.assert_array_equal(np.diff(draw(DENSE, 250)), 1)


# 16 frames at 16 per second, as the authors trained 3DRotNet.
ROTATION = dataclasses.replace(DENSE, frame_rate=16.0)


def test_a_clip_of_a_rate_has_steps_of_the_neighboring_whole_numbers():
    steps = np.diff(draw(ROTATION, 250))
    assert set(np.unique(steps)) == {1, 2}
    # 15 steps of 25 / 16 frames are 23.4; the authors' loader has 23 or 24, too.
    totals = steps.sum(axis=1)
    assert set(totals) == {23, 24}
    assert totals.mean() == pytest.approx(23.4375, abs=0.1)
    longer = (steps == 2).mean(axis=0)  # in any place of the clip alike
    np.testing.assert_allclose(longer, 0.5625, atol=0.15)


def test_a_clip_of_a_rate_fits_into_the_video():
    frames = draw(ROTATION, 25)
    assert (frames.min(), frames.max()) == (0, 24)
    assert np.diff(frames).min() > 0  # no video of 25 frames is looped
    assert ROTATION.span == 25


def test_test_clips_of_a_rate_are_as_even_as_they_can_be():
    (clip,) = sampling.evaluation_clips(ROTATION, tf.constant(25), 1).numpy()
    assert clip.tolist() == [0, 1, 3, 4, 6, 7, 9, 10, 12, 14, 15, 17, 18, 20, 21, 23]
    assert fixed_clips.consecutive_clips(ROTATION, tf.constant(60)).shape == (2, 16)


def test_a_binned_clip_takes_one_frame_from_each_of_consecutive_bins():
    bins = draw(BINNED, 250) // 12
    np.testing.assert_array_equal(np.diff(bins), 1)


def test_the_frames_of_a_bin_are_drawn_one_by_one():
    offsets = draw(BINNED, 250) % 12
    assert np.any(offsets != offsets[:, :1])


@pytest.mark.parametrize("recipe", [SINGLE, DENSE, SLOW, FAST, BINNED])
@pytest.mark.parametrize("num_video_frames", [1, 3, 15, 30, 61])
def test_short_videos_are_looped(recipe, num_video_frames):
    clips = np.concatenate(
        [
            draw(recipe, num_video_frames, 20),
            sampling.evaluation_clips(recipe, tf.constant(num_video_frames), 5),
        ]
    )
    assert clips.min() >= 0
    assert clips.max() < num_video_frames
    if recipe.sampling == "dense":
        steps = np.diff(clips) % num_video_frames
        np.testing.assert_array_equal(steps, recipe.frame_interval % num_video_frames)


def test_the_same_seed_draws_the_same_clip():
    seed = tf.constant([1, 2])
    first = sampling.training_clip(SLOW, tf.constant(200), seed)
    again = sampling.training_clip(SLOW, tf.constant(200), seed)
    np.testing.assert_array_equal(first, again)
    assert len(np.unique(draw(SLOW, 200)[:, 0])) > 50


def test_sampling_works_inside_a_data_set():
    lengths = tf.data.Dataset.from_tensor_slices([3, 100])
    clips = lengths.map(
        lambda n: sampling.training_clip(BINNED, n, tf.constant([0, 0]))
    )
    assert [clip.shape for clip in clips] == [(4,), (4,)]


def test_consecutive_clips_cover_a_video_without_overlap():
    clips = fixed_clips.consecutive_clips(DENSE, tf.constant(50)).numpy()
    np.testing.assert_array_equal(clips.reshape(-1), np.arange(48))
    assert clips.shape == (3, 16)


def test_consecutive_clips_keep_the_interval_of_the_family():
    clips = fixed_clips.consecutive_clips(SLOW, tf.constant(250)).numpy()
    np.testing.assert_array_equal(clips[:, 0], [0, 64, 128])
    np.testing.assert_array_equal(np.diff(clips), 16)


def test_a_video_shorter_than_a_clip_is_one_looped_clip():
    clips = fixed_clips.consecutive_clips(DENSE, tf.constant(10)).numpy()
    np.testing.assert_array_equal(clips, [[*range(10), *range(6)]])


@pytest.mark.parametrize("recipe", [DENSE, SLOW, BINNED])
def test_a_static_clip_shows_one_frame_of_the_video_again_and_again(recipe):
    static = dataclasses.replace(recipe, static=True)
    drawn = draw(static, 30, 200)
    assert drawn.shape == (200, recipe.num_frames)
    np.testing.assert_array_equal(np.ptp(drawn, axis=1), 0)
    assert set(drawn[:, 0]) == set(range(30))
    clips = sampling.evaluation_clips(static, tf.constant(30), 5)
    np.testing.assert_array_equal(clips[:, 0], [3, 9, 15, 21, 27])
    np.testing.assert_array_equal(np.ptp(clips, axis=1), 0)


def test_an_image_becomes_one_static_clip():
    static = dataclasses.replace(SLOW, static=True)
    clips = fixed_clips.consecutive_clips(static, tf.constant(1))
    np.testing.assert_array_equal(clips, [[0, 0, 0, 0]])


def videos_of(*frame_counts):
    entry = VideoEntry(0, 0, "train", "", "", 1, 25.0, 32, 32, 0)
    return [dataclasses.replace(entry, frames=count) for count in frame_counts]


def test_images_are_refused_for_a_network_of_several_frames():
    dense = ClipRecipe(16, 1, 112, "dense")
    with pytest.raises(UserError, match="--model=3dresnet takes 16.*--static_video"):
        check_motion(videos_of(1, 1), dense, "3dresnet")


@pytest.mark.parametrize(
    "videos, recipe",
    [
        (videos_of(1, 2), ClipRecipe(16, 1, 112, "dense")),
        (videos_of(1, 1), ClipRecipe(16, 1, 112, "dense", static=True)),
        (videos_of(1, 1), ClipRecipe(1, 1, 112, "single")),
        (videos_of(), ClipRecipe(16, 1, 112, "dense")),
    ],
    ids=["some have motion", "static clips", "one frame", "no videos"],
)
def test_what_a_network_can_be_given_is_accepted(videos, recipe):
    check_motion(videos, recipe, "model")
