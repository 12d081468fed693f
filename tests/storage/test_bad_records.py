"""Records that cannot be read: named, or skipped and counted; never replaced."""

import dataclasses
import itertools
import os

import numpy as np
import pytest
import tensorflow as tf
from record_fixtures import numbered_frames, write_data_set
from run_fixtures import run_config, with_settings

from vie_tf.config import DataConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.clips import BadRecord
from vie_tf.storage.frame_index import FrameIndex
from vie_tf.training import train as training

RECIPE = ClipRecipe(num_frames=2, frame_interval=1, crop_size=32, sampling="dense")
BAD_VIDEO = 6  # position among the ten training videos; of the second shard


def with_a_broken_frame(video_id, num_frames):
    frames = numbered_frames(video_id, num_frames)
    if video_id == 9:
        frames = [frame[: len(frame) // 3] for frame in frames]
    return frames


@pytest.fixture(name="data")
def fixture_data(tmp_path):
    """One of ten training videos has JPEG frames that end too early."""
    manifest = write_data_set(tmp_path, make_frames=with_a_broken_frame)
    assert manifest.split("train")[BAD_VIDEO].id == 9
    return str(tmp_path), manifest


# Clips that are taken where much moves are read in several windows first.
MOVING = dataclasses.replace(RECIPE, question="order")


def batches_of(
    data, num_batches, start_position=0, on_bad_record="skip", recipe=RECIPE
):
    windows = 3 if recipe.question else None
    clips = pipeline.training_clips(
        DataConfig(data[0], on_bad_record=on_bad_record, motion_windows=windows),
        data[1],
        recipe,
        batch_size=4,
        seed=0,
        start_position=start_position,
    )
    return [
        {name: value.numpy() for name, value in batch.items()}
        for batch in itertools.islice(clips, num_batches)
    ]


@pytest.mark.parametrize("recipe", [RECIPE, MOVING], ids=["even", "moving"])
def test_a_bad_record_stops_the_run_with_its_name(data, recipe):
    with pytest.raises(
        BadRecord, match=r"Video 9 \(9\.mp4\) in .*train-00001\.tf"
    ) as e:
        batches_of(data, 5, on_bad_record="fail", recipe=recipe)
    assert "no whole JPEG" in str(e.value)
    assert "--on_bad_record=skip" in str(e.value)


@pytest.mark.parametrize("recipe", [RECIPE, MOVING], ids=["even", "moving"])
def test_a_skipped_record_is_left_out_named_and_counted(data, capfd, recipe):
    batches = batches_of(data, 9, recipe=recipe)  # 36 clips: four epochs of nine
    assert "skipped: video 9 in" in capfd.readouterr().err
    rows = np.concatenate([batch["rows"] for batch in batches])
    for epoch in rows.reshape(4, 9):
        assert sorted(epoch) == [row for row in range(10) if row != BAD_VIDEO]
    positions = np.concatenate([batch["positions"] for batch in batches])
    skipped = sum(batch["skipped"].sum() for batch in batches)
    assert (np.diff(positions) >= 1).all()
    assert skipped == positions[-1] + 1 - 36
    assert skipped in (3, 4)  # the last epoch's may come behind its last clip


def test_a_run_that_skips_goes_on_exactly_where_it_stopped(data):
    whole = batches_of(data, 6)
    position = int(whole[2]["positions"][-1]) + 1
    for wanted, actual in zip(whole[3:], batches_of(data, 3, position)):
        np.testing.assert_array_equal(actual["rows"], wanted["rows"])
        np.testing.assert_array_equal(actual["clips"], wanted["clips"])


@pytest.mark.parametrize("has_index", [False, True])
def test_of_a_cut_shard_the_rest_is_read(tmp_path, has_index, capsys):
    manifest = write_data_set(tmp_path)
    data = str(tmp_path), manifest
    if has_index:
        FrameIndex.load_split(*data, "train")
    path = tmp_path / "train-00001.tfrecord"
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) // 2 + 100)
    with pytest.raises(ValueError, match="is cut or was changed"):
        batches_of(data, 1, on_bad_record="fail")
    rows = {row for batch in batches_of(data, 5) for row in batch["rows"]}
    # The fourth to the seventh are in the cut shard; an index knows where.
    assert rows == ({0, 1, 2, 3, 4, 5, 8, 9} if has_index else {0, 1, 2, 3, 8, 9})
    assert "train-00001.tfrecord is cut" in capsys.readouterr().out


def test_a_record_without_frames_is_named(tmp_path):
    frames = {9: []}
    manifest = write_data_set(
        tmp_path, make_frames=lambda id, n: frames.get(id, numbered_frames(id, n))
    )
    # The manifest says 20 frames, the record has none.
    with pytest.raises(BadRecord, match=r"Video 9 .* cannot be read"):
        batches_of((str(tmp_path), manifest), 5, on_bad_record="fail")


def test_evaluation_names_a_bad_record_too(data):
    clips = pipeline.evaluation_clips(
        DataConfig(data[0]), data[1], "train", RECIPE, num_clips=2
    )
    with pytest.raises(BadRecord, match=r"Video 9 \(9\.mp4\)"):
        list(clips)


def test_evaluation_leaves_out_what_is_skipped(data):
    clips = pipeline.evaluation_clips(
        DataConfig(data[0], on_bad_record="skip"),
        data[1],
        "train",
        RECIPE,
        num_clips=2,
    )
    rows = np.concatenate([batch["rows"] for batch in clips])
    assert rows.tolist() == [row for row in range(10) if row != BAD_VIDEO]


def test_a_run_fails_in_one_line_or_counts_in_tensorboard(data, tmp_path, toy_runs):
    config = run_config(data[0], tmp_path / "run", train_steps=5, log_steps=5)
    with pytest.raises(BadRecord, match="Video 9"):
        training.train(config)
    skipping = with_settings(config, "data", on_bad_record="skip")
    skipping = with_settings(skipping, "train", model_dir=str(tmp_path / "skipping"))
    training.train(skipping)
    values = {}
    for path in (tmp_path / "skipping" / "tensorboard").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                values[value.tag] = tf.make_ndarray(value.tensor)
    assert values["input/skipped_clips"] in (2, 3)  # 20 clips, two epochs or more
