"""Runs of objectives with a head of their own, from their start to an evaluation."""

import numpy as np
import pytest
from run_contents import numbers_in
from run_fixtures import run_config

from vie_tf.config import DataConfig, KnnTaskConfig
from vie_tf.evaluation.neighbors import knn_task
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.objectives import OBJECTIVES
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.errors import UserError
from vie_tf.training import train as training

# A network that can learn it.
NETWORKS = {
    "rotation": {"name": "slow"},
    "order": {"name": "single", "num_frames": None},
    "puzzle": {"name": "slow", "crop_size": 48},
    "statistics": {"name": "slow"},
}
PRETEXTS = [name for name, one in OBJECTIVES.items() if one.has_own_head]


def settings(data_dir, model_dir, loss, **train):
    model = NETWORKS[loss]
    return run_config(data_dir, model_dir, model=model, loss={"name": loss}, **train)


@pytest.mark.parametrize("loss", PRETEXTS)
def test_a_run_goes_on_with_the_same_bits(data_dir, tmp_path, capsys, toy_runs, loss):
    for steps in (1, 3):
        training.train(settings(data_dir, tmp_path / "two", loss, train_steps=steps))
    training.train(settings(data_dir, tmp_path / "one", loss, train_steps=3))
    output = capsys.readouterr().out
    assert "Going on from" in output
    assert "kNN top-1" in output and "against embeddings" in output
    assert "against the memory bank" not in output
    first, second = (numbers_in(tmp_path / name) for name in ("two", "one"))
    assert first.keys() == second.keys()
    assert any("head/" in name for name in first)
    for name, value in first.items():
        assert np.array_equal(value, second[name]), name


@pytest.mark.parametrize("loss", PRETEXTS)
def test_a_run_is_evaluated_by_its_features(data_dir, tmp_path, toy_runs, loss):
    training.train(settings(data_dir, tmp_path, loss))
    run = RestoredRun.load(str(tmp_path), DataConfig(str(data_dir)))
    assert not run.config.model.has_head
    result = knn_task.evaluate(run, KnnTaskConfig(ks=(1,), num_clips=2))
    assert 0 <= result["top1"] <= 1
    with pytest.raises(UserError, match="--gallery=features"):
        knn_task.evaluate(run, KnnTaskConfig(num_clips=2, gallery="bank"))


@pytest.mark.parametrize("loss", PRETEXTS)
def test_other_networks_are_refused_with_those_that_can(data_dir, tmp_path, loss):
    config = run_config(
        data_dir, tmp_path, model={"name": "two_stream_s"}, loss={"name": loss}
    )
    words = f"--loss={loss} .*=two_stream_s: give"
    with pytest.raises(UserError, match=words) as error:
        training.train(config)
    assert "\n" not in str(error.value)
    assert NETWORKS[loss]["name"] in str(error.value)


def test_a_run_of_two_views_is_one_with_a_bank(data_dir, tmp_path, capsys, toy_runs):
    model = {"name": "single", "num_frames": None, "input": "lab"}
    settings = {"train_steps": 2, "knn_gallery": "bank"}
    config = run_config(
        data_dir, tmp_path, model=model, loss={"name": "cmc"}, **settings
    )
    training.train(config)
    assert "against the memory bank" in capsys.readouterr().out
    rows = RunDirectory(str(tmp_path)).checkpoint().read_bank()
    halves = np.linalg.norm(rows.reshape(len(rows), 2, -1), axis=-1)
    written = np.isclose(halves, 2**-0.5, atol=1e-3).all(axis=1)
    assert written.sum() >= 7  # two steps of four of ten videos


def test_two_streams_of_one_family_are_refused(data_dir, tmp_path):
    model = {"name": "slow", "input": "both"}
    config = run_config(data_dir, tmp_path, model=model, loss={"name": "rotation"})
    with pytest.raises(UserError, match="--input=both makes two: give --input=frames"):
        training.train(config)


def test_there_is_no_bank_to_validate_against(data_dir, tmp_path):
    config = settings(data_dir, tmp_path, "rotation", knn_gallery="bank")
    with pytest.raises(UserError, match="no memory bank.*leave --knn_gallery=bank out"):
        training.train(config)


def test_a_head_of_relations_would_not_be_trained(data_dir, tmp_path):
    model = {"name": "trn", "num_frames": 4, "trn_head": "relation"}
    config = run_config(data_dir, tmp_path, model=model, loss={"name": "rotation"})
    with pytest.raises(UserError, match="--trn_head=relation .* leave it out"):
        training.train(config)


def test_runs_with_and_without_a_bank_do_not_start_from_each_other(
    data_dir, tmp_path, toy_runs
):
    training.train(run_config(data_dir, tmp_path / "ir", train_steps=1))
    config = settings(
        data_dir, tmp_path / "run", "rotation", init_from=str(tmp_path / "ir")
    )
    with pytest.raises(UserError, match="a run with a memory bank"):
        training.train(config)
