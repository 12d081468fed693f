import itertools

import numpy as np
import pytest
from record_fixtures import write_data_set

from vie_tf import input_pipeline, records
from vie_tf.clip_sampling import ClipRecipe

RECIPE = ClipRecipe(num_frames=3, frame_interval=2, crop_size=32, sampling="sparse")


@pytest.fixture(name="data", scope="module")
def fixture_data(tmp_path_factory):
    data_dir = str(tmp_path_factory.mktemp("data"))
    return data_dir, write_data_set(data_dir)


def take(data, num_batches, **options):
    settings = {"batch_size": 4, "seed": 0, **options}
    batches = input_pipeline.training_batches(*data, RECIPE, **settings)
    return [
        {name: value.numpy() for name, value in batch.items()}
        for batch in itertools.islice(batches, num_batches)
    ]


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


def test_a_small_shuffle_window_loses_no_video(data):
    rows = rows_of(take(data, 5, shuffle_buffer=3))
    assert sorted(rows[:10]) == list(range(10))


def test_the_same_seed_gives_the_same_batches(data):
    for first, again in zip(take(data, 4), take(data, 4)):
        np.testing.assert_array_equal(first["rows"], again["rows"])
        np.testing.assert_array_equal(first["clips"], again["clips"])


def test_another_seed_gives_other_batches(data):
    assert list(rows_of(take(data, 3))) != list(rows_of(take(data, 3, seed=1)))


@pytest.mark.parametrize("start_step", [1, 2, 4])
def test_a_run_started_again_reads_what_it_would_have_read(data, start_step):
    whole = take(data, 6)
    rest = take(data, 6 - start_step, start_step=start_step)
    for wanted, actual in zip(whole[start_step:], rest):
        np.testing.assert_array_equal(actual["rows"], wanted["rows"])
        np.testing.assert_array_equal(actual["clips"], wanted["clips"])


def test_rows_are_positions_among_the_training_videos(data):
    data_dir, manifest = data
    videos = manifest.split("train")
    batches = input_pipeline.test_batches(
        data_dir, manifest, "train", RECIPE, num_clips=1
    )
    for batch in batches:
        for row, clip in zip(batch["rows"].numpy(), batch["clips"].numpy()):
            # The right end of a frame is as gray as its video's id says.
            gray = clip[0, 0, :, -1].mean()
            assert gray == pytest.approx(5 * (videos[row].id % 50), abs=3)


def test_test_batches_hold_every_video_once_in_any_batch_size(data):
    data_dir, manifest = data
    for frames_per_batch in (1, 40, 1000):
        batches = list(
            input_pipeline.test_batches(
                data_dir,
                manifest,
                "val",
                RECIPE,
                num_clips=5,
                frames_per_batch=frames_per_batch,
            )
        )
        assert batches[0]["clips"].shape[1:] == (5, 3, 32, 32, 3)
        rows = np.concatenate([batch["rows"] for batch in batches])
        assert sorted(rows) == [0, 1, 2, 3]


def test_a_data_set_without_training_videos_is_refused(tmp_path):
    manifest = write_data_set(tmp_path, num_train=0)
    with pytest.raises(ValueError, match="no train video"):
        input_pipeline.training_batches(
            str(tmp_path), manifest, RECIPE, batch_size=2, seed=0
        )


def test_a_missing_shard_is_named_before_anything_is_read(tmp_path):
    manifest = write_data_set(tmp_path)
    (tmp_path / "val-00000.tfrecord").unlink()
    with pytest.raises(ValueError, match=r"val-00000\.tfrecord is missing"):
        input_pipeline.test_batches(str(tmp_path), manifest, "val", RECIPE, num_clips=1)


def test_records_of_another_split_are_not_read(data):
    data_dir, manifest = data
    val_ids = {video.id for video in manifest.split(records.VAL_SPLIT)}
    train_ids = {video.id for video in manifest.split(records.TRAIN_SPLIT)}
    assert not val_ids & train_ids
    assert len(rows_of(take(data, 5))) == 20
