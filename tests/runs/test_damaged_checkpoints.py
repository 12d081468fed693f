"""What a run does when files of its checkpoints are cut, mixed up or gone."""

import json
import os
import pathlib

import numpy as np
import pytest
from run_contents import numbers_in
from run_fixtures import GridEmbedder, grid_state

from vie_tf.runs.checkpoint_folder import DamagedCheckpoints
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.files import flush_to_disk

LABELS = np.zeros(6, int)


def cut(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def change_a_byte(path):
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)


def zero(path):
    path.write_bytes(bytes(path.stat().st_size))


def empty(path):
    path.write_bytes(b"")


DATA = "data-00000-of-00001"
DAMAGES = [
    ("index", pathlib.Path.unlink),
    ("index", cut),
    ("index", zero),
    ("index", empty),
    (DATA, pathlib.Path.unlink),
    (DATA, cut),
    (DATA, change_a_byte),
    (DATA, empty),
]


@pytest.fixture(name="checkpoints")
def fixture_checkpoints(tmp_path):
    """Folder of the checkpoints of steps 2, 4 and 6."""
    save(RunDirectory(str(tmp_path)), 2, 4, 6)
    return tmp_path / "checkpoints"


def save(run, *steps):
    state = grid_state(LABELS)
    for step in steps:
        state.step.assign(step)
        run.save(state)


def indices_in(checkpoints):
    return sorted(path.stem for path in checkpoints.glob("*.index"))


def error_of(function, *arguments):
    """The message of the error, which has to be one line."""
    with pytest.raises(DamagedCheckpoints) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("end", "damage"), DAMAGES)
def test_the_newest_that_can_be_read_takes_the_place_of_a_damaged_one(
    checkpoints, tmp_path, capsys, end, damage
):
    damage(checkpoints / f"step-6.{end}")
    run = RunDirectory(str(tmp_path))
    assert run.latest() == run.chosen("latest") == str(checkpoints / "step-4")
    assert run.checkpoint().restore_model(GridEmbedder()) == 4
    state = grid_state(LABELS)
    run.checkpoint().restore(state)
    assert state.steps_taken() == 4
    (line,) = capsys.readouterr().out.splitlines()
    assert f"{checkpoints}/step-6 " in line and f"{checkpoints}/step-4 " in line


@pytest.mark.parametrize(("end", "damage"), DAMAGES)
def test_a_damaged_checkpoint_pushes_no_good_one_out(
    checkpoints, tmp_path, end, damage
):
    damage(checkpoints / f"step-6.{end}")
    save(RunDirectory(str(tmp_path)), 5)
    assert {"step-2", "step-4", "step-5"} <= set(indices_in(checkpoints))
    again = RunDirectory(str(tmp_path))
    assert again.latest() == str(checkpoints / "step-5")
    # Its step comes again, and with it a whole one.
    save(again, 6)
    assert RunDirectory(str(tmp_path)).latest() == str(checkpoints / "step-6")
    assert indices_in(checkpoints) == ["step-4", "step-5", "step-6"]


@pytest.mark.parametrize("damage", [zero, empty, cut])
def test_without_the_file_that_names_the_last_the_newest_is_taken(
    checkpoints, tmp_path, capsys, damage
):
    (checkpoints / "checkpoint").write_text('model_checkpoint_path: "step-')
    damage(checkpoints / "checkpoint")
    run = RunDirectory(str(tmp_path))
    assert run.latest() == str(checkpoints / "step-6")
    (line,) = capsys.readouterr().out.splitlines()
    assert f"{checkpoints}/checkpoint " in line and f"{checkpoints}/step-6 " in line
    save(run, 8)
    assert indices_in(checkpoints) == ["step-4", "step-6", "step-8"]
    assert RunDirectory(str(tmp_path)).latest() == str(checkpoints / "step-8")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("end", ["index", DATA])
def test_a_run_without_one_that_can_be_read_does_not_start_from_scratch(
    quick, tmp_path, end
):
    quick(tmp_path, train_steps=4, checkpoint_steps=2)
    for path in (tmp_path / "checkpoints").glob(f"step-*.{end}"):
        path.unlink()
    before = sorted((tmp_path / "checkpoints").iterdir())
    message = error_of(lambda: quick(tmp_path, train_steps=6))
    assert f"{tmp_path}/checkpoints" in message
    assert "step-4: " in message
    assert sorted((tmp_path / "checkpoints").iterdir()) == before


def test_a_run_that_goes_on_from_the_one_before_ends_with_the_same_bits(
    quick, tmp_path, capsys
):
    for name in ("whole", "damaged"):
        quick(tmp_path / name, train_steps=4, checkpoint_steps=2)
    cut(tmp_path / "damaged" / "checkpoints" / f"step-4.{DATA}")
    capsys.readouterr()
    for name in ("whole", "damaged"):
        quick(tmp_path / name, train_steps=6, checkpoint_steps=2)
    assert capsys.readouterr().out.count("cannot be read") == 1
    for name, wanted in numbers_in(tmp_path / "whole").items():
        np.testing.assert_array_equal(numbers_in(tmp_path / "damaged")[name], wanted)


def test_a_kill_before_the_first_checkpoint_has_its_index_loses_nothing(
    tmp_path, capsys
):
    left = tmp_path / "checkpoints" / f"step-2.{DATA}"
    left.parent.mkdir()
    left.write_bytes(b"of a checkpoint that was about to be there")
    run = RunDirectory(str(tmp_path))
    assert run.latest() is None
    save(run, 2)
    assert RunDirectory(str(tmp_path)).latest() == str(left.parent / "step-2")
    assert capsys.readouterr().out == ""


def test_numbers_whose_index_a_kill_has_removed_are_removed_by_the_next_save(tmp_path):
    run = RunDirectory(str(tmp_path), num_to_keep=1)
    folder = tmp_path / "checkpoints"
    save(run, 2)
    save(run, 4)
    (folder / f"step-2.{DATA}").write_bytes(b"of which the index is gone")
    save(run, 6)
    assert sorted(path.name for path in folder.glob("step-*")) == [
        *(f"step-6.{DATA}", "step-6.index")
    ]


def test_an_earlier_checkpoint_can_be_named_by_hand(checkpoints, tmp_path):
    (checkpoints / "checkpoint").write_text('model_checkpoint_path: "step-2"\n')
    assert RunDirectory(str(tmp_path)).latest() == str(checkpoints / "step-2")


@pytest.mark.parametrize("damage", [zero, empty, cut])
@pytest.mark.parametrize("name", ["best.json", "step-3.index", f"step-3.{DATA}"])
def test_a_new_best_begins_where_the_old_one_is_damaged(tmp_path, capsys, name, damage):
    state = grid_state(LABELS)
    state.step.assign(3)
    RunDirectory(str(tmp_path)).checkpoints.save_best(state, "knn/top1", 0.9)
    best = tmp_path / "checkpoints" / "best"
    damage(best / name)
    run = RunDirectory(str(tmp_path))
    message = error_of(run.chosen, "best")
    assert str(best) in message and "--checkpoint=latest" in message
    # Its score is known as long as `best.json` says it.
    assert (run.checkpoints.best_metadata() is None) == (name == "best.json")
    state.step.assign(6)
    assert run.checkpoints.save_best(state, "knn/top1", 0.5)
    assert str(best) in capsys.readouterr().out
    assert json.loads((best / "best.json").read_text())["checkpoint"] == "step-6"
    assert indices_in(best) == ["step-6"]
    assert (
        RunDirectory(str(tmp_path)).checkpoint("best").restore_model(GridEmbedder())
        == 6
    )


def test_a_checkpoint_is_on_the_disk_before_its_name_is(
    checkpoints, tmp_path, monkeypatch
):
    flush, flushed = os.fsync, []

    def noting(descriptor):
        path = pathlib.Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        is_named = "step-8" in (checkpoints / "checkpoint").read_text()
        flushed.append((path.name, is_named))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    save(RunDirectory(str(tmp_path)), 8)
    assert flushed[:5] == [
        (f"step-8.{DATA}", False),
        ("step-8.index", False),
        ("checkpoints", False),
        ("checkpoint.tmp", False),
        ("checkpoints", True),
    ]


def test_a_file_system_that_cannot_be_asked_to_write_is_not_asked():
    flush_to_disk("/dev/null")
