"""What ends a run early, and what it leaves: Ctrl-C, full disks, bad losses."""

import contextlib
import itertools
import os
import resource
import signal

import numpy as np
import pytest
import tensorflow as tf
from run_contents import events_in, numbers_in

from vie_tf.metrics.validation import KnnValidation, Scores
from vie_tf.objectives.instance_recognition import InstanceRecognition
from vie_tf.runs.checkpoint_folder import CheckpointFolder
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.terminal.termination import Terminated
from vie_tf.training import failures, loop


def test_an_interrupted_run_leaves_a_checkpoint_of_its_last_step(
    quick, tmp_path, monkeypatch, capsys
):
    take_step, steps = loop.take_step, itertools.count(1)

    def interrupted(*arguments):
        if next(steps) == 3:
            raise KeyboardInterrupt
        return take_step(*arguments)

    monkeypatch.setattr(loop, "take_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        quick(tmp_path, train_steps=9)
    assert RunDirectory(str(tmp_path)).latest().endswith("step-2")
    assert "Stopped at step 2" in capsys.readouterr().out


def test_sigterm_leaves_a_checkpoint_of_its_last_step_and_is_not_repeated(
    quick, tmp_path, monkeypatch, capsys
):
    take_step, save, steps = loop.take_step, CheckpointFolder.save, itertools.count(1)

    def terminated(*arguments):
        scalars = take_step(*arguments)
        if next(steps) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return scalars

    def impatient(*arguments):
        os.kill(os.getpid(), signal.SIGTERM)  # as some send it twice
        return save(*arguments)

    monkeypatch.setattr(loop, "take_step", terminated)
    monkeypatch.setattr(CheckpointFolder, "save", impatient)
    with pytest.raises(Terminated):
        quick(tmp_path, train_steps=9)
    assert RunDirectory(str(tmp_path)).latest().endswith("step-3")
    assert "Stopped at step 3" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_ctrl_c_while_the_first_graph_is_made_has_read_no_batch(
    quick, tmp_path, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(InstanceRecognition, "loss", interrupted)
        with pytest.raises(KeyboardInterrupt):
            quick(tmp_path / "stopped", train_steps=2)
    assert numbers_in(tmp_path / "stopped")["position"] == 0
    quick(tmp_path / "stopped", train_steps=2)
    quick(tmp_path / "whole", train_steps=2)
    for name, wanted in numbers_in(tmp_path / "whole").items():
        np.testing.assert_array_equal(numbers_in(tmp_path / "stopped")[name], wanted)


@pytest.mark.parametrize(
    "accuracies",
    [
        (0.5, KeyboardInterrupt, 0.5, 0.9),
        (0.5, 0.5, KeyboardInterrupt, 0.9),  # in that of the last step
    ],
)
def test_a_validation_that_was_interrupted_is_done_when_the_run_goes_on(
    quick, tmp_path, monkeypatch, accuracies
):
    settings = {
        **{"lr_schedule": "plateau", "plateau_patience": 1, "plateau_max_drops": 2},
        **{"eval_steps": 3, "checkpoint_steps": 4, "train_steps": 9},
    }
    wanted = [accuracy for accuracy in accuracies if accuracy is not KeyboardInterrupt]
    answers = iter([*wanted, *accuracies])

    def validate(_):
        answer = next(answers)
        if answer is KeyboardInterrupt:
            raise answer
        return Scores({"": {"top1": answer, "top5": 1.0}}, 4)

    monkeypatch.setattr(KnnValidation, "__call__", validate)
    quick(tmp_path / "whole", **settings)
    with pytest.raises(KeyboardInterrupt):
        quick(tmp_path / "stopped", **settings)
    quick(tmp_path / "stopped", **settings)
    curve = events_in(tmp_path / "stopped")["knn/top1"]
    assert curve == pytest.approx(dict(zip([3, 6, 9], wanted)))
    whole, stopped = (numbers_in(tmp_path / n, "best") for n in ("whole", "stopped"))
    assert whole["num_drops"] == 1
    for name, number in whole.items():
        np.testing.assert_array_equal(stopped[name], number, err_msg=name)


@contextlib.contextmanager
def largest_file(num_bytes):
    """No file of this process may grow beyond; the nearest thing to a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("method", ["save", "save_best"])
def test_a_full_disk_is_named_and_leaves_the_last_good_checkpoint(
    quick, tmp_path, monkeypatch, method
):
    quick(tmp_path, train_steps=2)
    write = getattr(CheckpointFolder, method)

    def on_a_full_disk(self, state, *arguments):
        with largest_file(1000):
            # Better than the best so far.
            return write(self, state, *(("knn/top1", 2.0) if arguments else ()))

    monkeypatch.setattr(CheckpointFolder, method, on_a_full_disk)
    with pytest.raises(failures.DiskFull, match="File too large") as caught:
        quick(tmp_path, train_steps=4)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(
        f"its last checkpoint, {tmp_path}/checkpoints/step-2."
    )
    assert not list(tmp_path.glob("checkpoints/**/*_temp"))


def test_no_space_left_is_said_in_one_line(quick, tmp_path, monkeypatch):
    def no_space(*_):
        text = f"{tmp_path}/step-1_temp/part; No space left on device [Op:SaveV2]"
        raise tf.errors.ResourceExhaustedError(None, None, text)

    monkeypatch.setattr(RunDirectory, "save", no_space)
    with pytest.raises(failures.DiskFull, match="No space left on device.*the start"):
        quick(tmp_path, train_steps=1)


def profiles_in(run_dir):
    """Sizes of the traces that a run has left."""
    paths = run_dir.glob("tensorboard/plugins/profile/*/*.xplane.pb")
    return [path.stat().st_size for path in paths]


def test_the_steps_that_are_asked_for_are_profiled(quick, tmp_path, capsys):
    quick(tmp_path / "run", train_steps=4, profile_steps=(2, 3))
    assert [size > 10_000 for size in profiles_in(tmp_path / "run")] == [True]
    assert "Wrote the profile of steps 2 to 3 to" in capsys.readouterr().out
    # It does not fix the run, which goes on behind the profile without another one.
    quick(tmp_path / "run", train_steps=5, profile_steps=(3, 5))
    assert len(profiles_in(tmp_path / "run")) == 1


def test_ctrl_c_within_a_profile_writes_what_there_is(quick, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "take_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        quick(tmp_path, train_steps=4, profile_steps=(1, 3))
    assert len(profiles_in(tmp_path)) == 1


def test_a_profile_behind_the_last_step_is_refused(quick, tmp_path):
    with pytest.raises(ValueError, match="--profile_steps=3,9 ends after the last"):
        quick(tmp_path / "run", train_steps=4, profile_steps=(3, 9))
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step(quick, tmp_path):
    with pytest.raises(failures.TrainingDiverged, match="loss of step 2 is not a"):
        quick(tmp_path, train_steps=5, learning_rate=1e30)
