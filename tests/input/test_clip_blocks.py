"""Blocks of clips are the clips that are made one by one."""

import itertools

import numpy as np
import pytest
from record_fixtures import write_data_set

from vie_tf.config import DataConfig
from vie_tf.input import clip_blocks, pipeline
from vie_tf.input.clip_recipe import ClipRecipe

RECIPE = ClipRecipe(num_frames=1, frame_interval=2, crop_size=32, sampling="sparse")


@pytest.fixture(name="data", scope="module")
def fixture_data(tmp_path_factory):
    data_dir = str(tmp_path_factory.mktemp("data"))
    return data_dir, write_data_set(data_dir)


def clips_of(data, recipe=RECIPE, batch_size=6, **options):
    data_dir, manifest = data
    config = DataConfig(data_dir, **options)
    return pipeline.training_clips(
        config, manifest, recipe, batch_size=batch_size, seed=5
    )


@pytest.mark.parametrize(
    "input,options",
    [
        ("frames", {"color": "exact"}),
        ("frames", {"color": "fast", "crop": "random_resized_crop"}),
        ("frames", {"color": "none", "static_video": True}),
        ("differences", {}),
        ("both", {"color": "exact"}),
    ],
)
def test_a_clip_of_a_block_is_the_clip_of_its_position(data, input, options):
    recipe = ClipRecipe(1, 2, crop_size=16, sampling="dense", input=input)
    clips = clips_of(data, recipe, **options)
    for batch in itertools.islice(clips, 3):
        for number, position in enumerate(batch["positions"].numpy()):
            alone = clips.at(int(position))
            for name in ("clips", "rows", "labels"):
                np.testing.assert_array_equal(batch[name][number], alone[name])


def test_batches_of_several_blocks_are_those_of_clips_one_by_one(data, monkeypatch):
    monkeypatch.setattr(clip_blocks, "_MAX_CLIPS", 2)
    blocks = clips_of(data)
    one_by_one = clips_of(data, on_bad_record="skip")
    for batch, wanted in itertools.islice(zip(blocks, one_by_one), 4):
        for name in ("clips", "rows", "positions", "labels", "skipped"):
            np.testing.assert_array_equal(batch[name], wanted[name])


@pytest.mark.parametrize(
    "batch_size,wanted", [(128, 32), (8, 8), (48, 24), (7, 7), (37, 1)]
)
def test_a_block_divides_the_batch_and_has_few_clips(batch_size, wanted):
    assert clip_blocks.block_size(batch_size) == wanted


def test_clips_of_several_frames_are_made_one_by_one(data, monkeypatch):
    monkeypatch.setattr(clip_blocks, "make_clips", None)
    recipe = ClipRecipe(2, 2, crop_size=16, sampling="dense")
    assert next(iter(clips_of(data, recipe)))["clips"].shape == (6, 2, 16, 16, 3)
