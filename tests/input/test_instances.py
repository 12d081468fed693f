"""Instances of a run: subsets of the videos, and bins."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import write_data_set

from vie_tf.config import DataConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.instances import Instances, bin_range

RECIPE = ClipRecipe(num_frames=2, frame_interval=1, crop_size=32, sampling="dense")


GRAY_STEP = 12


def gray_frames(video_id, num_frames):
    """JPEG frames whose gray level tells their number."""
    frames = [np.full((36, 48, 3), GRAY_STEP * n, np.uint8) for n in range(num_frames)]
    return [tf.io.encode_jpeg(frame).numpy() for frame in frames]


def instances_of(manifest, **settings):
    return Instances.from_config(DataConfig("", **settings), manifest)


@pytest.fixture(name="data", scope="module")
def fixture_data(tmp_path_factory):
    """Ten training videos of 20 frames."""
    data_dir = str(tmp_path_factory.mktemp("data"))
    return data_dir, write_data_set(data_dir, make_frames=gray_frames)


def take(data, num_batches, start_position=0, **settings):
    clips = pipeline.training_clips(
        DataConfig(data[0], color="none", **settings),
        data[1],
        RECIPE,
        batch_size=5,
        seed=0,
        start_position=start_position,
    )
    return [
        {name: value.numpy() for name, value in batch.items()}
        for batch in itertools.islice(clips, num_batches)
    ]


def rows_of(batches):
    return np.concatenate([batch["rows"] for batch in batches])


def test_by_default_every_training_video_is_an_instance(data):
    instances = instances_of(data[1])
    assert instances.videos == data[1].split("train")
    assert instances.count == 10
    assert instances.first_rows.tolist() == list(range(10))
    assert instances.labels.tolist() == [0, 1] * 5


@pytest.mark.parametrize(
    ("num_frames", "bin_frames", "bins"),
    [
        # The authors' data sets (reference/sampling.json).
        (250, 52, [(0, 52), (52, 104), (104, 156), (156, 208), (208, 250)]),
        (250, 130, [(0, 130), (130, 250)]),
        (100, 52, [(0, 52), (52, 100)]),
        (20, 52, [(0, 20)]),
    ],
)
def test_bins_are_those_of_the_authors(num_frames, bin_frames, bins):
    ranges = [bin_range(num_frames, number, bin_frames) for number in range(len(bins))]
    assert [(int(first), int(first + size)) for first, size in ranges] == bins


def test_rows_of_bins_follow_those_of_the_videos_before(data):
    instances = instances_of(data[1], bin_frames=8)  # 20 frames: 8, 8 and 4
    assert instances.count == 30
    assert instances.first_rows.tolist() == list(range(0, 30, 3))
    assert instances.labels.tolist() == [0, 0, 0, 1, 1, 1] * 5


def test_every_bin_is_shown_before_one_comes_again(data):
    rows = rows_of(take(data, 12, bin_frames=8))
    for epoch in range(6):  # one clip of every video
        videos = rows[10 * epoch : 10 * epoch + 10] // 3
        assert sorted(videos) == list(range(10))
    assert sorted(rows[:30]) == sorted(rows[30:]) == list(range(30))
    assert rows[:30].tolist() != rows[30:].tolist()


def test_clips_lie_within_their_bin(data):
    for batch in take(data, 6, bin_frames=8):
        frames = (batch["clips"].mean(axis=(2, 3, 4)) / GRAY_STEP).round()  # [B, T]
        assert (frames // 8 == (batch["rows"] % 3)[:, None]).all()
        assert (frames[:, 1] - frames[:, 0] == 1).all()


def test_a_run_on_bins_goes_on_where_it_stopped(data):
    whole = take(data, 7, bin_frames=8)
    rest = take(data, 4, start_position=15, bin_frames=8)
    for wanted, actual in zip(whole[3:], rest):
        np.testing.assert_array_equal(actual["rows"], wanted["rows"])
        np.testing.assert_array_equal(actual["clips"], wanted["clips"])


def test_a_subset_of_the_videos_is_chosen_by_its_seed(data):
    manifest = data[1]

    def ids(subset, seed=0):
        chosen = instances_of(manifest, subset=subset, subset_seed=seed).videos
        return [video.id for video in chosen]

    assert len(ids(0.7)) == 7 and ids(0.7) == sorted(ids(0.7))
    assert set(ids(0.3)) < set(ids(0.7))
    assert ids(0.7) == ids(0.7) != ids(0.7, seed=1)
    with pytest.raises(ValueError, match="--subset=0.01 of 10"):
        ids(0.01)


def test_only_the_subset_is_read_every_video_once_per_epoch(data):
    instances = instances_of(data[1], subset=0.5)
    batches = take(data, 3, subset=0.5)
    for batch in batches:
        assert sorted(batch["rows"]) == list(range(5))
        labels = [instances.videos[row].label for row in batch["rows"]]
        assert batch["labels"].tolist() == labels


def test_the_frames_of_an_instance_are_those_of_its_bin(data):
    instances = instances_of(data[1], bin_frames=8)
    found = instances.frames_of_rows(np.array([0, 2, 29]))
    ranges = [(frames.video.id, frames.first, frames.end) for frames in found]
    first, last = instances.videos[0].id, instances.videos[-1].id
    assert ranges == [(first, 0, 8), (first, 16, 20), (last, 16, 20)]
