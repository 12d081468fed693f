import os
import pathlib
import subprocess
import sys

import pytest
from record_fixtures import write_data_set
from run_fixtures import new_state, run_config

from data_prep.convert import __main__ as convert
from vie_tf.__main__ import COMMANDS as OTHERS
from vie_tf.commands import embed, evaluate, train
from vie_tf.models.from_config import with_family_defaults
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.folder_lock import FolderLock
from vie_tf.storage.manifest import Manifest
from vie_tf.training import train as training

ROOT = pathlib.Path(__file__).parents[2]
COMMANDS = (
    *("train.py", "evaluate.py", "embed.py"),
    *("-m data_prep.convert", "-m data_prep.describe", "-m data_prep.synthesize"),
    "-m data_prep.download_kinetics",
    *(f"-m vie_tf {name}" for name in OTHERS),
)
SMALL = (
    *("--num_filters=4", "--embedding_dim=16", "--num_frames=2", "--crop_size=32"),
    *("--model=slow", "--frame_interval=2", "--batch_size=4"),
)


@pytest.fixture(name="error_of")
def fixture_error_of(capsys):
    """What a command that is given bad input says, in one line."""

    def error_of(command, *arguments):
        assert command.main([str(argument) for argument in arguments]) == 1
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("error: ")
        return lines[0]

    return error_of


@pytest.fixture(name="data_dir", scope="module")
def fixture_data_dir(tmp_path_factory):
    """Ten training videos without labels."""
    data_dir = tmp_path_factory.mktemp("data")
    write_data_set(data_dir, num_classes=0)
    return data_dir


@pytest.fixture(name="model_dir", scope="module")
def fixture_model_dir(tmp_path_factory, data_dir):
    """A run on `data_dir` with a checkpoint of its first moment."""
    model_dir = tmp_path_factory.mktemp("run")
    config = with_family_defaults(run_config(data_dir, model_dir))
    manifest = Manifest.load(str(data_dir))
    directory = RunDirectory(str(model_dir))
    directory.save_config(config, manifest)
    directory.save(new_state(config, manifest))
    return model_dir


# ------------------------------------------------------------------------- --help


@pytest.mark.parametrize(
    ("command", "group", "flag"),
    [
        (train, "Loss: what is learned", "--ir_num_negatives=VALUE"),
        (train, "Training: start, steps", "--weight_decay=VALUE"),
        (evaluate, "kNN: classification by", "--knn_k=VALUE (default 10)"),
        (evaluate, "Training on labels", "--learning_rate=VALUE (default linear 0.01;"),
        (evaluate, "Evaluation: which task", "--splits=VALUE"),
        (embed, "Search: the videos nearest", "--query=VALUE (required)"),
        (convert, "Conversion of videos", "--fps=VALUE"),
    ],
)
def test_help_shows_flags_in_groups(command, group, flag, capsys):
    assert command.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert f"\n{group}" in text
    assert f"\n  {flag}" in text
    assert text.count("--flagfile=FILE") == 1 and "later win" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_help_does_not_wait_for_tensorflow(command):
    result = subprocess.run(
        [sys.executable, "-X", "importtime", *command.split(), "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    imported = {line.split("|")[-1].strip() for line in result.stderr.splitlines()}
    packages = {name.split(".")[0] for name in imported}
    assert result.returncode == 0
    assert "vie_tf.terminal.command_line" in imported
    assert not packages & {"tensorflow", "numpy", "cv2", "matplotlib", "sklearn"}


def test_a_preset_does_not_keep_flags_from_being_checked_before_tensorflow():
    flags = "--data_dir=x --model_dir=x --lr_schedule=plateau --lr_boundaries=8"
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "train.py", "--preset=small"]
        + flags.split(),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "error: --lr_boundaries and --lr_schedule=plateau" in result.stderr
    assert "| tensorflow\n" not in result.stderr


# -------------------------------------------------------------------- wrong flags


@pytest.mark.parametrize(
    ("command", "arguments", "words"),
    [
        (train, "--modle=slow", ["There is no --modle. Did you mean --model"]),
        (train, "--lr=0.1", ["There is no --lr. Did you mean --learning_rate?"]),
        (train, "--batch=8", ["Did you mean --batch_size?"]),
        (train, "--batch-size=8", ["Did you mean --batch_size?"]),
        (train, "--steps=8", ["Did you mean --train_steps?"]),
        (train, "--xyzzy=8", ["There is no --xyzzy. (--help"]),
        (train, "--model", ["--model has no value: write --model=VALUE"]),
        (train, "--check_input=3", ["give --check_input or --nocheck_input"]),
        (train, "--nocheck_input=3", ["--nocheck_input=3 does not take an argument"]),
        (train, "--train_steps=x", ["error: --train_steps=x: give a whole number"]),
        (
            train,
            "--flagfile=/nowhere/my.flags",
            ["error: --flagfile=/nowhere/my.flags cannot be read: No such file"],
        ),
        (train, "--flagfile", ["--flagfile has no value"]),
        (train, "--model=fast", ["--model=fast", "slowfast"]),
        (train, "--la_num_clusters=0", ["--la_num_clusters", "1", "auto"]),
        (train, "--la_num_clusters=many", ["--la_num_clusters", "1", "auto"]),
        (train, "--subset=0", ["--subset=0", "above 0", "at most 1"]),
        (train, "--temperature=nan", ["--temperature=nan", "0.001"]),
        (train, "--lr_boundaries=8,5", ["--lr_boundaries=8,5", "rising"]),
        (train, "--profile_steps=8,5", ["--profile_steps=8,5", "100,110"]),
        (train, "--profile_steps=8", ["--profile_steps=8", "100,110"]),
        (train, "--knn_k=5,10", ["--knn_k=5,10", "a whole number"]),
        (
            train,
            "--data_dir=x --model_dir=x --lr_schedule=plateau --lr_boundaries=8",
            ["--lr_boundaries", "--lr_schedule=plateau"],
        ),
        (train, "slow", ["'slow'"]),
        (train, "--data_dir=x", ["--model_dir is missing"]),
        (train, "--model_dir=x", ["--data_dir is missing"]),
        (evaluate, "--model_dir=x", ["--data_dir is missing"]),
        (evaluate, "--task=finetune --dropout=1", ["--dropout=1", "below 1"]),
        (evaluate, "--crop_size=31", ["--crop_size=31", "32"]),
        (evaluate, "--knn_k=5,5", ["--knn_k=5,5", "each once"]),
        (evaluate, "--task=finetune --splits=a,,b", ["--splits=a,,b"]),
        (
            evaluate,
            "--task=finetune --model_dir=x --splits=a,b --data_dir=c",
            ["--data_dir=c", "--splits"],
        ),
        (
            evaluate,
            "--task=finetune --model_dir=x --data_dir=c --from_scratch"
            " --checkpoint=best",
            ["--checkpoint=best", "--from_scratch"],
        ),
        (
            evaluate,
            "--model_dir=x --data_dir=x --clips_of=slow --single_from=a"
            " --dynamic_from=b",
            ["--clips_of=slow", "--single_from", "--dynamic_from"],
        ),
        (
            evaluate,
            "--task=retrieval --model_dir=x --data_dir=x --knn_temperature=0.1,0.2",
            ["--knn_temperature=0.1,0.2", "--task=knn"],
        ),
        (
            evaluate,
            "--task=linear --model_dir=x --data_dir=x --lr_schedule=plateau"
            " --lr_boundaries=8",
            ["--lr_boundaries", "--lr_schedule=plateau"],
        ),
        (embed, "--query=x", ["--query", "--index"]),
        (embed, "--videos=x --output=y", ["--model_dir is missing"]),
        (convert, "--fps=0 --videos=x --output_dir=y", ["--fps=0", "above 0"]),
        (convert, "--output_dir=y", ["--videos is missing"]),
    ],
)
def test_a_wrong_flag_is_named_in_one_line(command, arguments, words, error_of):
    error = error_of(command, *arguments.split())
    for word in words:
        assert word in error


@pytest.mark.parametrize(
    ("task", "flag", "others"),
    [
        ("linear", "--dropout=0.5", "finetune"),
        ("knn", "--test_clips=spaced", "finetune"),
        ("knn", "--train_steps=5", "linear finetune all"),
        ("linear", "--knn_k=3", "knn retrieval all"),
        ("linear", "--splits=a,b", "finetune"),
        ("linear", "--from_scratch", "finetune"),
        ("all", "--quick", "linear"),
        ("retrieval", "--gallery=bank", "knn all"),
        ("knn", "--subset=0.3", "linear finetune"),
        ("all", "--bin_frames=9", "linear finetune"),
        ("retrieval", "--crop=multi_scale_crop", "linear finetune all"),
        ("linear --quick", "--bin_frames=9", "linear finetune"),
        ("linear --quick", "--learning_rate=1", "linear finetune all"),
    ],
)
def test_a_flag_of_other_tasks_is_refused(task, flag, others, error_of):
    error = error_of(evaluate, *f"--task={task}".split(), flag)
    name = flag.split("=")[0]
    listed = " or ".join(f"--task={other}" for other in others.split())
    assert error.startswith(f"error: {name} is for {listed}, and --task={task} would")


@pytest.mark.parametrize(
    ("old", "now"),
    [
        ("--la_settled_share=0.5", "--la_kmeans_tolerance"),
        ("--plateau_gain=0.5", "--plateau_min_delta"),
        ("--crop=multi_scale", "--crop=multi_scale_crop"),
    ],
)
def test_the_old_name_of_a_flag_is_taken_and_the_new_one_named(
    old, now, monkeypatch, capsys
):
    seen = []
    monkeypatch.setattr(training, "train", seen.append)
    for flag in (old, f"{now.split('=')[0]}={old.split('=')[1]}"):
        assert train.main(["--data_dir=a", "--model_dir=b", flag]) == 0
    assert f"{old.split('=')[0]}" in (error := capsys.readouterr().err)
    assert f"is now called {now}" in error
    assert seen[0] == seen[1] != run_config("a", "b")
    assert "0.5" in seen[0].to_json() or seen[0].data.crop == "multi_scale_crop"


# ------------------------------------------------------------------ wrong folders


def test_convert_says_which_folder_is_missing(tmp_path, error_of):
    folders = (f"--videos={tmp_path}/nowhere", f"--output_dir={tmp_path}/out")
    assert f"{tmp_path}/nowhere" in error_of(convert, *folders)


def test_train_says_which_data_is_missing_and_how_to_make_it(tmp_path, error_of):
    error = error_of(train, f"--data_dir={tmp_path}/no", f"--model_dir={tmp_path}/run")
    assert "manifest.json" in error and f"{tmp_path}/no" in error
    assert "python -m data_prep.convert" in error


def test_train_says_which_run_to_start_from_is_missing(tmp_path, data_dir, error_of):
    folders = (f"--data_dir={data_dir}", f"--model_dir={tmp_path}/run")
    error = error_of(train, *SMALL, *folders, f"--init_from={tmp_path}/nowhere")
    assert f"--init_from={tmp_path}/nowhere" in error


def test_train_refuses_data_with_another_number_of_videos(
    tmp_path, model_dir, error_of
):
    write_data_set(tmp_path, num_train=8, num_classes=0)
    folders = (f"--data_dir={tmp_path}", f"--model_dir={model_dir}")
    error = error_of(train, *SMALL, *folders)
    assert str(tmp_path) in error and "10" in error


def test_train_refuses_a_folder_that_another_process_trains_in(
    model_dir, data_dir, error_of
):
    doing = f"training in {str(model_dir)!r}"
    with FolderLock(str(model_dir), doing, "--model_dir"):
        folders = (f"--data_dir={data_dir}", f"--model_dir={model_dir}")
        error = error_of(train, *SMALL, *folders)
    assert str(os.getpid()) in error and str(model_dir) in error


def test_evaluate_says_what_is_no_run(tmp_path, data_dir, error_of):
    folders = (f"--data_dir={data_dir}", f"--model_dir={tmp_path}")
    assert str(tmp_path) in error_of(evaluate, *folders)


def test_evaluate_says_how_to_make_a_run_without_training(tmp_path, data_dir, error_of):
    folders = (f"--data_dir={data_dir}", f"--model_dir={tmp_path}")
    error = error_of(evaluate, "--task=finetune", "--from_scratch", *folders)
    assert "--train_steps=0" in error


def test_evaluate_by_knn_needs_labels(model_dir, data_dir, error_of):
    folders = (f"--data_dir={data_dir}", f"--model_dir={model_dir}")
    error = error_of(evaluate, "--task=knn", *folders)
    assert "--task=knn" in error and "--task=retrieval" in error


def test_evaluate_of_a_good_run_ends_well(model_dir, data_dir, capsys):
    folders = (f"--data_dir={data_dir}", f"--model_dir={model_dir}")
    assert evaluate.main(["--task=retrieval", *folders]) == 0
    assert f"{model_dir}/eval/retrieval.png" in capsys.readouterr().out
    assert (model_dir / "eval" / "retrieval.png").exists()


def test_a_fault_of_the_program_keeps_its_stack_trace(monkeypatch):
    def fault(config):
        raise ValueError("not the user's")

    monkeypatch.setattr(training, "train", fault)
    with pytest.raises(ValueError, match="not the user's"):
        train.main(["--data_dir=a", "--model_dir=b"])
