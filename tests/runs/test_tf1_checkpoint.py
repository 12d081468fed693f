"""Checkpoints as the authors' code writes them, read into networks and runs."""

from __future__ import annotations

import json
import pathlib
import tarfile
from typing import Any

import numpy as np
import pytest
from deterministic_weights import clips_for, value_of
from record_fixtures import write_data_set
from run_fixtures import la_state
from tf1_fixtures import write_tf1

from vie_tf import models
from vie_tf.commands import tf1_checkpoint as command
from vie_tf.config import ModelConfig
from vie_tf.keras import keras
from vie_tf.models.from_config import build_model
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.runs import tf1_checkpoint
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.state import TrainState
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"
PARITY = json.loads((FIXTURES / "parity/parity.json").read_text())
EXPECTED = FIXTURES / "expected_tf1_checkpoint.txt"
NARROW = ModelConfig(name="single", num_filters=4)
NUM_VIDEOS, NUM_CLUSTERINGS, STEP = 10, 2, 1_450_001
CONV = "resnet_model/conv2d_3/kernel"
Values = dict[str, np.ndarray]


def network_values(names: dict[str, Any]) -> Values:
    return {name: value_of(name, shape) for name, shape in names.items()}


def tf1_shapes(model: keras.Model) -> dict[str, list[int]]:
    return {name: list(v.shape) for name, v in models.tf1_names(model).items()}


def slot_of(name: str, value: np.ndarray) -> np.ndarray:
    return value_of(name, value.shape, seed=7)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """A narrow network for tests that restore, or fail to."""
    return build_model(NARROW, seed=0)


@pytest.fixture(scope="module")
def values(model: keras.Model) -> Values:
    """Everything that the authors' code saves while it trains with LA."""
    network = network_values(tf1_shapes(model))
    slots = {
        f"{name}/Momentum": slot_of(name, value)
        for name, value in network.items()
        if "/moving_" not in name
    }
    rows = [NUM_VIDEOS, 128]
    clusters = [NUM_CLUSTERINGS, NUM_VIDEOS]
    return {
        **network,
        **slots,
        "instance/memory_bank": value_of("instance/memory_bank", rows),
        "instance/cluster_labels": value_of("instance/cluster_labels", clusters),
        "instance/all_labels": np.zeros([NUM_VIDEOS], np.int64),
        "global_step": np.array(STEP, np.int64),
    }


@pytest.fixture(scope="module")
def full(values: Values, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Path of a checkpoint with all `values`."""
    folder = tmp_path_factory.mktemp("tf1")
    return write_tf1(folder / "model.ckpt-1450000", values)


@pytest.fixture(scope="module")
def made(full: str, tmp_path_factory: pytest.TempPathFactory) -> tf1_checkpoint.MadeRun:
    """A run that was made without data."""
    model_dir = str(tmp_path_factory.mktemp("runs") / "run")
    return tf1_checkpoint.make_run(NARROW, full, model_dir)


@pytest.fixture(scope="module")
def resumed(made: tf1_checkpoint.MadeRun) -> TrainState:
    """The state of `made`, as train.py restores it."""
    model, bank = build_model(made.config.model, seed=5), MemoryBank([0] * NUM_VIDEOS)
    state = la_state(model, bank, made.config)
    RunDirectory(made.config.train.model_dir).checkpoint().restore(state)
    return state


def without(values: Values, *parts: str) -> Values:
    return {n: v for n, v in values.items() if not any(part in n for part in parts)}


def bank_of(model_dir: pathlib.Path) -> np.ndarray:
    return RunDirectory(str(model_dir)).checkpoint().read_bank()


# The network.


@pytest.mark.parametrize("name", PARITY)
def test_every_variable_of_a_network_is_restored(name, tmp_path) -> None:
    model = models.build(name, num_filters=4)
    shapes = tf1_shapes(model)
    assert list(shapes) and shapes.keys() == PARITY[name]["variables"].keys()
    values = network_values(shapes)
    report = tf1_checkpoint.restore(model, write_tf1(tmp_path / "model", values))
    for variable_name, variable in models.tf1_names(model).items():
        np.testing.assert_array_equal(variable, values[variable_name], variable_name)
    assert sum(map(len, report.matched.values())) == len(model.variables)
    assert not report.missing and not report.left_over


def test_a_restored_network_has_the_embeddings_of_tf1(tmp_path) -> None:
    expected = PARITY["single"]
    path = write_tf1(tmp_path / "model", network_values(expected["variables"]))
    model = models.build("single")
    tf1_checkpoint.restore(model, path)
    clips = clips_for("single", expected["clips_shape"])[:, np.newaxis]
    ours = model(clips, training=False)["embedding"]
    theirs = np.array(expected["embedding_inference"])
    assert np.abs(ours - theirs).max() / np.abs(theirs).max() < 1e-5


def test_restore_reports_what_is_not_of_the_network(model, full, values) -> None:
    report = tf1_checkpoint.restore(model, full)
    assert set(report.left_over) == values.keys() - tf1_shapes(model).keys()


def test_a_failed_restore_leaves_the_network_as_it_was(model, values, tmp_path) -> None:
    others = {name: value + 1 for name, value in without(values, CONV).items()}
    path = write_tf1(tmp_path / "model", others)
    before = model.get_weights()
    with pytest.raises(UserError, match=CONV):
        tf1_checkpoint.restore(model, path)
    for ours, theirs in zip(model.get_weights(), before):
        np.testing.assert_array_equal(ours, theirs)


# The run.


def test_a_run_has_the_weights_and_the_momentum(resumed, values) -> None:
    accumulators = resumed.optimizer.accumulators
    names = {v.ref(): name for name, v in models.tf1_names(resumed.model).items()}
    for variable, slot in zip(resumed.model.trainable_variables, accumulators):
        name = names[variable.ref()]
        np.testing.assert_array_equal(variable, values[name], name)
        np.testing.assert_array_equal(slot, values[f"{name}/Momentum"], name)


def test_a_run_has_the_bank_the_clusters_and_the_step(resumed, values) -> None:
    np.testing.assert_array_equal(resumed.bank.rows, values["instance/memory_bank"])
    clusters = values["instance/cluster_labels"]
    np.testing.assert_array_equal(resumed.objective.cluster_labels, clusters)
    assert resumed.steps_taken() == STEP
    assert resumed.objective.clustered_at.numpy() == -1


def test_a_run_has_the_embeddings_of_the_checkpoint(model, resumed, values) -> None:
    for name, variable in models.tf1_names(model).items():
        variable.assign(values[name])
    clips = clips_for("single", [3, 1, 64, 64, 3])
    ours = resumed.model(clips, training=False)["embedding"]
    np.testing.assert_array_equal(ours, model(clips, training=False)["embedding"])


def test_settings_that_cannot_change_are_those_of_the_checkpoint(made) -> None:
    config, fingerprint = RunDirectory(made.config.train.model_dir).load_config()
    assert (config.loss.name, config.loss.la_num_clusterings) == ("la", NUM_CLUSTERINGS)
    assert (config.train.batch_size, config.model.num_frames) == (128, 1)
    assert config == made.config and fingerprint == ""


def test_a_run_made_without_data_goes_on_with_as_many_videos(made, resumed) -> None:
    run = RunDirectory(made.config.train.model_dir)
    anything = Manifest((), (), (), (), {})
    run.check_continues(made.config, anything)
    small = la_state(resumed.model, MemoryBank([0] * 9), made.config)
    with pytest.raises(UserError, match=r"10 videos.* 9 training"):
        run.checkpoint().restore(small)


def test_without_slots_and_step_both_start_at_0(values, tmp_path) -> None:
    values = without(values, "Momentum", "global_step")
    path = write_tf1(tmp_path / "model", values)
    made = tf1_checkpoint.make_run(NARROW, path, str(tmp_path / "run"))
    assert made.report.missing["step"] == ("global_step",)
    assert f"{CONV}/Momentum" in made.report.missing["momentum"]
    assert made.step == 0


def test_a_variable_that_nobody_knows_is_left_over(values, tmp_path) -> None:
    extra = {"beta1_power": np.float32(0.9), "resnet_model/dense_1/bias": np.zeros(3)}
    path = write_tf1(tmp_path / "model", {**values, **extra})
    made = tf1_checkpoint.make_run(NARROW, path, str(tmp_path / "run"))
    # Labels come from the data, of which there is none here.
    assert set(made.report.left_over) == {*extra, "instance/all_labels"}


def test_a_run_is_never_overwritten(made, full) -> None:
    model_dir = made.config.train.model_dir
    before = sorted(pathlib.Path(model_dir).rglob("*"))
    with pytest.raises(UserError, match=f"--model_dir={model_dir}"):
        tf1_checkpoint.make_run(NARROW, full, model_dir)
    assert sorted(pathlib.Path(model_dir).rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        (CONV, None, f"'{CONV}' is missing"),
        (CONV, [3, 3, 4, 5], r"is \[3, 3, 4, 5\], not \[3, 3, 4, 4\]"),
        ("resnet_model/dense/bias/Momentum", [64], r"Momentum' is \[64\], not \[128\]"),
        ("instance/memory_bank", [10, 64], r"is \[10, 64\], not \[10, 128\]"),
        ("instance/cluster_labels", [10], "'instance/cluster_labels' is"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_written(
    name, shape, message, values, tmp_path
) -> None:
    values = without(values, name)
    if shape is not None:
        values[name] = np.zeros(shape, np.float32)
    path = write_tf1(tmp_path / "model", values)
    with pytest.raises(UserError, match=message):
        tf1_checkpoint.make_run(NARROW, path, str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_of_another_family_is_refused(full, tmp_path) -> None:
    slow = ModelConfig(name="slow", num_filters=4)
    with pytest.raises(UserError, match="'slow'.*--model"):
        tf1_checkpoint.make_run(slow, full, str(tmp_path / "run"))


def test_a_run_of_this_project_is_no_tf1_checkpoint(made, tmp_path) -> None:
    path = RunDirectory(made.config.train.model_dir).latest()
    with pytest.raises(UserError, match="--init_from"):
        tf1_checkpoint.make_run(NARROW, path, str(tmp_path / "run"))


# The bank and the data.


def test_the_bank_takes_its_size_from_the_data_where_there_is_none(
    values, tmp_path
) -> None:
    manifest = write_data_set(tmp_path / "data", num_train=7)
    path = write_tf1(tmp_path / "model", without(values, "instance/"))
    arguments = (NARROW, path, str(tmp_path / "run"))
    with pytest.raises(UserError, match="--data_dir"):
        tf1_checkpoint.make_run(*arguments)
    made = tf1_checkpoint.make_run(*arguments, str(tmp_path / "data"))
    assert made.report.missing["memory bank"] == ("instance/memory_bank",)
    _, fingerprint = RunDirectory(made.config.train.model_dir).load_config()
    assert bank_of(tmp_path / "run").shape == (7, 128)
    assert (made.config.loss.name, fingerprint) == ("ir", manifest.fingerprint())


def test_a_bank_of_another_size_is_refused_unless_a_fresh_one_is_asked_for(
    full, tmp_path
) -> None:
    write_data_set(tmp_path / "data", num_train=7)
    arguments = (NARROW, full, str(tmp_path / "run"), str(tmp_path / "data"))
    with pytest.raises(UserError, match="10 rows.* 7 .*--fresh_bank"):
        tf1_checkpoint.make_run(*arguments)
    made = tf1_checkpoint.make_run(*arguments, fresh_bank=True)
    assert "instance/memory_bank" in made.report.left_over
    assert bank_of(tmp_path / "run").shape == (7, 128)
    assert (made.config.loss.name, made.step) == ("ir", STEP)


@pytest.mark.parametrize("order", ["same", "other"])
def test_labels_tell_whether_rows_and_videos_are_in_the_same_order(
    order, values, tmp_path
) -> None:
    manifest = write_data_set(tmp_path / "data", num_train=10, num_classes=3)
    ours = np.array([video.label for video in manifest.split("train")])
    theirs = 400 - ours  # numbered in another way
    theirs[0] = 0  # this video had no step yet
    if order == "other":
        theirs = np.sort(theirs)
    labels = {"instance/all_labels": theirs}
    path = write_tf1(tmp_path / "model", {**values, **labels})
    arguments = (NARROW, path, str(tmp_path / "run"), str(tmp_path / "data"))
    if order == "same":
        made = tf1_checkpoint.make_run(*arguments)
        assert made.report.left_over == ()
        np.testing.assert_array_equal(
            bank_of(tmp_path / "run"), values["instance/memory_bank"]
        )
    else:
        with pytest.raises(UserError, match="--fresh_bank"):
            tf1_checkpoint.make_run(*arguments)
        assert not (tmp_path / "run").exists()


# What cannot be read.


def files_of(prefix: str) -> list[pathlib.Path]:
    path = pathlib.Path(prefix)
    return sorted(path.parent.glob(f"{path.name}.*"))


def test_an_archive_is_to_be_unpacked_first(model, full, tmp_path) -> None:
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for file in files_of(full):
            archive.add(file, file.name)
    with pytest.raises(UserError, match=f"tar -xf {path}"):
        tf1_checkpoint.restore(model, str(path))


def test_broken_files_are_named(model, full, tmp_path) -> None:
    (index,) = [file for file in files_of(full) if file.suffix == ".index"]
    (tmp_path / index.name).write_bytes(index.read_bytes())
    for broken in (tmp_path / index.stem, tmp_path / "nowhere"):
        with pytest.raises(UserError, match=broken.name) as caught:
            tf1_checkpoint.restore(model, str(broken))
        assert "\n" not in str(caught.value)


# The command.


def test_the_command_accounts_for_every_variable(full, tmp_path, capsys) -> None:
    model_dir = tmp_path / "run"
    flags = ["--model=single", "--num_filters=4", f"--checkpoint={full}"]
    assert command.main([*flags, f"--model_dir={model_dir}"]) == 0
    printed = capsys.readouterr().out.replace(str(model_dir), "RUN")
    assert printed == EXPECTED.read_text()


def test_the_command_lists_every_variable_by_name(full, tmp_path, capsys) -> None:
    flags = ["--model=single", "--num_filters=4", f"--checkpoint={full}", "--verbose"]
    assert command.main([*flags, f"--model_dir={tmp_path / 'run'}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    # 21 kernels, 17 batch norms with gamma and beta, the dense layer's two.
    assert sum("resnet_model/" in line for line in lines) == 57 + 34 + 57
    assert f"  {CONV}/Momentum" in lines


def test_the_command_fails_in_one_line(full, tmp_path, capsys) -> None:
    for flags in (
        ["--model=single", "--num_filters=8", f"--checkpoint={full}"],
        ["--model=nine", f"--checkpoint={full}"],
        ["--model=two_stream_s", "--num_filters=4", f"--checkpoint={full}"],
        ["--model=single", f"--checkpoint={tmp_path}/nowhere"],
    ):
        assert command.main([*flags, f"--model_dir={tmp_path / 'run'}"]) == 1
        errors = capsys.readouterr().err
        assert errors.startswith("error: ") and errors.count("\n") == 1
        assert not (tmp_path / "run").exists()


def test_manifest_is_needed_where_data_is_given(full, tmp_path) -> None:
    with pytest.raises(ValueError, match=Manifest.__name__.lower()):
        tf1_checkpoint.make_run(NARROW, full, str(tmp_path / "run"), str(tmp_path))
