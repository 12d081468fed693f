"""A run starts from another, or goes on from its own checkpoint."""

import dataclasses

import numpy as np
import pytest
from record_fixtures import write_data_set
from run_contents import events_in, numbers_in
from run_fixtures import BATCH_SIZE, new_state, run_config, unit_rows

from vie_tf.metrics.validation import KnnValidation, Scores
from vie_tf.models.from_config import with_family_defaults
from vie_tf.monitoring import alarms
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.training import train as training
from vie_tf.training.start import restore_or_start

SINGLE = {"name": "single", "num_frames": 1, "frame_interval": 1}
TRN = {"name": "trn", "num_frames": 4, "frame_interval": 12}
FILES = ("config.json", "starts.jsonl")
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
    state = new_state(config, manifest)
    rng = np.random.default_rng(0)
    for variable in (*state.model.variables, *state.optimizer.accumulators):
        variable.assign(rng.normal(size=variable.shape))
    state.bank.rows.assign(unit_rows(state.bank.num_videos))
    state.step.assign(7)
    state.objective.clustered_at.assign(5)
    run = RunDirectory(config.train.model_dir)
    run.save_config(config, manifest)
    run.save(state)
    return state


def start(folder, manifest, model):
    config = config_of(folder, "trn", model, init_from=str(folder / "single"))
    state = new_state(config, manifest)
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
    assert (state.steps_taken(), state.objective.clustered_at.numpy()) == (7, -1)
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
        ({**TRN, "num_filters": 8}, "--model=trn"),
        ({"name": "slow"}, "--model=slow"),
    ],
)
def test_networks_that_do_not_fit_are_refused(
    single, tmp_path, manifest, model, message
):
    with pytest.raises(ValueError, match=message):
        start(tmp_path, manifest, model)


def test_la_starts_from_the_weights_bank_and_step_of_another_run(quick, tmp_path):
    quick(tmp_path / "ir", train_steps=3)
    before = numbers_in(tmp_path / "ir")
    loss = {"name": "la", "ir_steps": 0, "la_num_clusterings": 2}
    origin = str(tmp_path / "ir")
    quick(
        tmp_path / "la", init_from=origin, loss=loss, train_steps=4, learning_rate=0.0
    )
    after, events = numbers_in(tmp_path / "la"), events_in(tmp_path / "la")
    np.testing.assert_array_equal(
        after["model/dense/kernel"], before["model/dense/kernel"]
    )
    changed = np.any(after["bank/rows"] != before["bank/rows"], axis=1)
    assert np.sum(changed) == BATCH_SIZE
    assert list(events["clusters/objective"]) == [3]
    assert list(events["train/loss"]) == [4]


def test_la_knows_after_a_restart_what_ir_had(quick, tmp_path, monkeypatch, capsys):
    accuracies = iter([0.2, 0.9, 0.4, 0.5])
    monkeypatch.setattr(
        KnnValidation,
        "__call__",
        lambda _: Scores({"": {"top1": next(accuracies), "top5": 1.0}}, 4),
    )
    monkeypatch.setattr(alarms, "_STANDARD_ERRORS", 0.0)  # there are four queries
    loss = {"name": "la", "ir_steps": 2}
    quick(tmp_path, loss=loss, eval_steps=1, train_steps=2)
    assert numbers_in(tmp_path)["ir_accuracy"] == 0.9
    quick(tmp_path, loss=loss, eval_steps=1, train_steps=3)
    assert (
        "ALARM at step 3, knn_below_ir: kNN top-1 is 40.0%" in capsys.readouterr().out
    )
    assert numbers_in(tmp_path)["ir_accuracy"] == 0.9


def test_init_from_a_run_on_other_videos_is_refused(quick, tmp_path):
    quick(tmp_path / "origin", train_steps=1)
    write_data_set(tmp_path / "others", num_classes=3)
    settings = {"init_from": str(tmp_path / "origin"), "train_steps": 2}
    config = run_config(tmp_path / "others", tmp_path / "run", **settings)
    with pytest.raises(ValueError, match="was trained on other videos or classes"):
        training.train(config)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_missing_init_from_is_refused_and_leaves_no_run(quick, tmp_path):
    with pytest.raises(
        ValueError, match="--init_from=nowhere: there is no such folder"
    ):
        quick(tmp_path / "run", init_from="nowhere")
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("quick")
def test_a_run_goes_on_when_videos_were_appended_to_its_data(tmp_path, capsys):
    data_dir = str(tmp_path / "data")
    whole = write_data_set(data_dir, num_train=12, num_val=0, per_shard=5)
    first = dataclasses.replace(whole.prefix(10, 2), shards=whole.shards[:2])
    first.save(data_dir)
    training.train(run_config(data_dir, tmp_path / "run", train_steps=2))
    before = numbers_in(tmp_path / "run")["bank/rows"]
    whole.save(data_dir)
    settings = {"train_steps": 3, "learning_rate": 0.0}
    training.train(run_config(data_dir, tmp_path / "run", **settings))
    assert "2 rows of the memory bank will start at random" in capsys.readouterr().out
    after = numbers_in(tmp_path / "run")["bank/rows"]
    assert (len(before), len(after)) == (10, 12)
    changed = np.any(after[:10] != before, axis=1)
    assert BATCH_SIZE - 2 <= changed.sum() <= BATCH_SIZE  # by the third step


def test_a_finished_run_is_left_alone(quick, tmp_path, capsys):
    quick(tmp_path, train_steps=2)
    numbers = numbers_in(tmp_path)
    files = {name: (tmp_path / name).read_text() for name in FILES}
    quick(tmp_path, train_steps=2, learning_rate=0.5)  # by which no step was taken
    assert "Nothing to do: the run is at step 2" in capsys.readouterr().out
    assert {name: (tmp_path / name).read_text() for name in FILES} == files
    for name, wanted in numbers.items():
        np.testing.assert_array_equal(numbers_in(tmp_path)[name], wanted)


def test_a_run_that_goes_on_otherwise_says_so(quick, tmp_path, capsys):
    quick(tmp_path, train_steps=1)
    quick(tmp_path, train_steps=2, checkpoint_steps=1000)
    assert "From step" not in capsys.readouterr().out
    quick(tmp_path, train_steps=3, learning_rate=0.02, checkpoint_steps=1000)
    told = "From step 3 on: --learning_rate was 0.01, is now 0.02.\n"
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("train_steps", [0, 1])
def test_a_batch_larger_than_the_data_is_told(quick, tmp_path, capsys, train_steps):
    quick(tmp_path, train_steps=train_steps, batch_size=11)
    told = "A batch of 11 clips takes some of the 10 training videos more than once"
    assert told in capsys.readouterr().out


def test_images_are_not_trained_on_as_if_they_moved(tmp_path):
    write_data_set(tmp_path / "images", num_frames=1)
    config = run_config(tmp_path / "images", tmp_path / "run")
    with pytest.raises(ValueError, match="one frame each .* Add --static_video"):
        training.train(config)
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("toy_runs")
@pytest.mark.parametrize("name", ["differences", "both"])
def test_a_run_of_differences_goes_on_with_the_same_bits(data_dir, tmp_path, name):
    def train(folder, train_steps):
        training.train(
            run_config(
                *(data_dir, tmp_path / folder),
                model={"input": name},
                train_steps=train_steps,
                eval_steps=2,
            )
        )

    train("whole", 4)
    train("stopped", 2)
    train("stopped", 4)
    whole, stopped = (numbers_in(tmp_path / folder) for folder in ("whole", "stopped"))
    assert whole.keys() == stopped.keys()
    for number, wanted in whole.items():
        np.testing.assert_array_equal(stopped[number], wanted, err_msg=number)
