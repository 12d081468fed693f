import collections
import dataclasses
import itertools
import os

import numpy as np
import pytest
from record_fixtures import write_data_set

from vie_tf.config import DataConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.pipeline import ALL_CLIPS, ClipShard

RECIPE = ClipRecipe(num_frames=3, frame_interval=2, crop_size=32, sampling="sparse")


@pytest.fixture(name="data", scope="module")
def fixture_data(tmp_path_factory):
    data_dir = str(tmp_path_factory.mktemp("data"))
    return data_dir, write_data_set(data_dir)


def take(
    data,
    num_batches,
    recipe=RECIPE,
    start_position=0,
    seed=0,
    shard=ALL_CLIPS,
    **options,
):
    data_dir, manifest = data
    clips = pipeline.training_clips(
        DataConfig(data_dir, **options),
        manifest,
        recipe,
        batch_size=4,
        seed=seed,
        start_position=start_position,
        shard=shard,
    )
    return [
        {name: value.numpy() for name, value in batch.items()}
        for batch in itertools.islice(clips, num_batches)
    ]


def take_for_test(data, split, recipe=RECIPE, num_clips=5, **options):
    data_dir, manifest = data
    clips = pipeline.evaluation_clips(
        DataConfig(data_dir), manifest, split, recipe, num_clips=num_clips, **options
    )
    return [{name: value.numpy() for name, value in batch.items()} for batch in clips]


def rows_of(batches):
    return np.concatenate([batch["rows"] for batch in batches])


def test_a_batch_is_bytes_of_the_asked_shape(data):
    (batch,) = take(data, 1)
    assert batch["clips"].shape == (4, 3, 32, 32, 3)
    assert batch["clips"].dtype == np.uint8
    assert batch["rows"].dtype == np.int64


def test_every_video_comes_once_per_epoch_across_batches(data):
    rows = rows_of(take(data, 5))  # 20 clips: two epochs of 10 videos
    assert sorted(rows[:10]) == list(range(10))
    assert sorted(rows[10:]) == list(range(10))


def test_epochs_have_different_orders(data):
    rows = rows_of(take(data, 5))
    assert list(rows[:10]) != list(rows[10:])


def test_the_same_seed_gives_the_same_batches(data):
    for first, again in zip(take(data, 4), take(data, 4)):
        np.testing.assert_array_equal(first["rows"], again["rows"])
        np.testing.assert_array_equal(first["clips"], again["clips"])


def test_another_seed_gives_other_batches(data):
    assert list(rows_of(take(data, 3))) != list(rows_of(take(data, 3, seed=1)))


@pytest.mark.parametrize("start_position", [4, 8, 16, 10])
def test_a_run_started_again_reads_what_it_would_have_read(data, start_position):
    clips, rows = (
        np.concatenate([batch[name] for batch in take(data, 6)])
        for name in ("clips", "rows")
    )
    batches = take(data, 2, start_position=start_position)
    for number, batch in enumerate(batches):
        first = start_position + 4 * number
        np.testing.assert_array_equal(batch["rows"], rows[first : first + 4])
        np.testing.assert_array_equal(batch["clips"], clips[first : first + 4])
        np.testing.assert_array_equal(batch["positions"], first + np.arange(4))


def test_batches_that_need_no_order_still_hold_every_video_once_per_epoch(data):
    batches = take(data, 15, deterministic=False)  # six epochs of 10 videos
    positions = np.concatenate([batch["positions"] for batch in batches])
    rows, whole = rows_of(batches), rows_of(take(data, 30))
    assert rows.tolist() == whole[positions].tolist()
    assert len(set(positions)) == 60  # none comes twice
    assert sorted(rows[positions < 10]) == list(range(10))


@pytest.mark.parametrize("num_train", [1, 2, 3, 7])
def test_small_epochs_are_shuffled_as_well(tmp_path, num_train):
    manifest = write_data_set(tmp_path, num_train=num_train)
    rows = rows_of(take((str(tmp_path), manifest), 7))[: 28 // num_train * num_train]
    for epoch in rows.reshape(-1, num_train):
        assert sorted(epoch) == list(range(num_train))


def test_every_order_of_three_videos_is_as_likely_as_the_others(tmp_path):
    manifest = write_data_set(tmp_path, num_train=3)
    epochs = rows_of(take((str(tmp_path), manifest), 225)).reshape(-1, 3)
    orders = collections.Counter(map(tuple, epochs))
    assert len(orders) == 6
    # 300 epochs: 50 of each, give or take three times the square root of that.
    assert 29 < min(orders.values()) and max(orders.values()) < 71


def grays(clips):
    """Gray level of the right end of every frame, which tells the video's id."""
    return clips[..., -1, :].mean(axis=(-1, -2))


def test_rows_are_positions_among_the_training_videos(data):
    videos = data[1].split("train")
    for batch in take_for_test(data, "train", num_clips=1):
        for row, gray in zip(batch["rows"], grays(batch["clips"])):
            np.testing.assert_allclose(gray, 5 * (videos[row].id % 50), atol=3)


def test_training_clips_show_the_video_of_their_row(data):
    videos = data[1].split("train")
    for batch in take(data, 5, color="none"):
        for row, clip in zip(batch["rows"], batch["clips"]):
            # The left part of a frame is white, and the clip may be mirrored.
            gray = np.median(clip[clip < 200])
            assert gray == pytest.approx(5 * (videos[row].id % 50), abs=5)
        labels = [videos[row].label for row in batch["rows"]]
        assert batch["labels"].tolist() == labels


def test_test_batches_hold_every_video_once_in_any_batch_size(data):
    for frames_per_batch in (1, 40, 1000):
        batches = take_for_test(data, "val", frames_per_batch=frames_per_batch)
        assert batches[0]["clips"].shape[1:] == (5, 3, 32, 32, 3)
        rows = np.concatenate([batch["rows"] for batch in batches])
        assert sorted(rows) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("crop", "side"), [("multi_scale_crop", 36), ("random_short_side_crop", 31)]
)
def test_the_test_window_follows_the_crop_of_the_training(data, crop, side):
    data_dir, manifest = data
    clips = pipeline.evaluation_clips(
        DataConfig(data_dir, crop), manifest, "val", RECIPE, num_clips=5
    )
    example = clips.example(0)
    assert min(example.frames.shape[1:3]) == 36
    assert example.window[2:].tolist() == [side, side]


def test_training_crops_have_the_least_area_that_is_asked_for(data):
    data_dir, manifest = data
    config = DataConfig(data_dir, "random_resized_crop", min_crop_area=0.9)
    clips = pipeline.training_clips(config, manifest, RECIPE, batch_size=4, seed=0)
    for position in range(8):
        example = clips.example(position)
        height, width = example.window[2:]
        assert height * width > 0.85 * np.prod(example.frames.shape[1:3])


def test_consecutive_clips_cover_each_video(data):
    # 20 frames: three clips that span six each.
    batches = take_for_test(data, "val", num_clips=None)
    assert batches[0]["clips"].shape[1:] == (1, 3, 32, 32, 3)
    rows = np.concatenate([batch["rows"] for batch in batches])
    assert rows.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_workers_read_their_shards_of_every_global_batch(data):
    # From a position within an epoch on; a global batch of 8 is two of 4.
    whole = take(data, 6, start_position=3)
    parts = [
        take(data, 3, start_position=3, shard=ClipShard(w, 2, block=4)) for w in (0, 1)
    ]
    for position, batch in enumerate(whole):
        of_worker = parts[position % 2][position // 2]
        for name in ("positions", "rows", "clips"):
            np.testing.assert_array_equal(of_worker[name], batch[name])


def test_workers_look_at_every_test_video_once(data):
    rows = [
        np.concatenate(
            [b["rows"] for b in take_for_test(data, "train", shard=ClipShard(w, 3))]
        )
        for w in range(3)
    ]
    assert sorted(np.concatenate(rows)) == list(range(10))
    assert sorted(map(len, rows)) == [3, 3, 4]


def test_a_static_video_shows_one_frame_in_training_and_test(data):
    static = dataclasses.replace(RECIPE, static=True)
    batches = take(data, 3, static_video=True)
    clips = np.concatenate([batch["clips"] for batch in batches])
    assert clips.shape[1:] == (3, 32, 32, 3)
    np.testing.assert_array_equal(clips[:, 0], clips[:, 2])
    (batch,) = take_for_test(data, "val", static)
    assert batch["clips"].shape == (4, 5, 3, 32, 32, 3)
    np.testing.assert_array_equal(batch["clips"][:, :, 0], batch["clips"][:, :, 2])
    assert np.any(batch["clips"][:, 0] != batch["clips"][:, 4])


@pytest.mark.parametrize(
    "crop",
    [
        "random_short_side_crop",
        "multi_scale_crop",
        "random_resized_crop",
        "random_squeezed_crop",
        "whole_frame",
    ],
)
@pytest.mark.parametrize("color", ["exact", "fast", "none"])
def test_every_recipe_gives_clips(data, crop, color):
    clips = np.concatenate([b["clips"] for b in take(data, 3, crop=crop, color=color)])
    assert clips.shape == (12, 3, 32, 32, 3)
    assert np.ptp(clips) > 100


def test_a_data_set_without_training_videos_is_refused(tmp_path):
    manifest = write_data_set(tmp_path, num_train=0)
    with pytest.raises(ValueError, match="no train video"):
        take((str(tmp_path), manifest), 1)


def without_shards_of(split, folder):
    """A data set that has lost the shards of a split."""
    manifest = write_data_set(folder)
    for shard in manifest.shards:
        if shard.split == split:
            os.remove(folder / shard.name)
    return str(folder), manifest


def test_training_reads_no_record_of_another_split(data, tmp_path):
    batches = take(without_shards_of("val", tmp_path), 5)
    for batch, wanted in zip(batches, take(data, 5)):
        np.testing.assert_array_equal(batch["clips"], wanted["clips"])


def test_evaluation_reads_no_record_of_another_split(data, tmp_path):
    batches = take_for_test(without_shards_of("train", tmp_path), "val")
    for batch, wanted in zip(batches, take_for_test(data, "val")):
        np.testing.assert_array_equal(batch["clips"], wanted["clips"])
