"""A run of trn starts from one of single, as the authors' VIE-TRN did."""

import numpy as np
import pytest
from record_fixtures import write_data_set
from run_fixtures import run_config, unit_rows

from vie_tf import train_loop
from vie_tf.checkpoints import RunDirectory
from vie_tf.run_setup import with_family_defaults
from vie_tf.run_start import restore_or_start

SINGLE = {"name": "single", "num_frames": 1, "frame_interval": 1}
TRN = {"name": "trn", "num_frames": 4, "frame_interval": 12}
HEAD = 2  # kernel and bias, the last variables


@pytest.fixture(name="manifest", scope="module")
def fixture_manifest(tmp_path_factory):
    return write_data_set(tmp_path_factory.mktemp("data"))


def config_of(folder, name, model, **settings):
    loss = {"name": "la", "ir_steps": 0}
    return with_family_defaults(
        run_config("data", folder / name, model=model, loss=loss, **settings)
    )


def momentum(state):
    return [variable.numpy() for variable in state.optimizer.accumulators]


@pytest.fixture(name="single")
def fixture_single(tmp_path, manifest):
    """The state of a run of single of 7 steps, with a checkpoint in `single`."""
    config = config_of(tmp_path, "single", SINGLE, seed=1)
    state = train_loop.make_state(config, manifest)
    rng = np.random.default_rng(0)
    for variable in (*state.model.variables, *state.optimizer.accumulators):
        variable.assign(rng.normal(size=variable.shape))
    state.bank.rows.assign(unit_rows(state.bank.num_videos))
    state.step.assign(7)
    state.clustered_at.assign(5)
    run = RunDirectory(config.train.model_dir)
    run.save_config(config, manifest)
    run.save(state)
    return state


def start(folder, manifest, model):
    config = config_of(folder, "trn", model, init_from=str(folder / "single"))
    state = train_loop.make_state(config, manifest)
    before = [variable.numpy() for variable in state.model.trainable_variables]
    restore_or_start(state, RunDirectory(config.train.model_dir), config, manifest)
    return state, before


@pytest.mark.parametrize("head", ["concat", "relation"])
def test_trn_takes_all_but_the_head_of_single(single, tmp_path, manifest, head, capsys):
    state, before = start(tmp_path, manifest, {**TRN, "trn_head": head})
    taken = single.model.backbone.variables
    assert len(taken) == len(state.model.backbone.variables) > 60
    for wanted, actual in zip(taken, state.model.backbone.variables):
        np.testing.assert_array_equal(actual, wanted, err_msg=actual.name)
    for wanted, actual in zip(momentum(single)[:-HEAD], momentum(state)):
        np.testing.assert_array_equal(actual, wanted)
    np.testing.assert_array_equal(state.bank.rows, single.bank.rows)
    assert (state.steps_taken(), state.steps_since_clustering()) == (7, None)
    num_taken = len(momentum(single)) - HEAD
    assert len(before) > num_taken
    heads = zip(before, state.model.trainable_variables, momentum(state))
    for wanted, actual, speed in list(heads)[num_taken:]:
        np.testing.assert_array_equal(actual, wanted, err_msg=actual.name)
        assert not speed.any()
    assert "step-7, with a new head." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({**TRN, "embedding_dim": 8}, "has 16 dimensions. Give --embedding_dim=16"),
        ({**TRN, "num_filters": 8}, "is of another network than --model=trn"),
        ({"name": "slow"}, "is of another network than --model=slow"),
    ],
)
def test_networks_that_do_not_fit_are_refused(
    single, tmp_path, manifest, model, message
):
    with pytest.raises(ValueError, match=message):
        start(tmp_path, manifest, model)
