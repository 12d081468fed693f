r"""Folders called `[ ] * ? \` or with spaces hold checkpoints as others do."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf
from run_fixtures import grid_state
from tf1_fixtures import write_tf1

from vie_tf.runs import checkpoint_files, checkpoint_path
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.tf1_checkpoint.reader import Tf1Checkpoint

NAMES = ("lr=[0.1,0.01]", "[a-z]", "a*b", "a?b", "a[b", "a]b", "back\\slash", "a b")
LABELS = np.arange(6) % 2


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_restored_from_a_folder_of_any_name(name, tmp_path):
    state = grid_state(LABELS)
    state.step.assign(7)
    weights = state.model.variables[0]
    weights.assign(np.random.default_rng(0).normal(size=weights.shape))
    directory = RunDirectory(str(tmp_path / name))
    directory.save(state)
    path = directory.latest()
    assert checkpoint_files.damage_of(path) is None
    restored = grid_state(LABELS, seed=1)
    assert directory.checkpoint().restore(restored) == 0
    assert int(restored.step.numpy()) == 7
    np.testing.assert_array_equal(restored.model.variables[0].numpy(), weights.numpy())
    model = grid_state(LABELS, seed=2).model
    assert RunDirectory(str(tmp_path / name)).checkpoint().restore_model(model) == 7


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_of_tf1_is_read_from_a_folder_of_any_name(name, tmp_path):
    (tmp_path / name).mkdir()
    path = write_tf1(tmp_path / name / "model.ckpt-5", {"a/kernel": np.ones((2, 3))})
    assert Tf1Checkpoint(str(path)).shapes["a/kernel"] == [2, 3]


def test_a_folder_that_was_made_again_is_not_mistaken_for_the_first(tmp_path):
    folder = tmp_path / "[a]"
    for number in range(2):
        folder.mkdir()
        path = str(folder / "step-1")
        tf.train.Checkpoint(value=tf.Variable(float(number))).write(path)
        value = tf.Variable(9.0)
        checkpoint = tf.train.Checkpoint(value=value)
        checkpoint.restore(checkpoint_path.plain(path)).expect_partial()
        assert float(value.numpy()) == number
        folder.rename(tmp_path / f"old {number}")


def test_other_paths_are_left_as_they_are(tmp_path):
    for path in (str(tmp_path / "a b" / "step-1"), "s3://bucket/[a]/step-1"):
        assert checkpoint_path.plain(path) == path
    missing = os.path.join(tmp_path, "[a]", "step-1")
    assert checkpoint_path.plain(missing) == missing
