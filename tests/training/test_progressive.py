"""Runs whose first steps have clips of half the size (`--progressive_steps`)."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from run_contents import leave_what_a_kill_leaves, numbers_in
from run_fixtures import run_config

from vie_tf import models
from vie_tf.config import ModelConfig
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.storage.errors import UserError
from vie_tf.training import failures, loop, progressive
from vie_tf.training import train as training

MODEL = {"crop_size": 64, "batch_norm_momentum": 0.1, "name": "slow"}
MODEL.update(num_frames=2, frame_interval=2)
SMALL, LAST = 6, 10


def config_of(data_dir, folder, **train):
    settings = {"progressive_steps": SMALL, "train_steps": LAST, "eval_steps": 5}
    settings.update(log_steps=1, checkpoint_steps=2, num_to_keep=9, **train)
    loss = {"name": "la", "ir_steps": 4}
    return run_config(data_dir, folder, model=MODEL, loss=loss, **settings)


@pytest.fixture(name="whole", scope="module")
def fixture_whole(toy_networks, data_dir, tmp_path_factory):
    """Folder of a run of six small steps and four of full size."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    training.train(config_of(data_dir, folder))
    return folder


def assert_same_numbers(folder, wanted_folder):
    numbers, wanted = (numbers_in(run) for run in (folder, wanted_folder))
    assert numbers["step"] == LAST
    assert set(numbers) == set(wanted)
    for name, value in wanted.items():
        np.testing.assert_array_equal(numbers[name], value, err_msg=name)


def test_the_first_steps_have_half_the_size_and_the_others_the_whole():
    config = config_of("data", "run")
    sizes = [progressive.recipe_at(config, n).crop_size for n in range(LAST)]
    assert sizes == [32] * SMALL + [64] * (LAST - SMALL)
    off = config_of("data", "run", progressive_steps=0)
    assert progressive.recipe_at(off, 0).crop_size == 64


def test_the_network_is_given_the_clips_of_each_stage(
    toy_networks, data_dir, tmp_path, monkeypatch
):
    sizes = []

    def next_batch(*arguments):
        batch = failures.next_batch(*arguments)
        sizes.append(tuple(batch["clips"].shape[2:4]))
        return batch

    monkeypatch.setattr(loop, "next_batch", next_batch)
    training.train(config_of(data_dir, tmp_path / "run"))
    assert sizes == [(32, 32)] * SMALL + [(64, 64)] * (LAST - SMALL)


@pytest.mark.parametrize("step", [4, SMALL, 8])
def test_a_killed_run_goes_on_exactly_in_each_stage(whole, data_dir, tmp_path, step):
    killed = tmp_path / "killed"
    leave_what_a_kill_leaves(whole, killed, step=step)
    training.train(config_of(data_dir, killed))
    assert_same_numbers(killed, whole)


def test_steps_of_full_size_are_those_of_any_run(whole, data_dir, tmp_path):
    usual = tmp_path / "usual"
    leave_what_a_kill_leaves(whole, usual, step=SMALL)
    training.train(config_of(data_dir, usual, progressive_steps=0))
    assert_same_numbers(usual, whole)


def test_a_run_says_which_clips_come_and_what_they_cost(
    toy_runs, data_dir, tmp_path, capsys
):
    training.train(config_of(data_dir, tmp_path / "run"))
    output = capsys.readouterr().out
    small, full = output.split("From step 7 on, clips have 64 x 64 pixels.")
    assert "Clips have 32 x 32 pixels until step 6." in small
    assert "for 6 steps" in small and "for 4 steps" in full


@pytest.mark.parametrize("family", ["single", "trn", "slow", "slowfast", "3dresnet"])
def test_networks_of_the_paper_take_clips_of_half_the_size(family):
    config = ModelConfig(family, num_filters=4, embedding_dim=8, crop_size=64)
    model = models.build(**dataclasses.asdict(config))
    recipe = models.clip_recipe(family)
    for size in (32, 64):
        clips = tf.zeros([1, recipe.num_frames, size, size, 3], tf.uint8)
        assert model(clips)["embedding"].shape == (1, 8)


@pytest.mark.parametrize(
    "group,settings,message",
    [
        ("model", {"name": "c3d"}, "--model=c3d takes clips of one size"),
        ("model", {"crop_size": 48}, "give --crop_size=64 or more"),
        ("model", {"batch_norm_momentum": 0.9}, "need 30 of them"),
        ("loss", {"name": "rotation"}, "--loss=rotation asks about clips of one size"),
        ("train", {"progressive_steps": 11}, "leaves 0 of --train_steps=10"),
    ],
)
def test_what_cannot_begin_small_is_refused(group, settings, message):
    config = config_of("data", "run")
    changed = dataclasses.replace(getattr(config, group), **settings)
    with pytest.raises(UserError, match=message):
        progressive.check(dataclasses.replace(config, **{group: changed}))


def test_the_recipe_of_a_small_clip_differs_in_its_size_alone():
    config = config_of("data", "run")
    small, full = (progressive.recipe_at(config, n) for n in (0, SMALL))
    assert isinstance(small, ClipRecipe)
    assert dataclasses.replace(small, crop_size=64) == full
