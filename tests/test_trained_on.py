"""What results say that a network was trained on, from the folder of its run."""

import pytest
from record_fixtures import write_data_set
from run_fixtures import run_config, with_settings

from vie_tf.checkpoints import RunDirectory
from vie_tf.evaluation.trained_on import TrainedOn


def make_directory(model_dir, data_dir, manifest=None, loss="la", **data):
    config = run_config(data_dir, loss={"name": loss, "ir_steps": 100}, seed=3)
    config = with_settings(config, "data", **data)
    directory = RunDirectory(str(model_dir))
    directory.save_config(config, manifest)
    return directory


@pytest.mark.parametrize(("step", "loss"), [(1, "ir"), (100, "ir"), (101, "la")])
def test_a_run_of_la_is_one_of_ir_until_la_begins(tmp_path, step, loss):
    directory = make_directory(tmp_path, "data")
    assert TrainedOn.of_run(directory, step).loss == loss


def test_the_data_are_those_of_the_runs_settings(tmp_path):
    manifest = write_data_set(tmp_path / "yoga")
    folder = f"{tmp_path / 'yoga'}/"
    directory = make_directory(tmp_path / "run", folder, manifest, "ir", subset=0.7)
    assert TrainedOn.of_run(directory, 5) == TrainedOn(
        name="yoga",
        fingerprint=manifest.fingerprint(),
        num_classes=len(manifest.class_names),
        subset=0.7,
        loss="ir",
        seed=3,
    )


def test_before_its_first_step_a_network_was_trained_on_nothing(tmp_path):
    found = TrainedOn.of_run(make_directory(tmp_path, "kinetics400"), 0)
    assert found == TrainedOn(seed=3)
    assert (found.in_words, found.data_set) == ("nothing", None)


def test_a_converted_checkpoint_without_data_says_so(tmp_path):
    found = TrainedOn.of_run(make_directory(tmp_path, ""), 500)
    assert (found.name, found.data_set) == ("", None)
    assert found.in_words == "data that its run does not name"
