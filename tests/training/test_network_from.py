"""A run starts from the network of another, which was trained on other videos."""

import numpy as np
import pytest
from record_fixtures import write_data_set
from run_contents import numbers_in
from run_fixtures import DIM, new_state, run_config

from vie_tf.models.from_config import with_family_defaults
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.errors import UserError
from vie_tf.training import train as training
from vie_tf.training.start import restore_or_start

SINGLE = {"name": "single", "num_frames": 1, "frame_interval": 1}


@pytest.fixture(name="origin", scope="module")
def fixture_origin(tmp_path_factory):
    """The state of a run of 7 steps in `run`, and the folder that it is in."""
    folder = tmp_path_factory.mktemp("origin")
    manifest = write_data_set(folder / "data")
    config = with_family_defaults(
        run_config(folder / "data", folder / "run", model=SINGLE, seed=1)
    )
    state = new_state(config, manifest)
    rng = np.random.default_rng(0)
    for variable in state.model.variables:
        variable.assign(rng.normal(size=variable.shape))
    state.step.assign(7)
    run = RunDirectory(config.train.model_dir)
    run.save_config(config, manifest)
    run.save(state)
    return state, folder / "run"


def start(origin, folder, model=None, **settings):
    """Starts a run on other videos; returns its state and its first weights."""
    manifest = write_data_set(folder / "others", num_train=12)
    settings = {"network_from": str(origin), **settings}
    config = with_family_defaults(
        run_config(folder / "others", folder / "run", model=model or SINGLE, **settings)
    )
    state = new_state(config, manifest)
    before = [variable.numpy() for variable in state.model.variables]
    restore_or_start(state, RunDirectory(config.train.model_dir), config, manifest)
    return state, before


def test_the_network_is_that_of_the_other_run_and_all_else_is_new(
    origin, tmp_path, capsys
):
    old, folder = origin
    new, _ = start(folder, tmp_path)
    assert new.bank.num_videos != old.bank.num_videos
    for wanted, actual in zip(old.model.variables, new.model.variables):
        np.testing.assert_array_equal(actual, wanted, err_msg=actual.name)
    assert new.steps_taken() == 0
    output = capsys.readouterr().out
    assert "Starting from the network of" in output and "new head" not in output


@pytest.mark.parametrize(
    "model",
    [
        {**SINGLE, "embedding_dim": 2 * DIM},
        {**SINGLE, "num_classes": 3},
        {"name": "trn", "num_frames": 4, "frame_interval": 12},
    ],
    ids=["another embedding", "classes", "trn"],
)
def test_a_head_that_does_not_fit_is_new(origin, tmp_path, model, capsys):
    old, folder = origin
    new, before = start(folder, tmp_path, model)
    taken = old.model.backbone.variables
    assert len(taken) > 60
    for wanted, actual in zip(taken, new.model.backbone.variables):
        np.testing.assert_array_equal(actual, wanted, err_msg=actual.name)
    backbone = {id(variable) for variable in new.model.backbone.variables}
    head = [
        (wanted, actual)
        for wanted, actual in zip(before, new.model.variables)
        if id(actual) not in backbone
    ]
    assert head
    for wanted, actual in head:
        np.testing.assert_array_equal(actual, wanted, err_msg=actual.name)
    assert ", with a new head." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({**SINGLE, "num_filters": 8}, "another network than --model=single"),
        ({"name": "slow"}, "another network than --model=slow"),
        ({**SINGLE, "input": "lab"}, "sees --input=frames and this one --input=lab"),
    ],
)
def test_another_backbone_or_input_is_refused(origin, tmp_path, model, message):
    with pytest.raises(UserError, match=message):
        start(origin[1], tmp_path, model)


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        start(tmp_path / "nowhere", tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"init_from": "x"}, "A run has one start"),
        ({"single_from": "x", "dynamic_from": "y"}, "A run has one start"),
        ({"model": {"name": "two_stream_s"}}, "--single_from and --dynamic_from with"),
    ],
)
def test_a_run_has_one_start(origin, tmp_path, settings, message):
    write_data_set(tmp_path / "data")
    config = run_config(
        tmp_path / "data", tmp_path / "run", network_from=str(origin[1]), **settings
    )
    with pytest.raises(UserError, match=message):
        training.train(config)


def test_a_run_that_was_killed_goes_on_from_its_own_checkpoint(quick, tmp_path):
    quick(tmp_path / "origin", train_steps=1)
    write_data_set(tmp_path / "others", num_train=12)
    settings = {"network_from": str(tmp_path / "origin"), "learning_rate": 0.0}
    for last in (1, 2):
        config = run_config(
            tmp_path / "others", tmp_path / "run", train_steps=last, **settings
        )
        training.train(config)
        assert numbers_in(tmp_path / "run")["step"] == last
    np.testing.assert_array_equal(
        numbers_in(tmp_path / "run")["model/dense/kernel"],
        numbers_in(tmp_path / "origin")["model/dense/kernel"],
    )
