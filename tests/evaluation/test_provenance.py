"""What results say that a network was trained on, from the folder of its run."""

import dataclasses

import pytest
from record_fixtures import write_data_set
from run_fixtures import run_config, with_settings

from vie_tf.config import ModelConfig
from vie_tf.evaluation.provenance import TrainedOn
from vie_tf.models.from_config import with_family_defaults
from vie_tf.runs.run_directory import RunDirectory

# How networks differ from the paper's; the second is that of `run_config`.
DEEP_TRN = "resnet_size 50, trn_head relation"
TINY = "num_frames 2, frame_interval 2, crop_size 32, num_filters 4"


def make_directory(model_dir, data_dir, manifest=None, loss="la", **data):
    config = run_config(data_dir, loss={"name": loss, "ir_steps": 100}, seed=3)
    config = with_settings(config, "data", **data)
    directory = RunDirectory(str(model_dir))
    directory.save_config(config, manifest)
    return directory


@pytest.mark.parametrize(("step", "loss"), [(1, "ir"), (100, "ir"), (101, "la")])
def test_a_run_of_la_is_one_of_ir_until_la_begins(tmp_path, step, loss):
    directory = make_directory(tmp_path, "data")
    assert TrainedOn.from_run(directory, step).loss == loss


def test_the_data_are_those_of_the_runs_settings(tmp_path):
    manifest = write_data_set(tmp_path / "yoga")
    folder = f"{tmp_path / 'yoga'}/"
    directory = make_directory(tmp_path / "run", folder, manifest, "ir", subset=0.7)
    assert TrainedOn.from_run(directory, 5) == TrainedOn(
        name="yoga",
        fingerprint=manifest.fingerprint(),
        num_classes=len(manifest.class_names),
        subset=0.7,
        loss="ir",
        seed=3,
        network=TINY,
    )


def test_before_its_first_step_a_network_was_trained_on_nothing(tmp_path):
    found = TrainedOn.from_run(make_directory(tmp_path, "kinetics400"), 0)
    assert found == TrainedOn(seed=3, network=TINY)
    assert found.describe_data() == "nothing"


def test_a_converted_checkpoint_without_data_says_so(tmp_path):
    found = TrainedOn.from_run(make_directory(tmp_path, ""), 500)
    assert found.name == ""
    assert found.describe_data() == "data that its run does not name"


def test_the_papers_networks_have_no_settings_to_be_told(tmp_path):
    config = run_config("data")
    plain = dataclasses.replace(config, model=ModelConfig("trn"))
    for model, words in (
        (plain.model, ""),
        (with_family_defaults(plain).model, ""),
        (ModelConfig("trn", resnet_size=50, trn_head="relation"), DEEP_TRN),
    ):
        directory = RunDirectory(str(tmp_path))
        directory.save_config(dataclasses.replace(config, model=model), None)
        assert TrainedOn.from_run(directory, 1).network == words


def test_a_fine_tuned_network_is_not_the_papers(tmp_path):
    directory = make_directory(tmp_path, "data", loss="supervised")
    (tmp_path / "settings.json").write_text("{}")  # as of a training on labels
    assert TrainedOn.from_run(directory, 5).network == f"fine-tuned, {TINY}"
