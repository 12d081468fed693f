import os
import pathlib
import subprocess
import sys

import pytest
from record_fixtures import write_data_set
from run_fixtures import run_config

from vie_tf.models.from_config import with_family_defaults
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.folder_lock import FolderLock
from vie_tf.storage.manifest import Manifest
from vie_tf.training import loop

ROOT = pathlib.Path(__file__).parents[2]
SMALL = ("--num_filters=4", "--embedding_dim=16", "--num_frames=2", "--crop_size=32")


def run(*arguments):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def error_of(*arguments):
    """What a command that is given bad input says, in one line."""
    result = run(*arguments)
    assert result.returncode != 0
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    assert "Traceback" not in result.stdout
    return lines[0]


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
    directory.save(loop.make_state(config, manifest))
    return model_dir


@pytest.mark.parametrize(
    ("command", "group", "flag"),
    [
        (["train.py"], "Loss: instance recognition (IR)", "--ir_num_negatives=VALUE"),
        (["evaluate.py"], "kNN: classification by", "--knn_k=VALUE (default 10)"),
        (["train.py"], "Optimization: how long", "--weight_decay=VALUE"),
        (["evaluate.py"], "Optimization: how long", "--learning_rate=VALUE"),
        (["evaluate.py"], "Finetune: training of", "--splits=VALUE"),
        (["-m", "data_prep.convert"], "Conversion of videos", "--fps=VALUE"),
    ],
)
def test_help_shows_the_flags_of_the_project_in_groups(command, group, flag):
    result = run(*command, "--help")
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert any(line.startswith(group) for line in lines)
    assert any(line.startswith(f"  {flag}") for line in lines)
    for of_others in ("--verbosity", "--logtostderr", "--test_srcdir", "--flagfile"):
        assert of_others not in result.stdout


@pytest.mark.parametrize("value", ["0", "-3", "many", "1.5"])
def test_a_number_of_clusters_is_whole_or_auto(value):
    error = error_of("train.py", f"--la_num_clusters={value}", "--data_dir=a")
    assert "--la_num_clusters" in error
    assert "give a whole number, at least 1, or auto" in error


def test_help_does_not_wait_for_tensorflow():
    result = run("-X", "importtime", "train.py", "--help")
    imported = {line.split("|")[-1].strip() for line in result.stderr.splitlines()}
    assert "vie_tf.config" in imported
    assert not any(name.split(".")[0] == "tensorflow" for name in imported)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train.py", "--modle=slow"], "flag 'modle'. Did you mean: model"),
        (["train.py", "--model=fast"], "value should be one of"),
        (["train.py", "--lr_boundaries=8,5"], "whole numbers in rising order"),
        (["train.py", "--profile_steps=8,5"], "first and the last step, as in 100,110"),
        (["train.py", "--profile_steps=8"], "first and the last step, as in 100,110"),
        (
            [
                *("train.py", "--model_dir=x", "--lr_schedule=plateau"),
                "--lr_boundaries=8",
            ],
            "--lr_boundaries and --lr_schedule=plateau both say when the rate drops",
        ),
        (["train.py", "slow"], "no arguments without a flag, but 'slow' was given"),
        (["train.py", "--data_dir=x"], "--model_dir is missing"),
        (["train.py", "--model_dir=x"], "--data_dir is missing"),
        (["evaluate.py", "--model_dir=x"], "--data_dir is missing"),
        (["evaluate.py", "--task=finetune", "--dropout=1"], "must lie in [0, 1)"),
        (["evaluate.py", "--crop_size=31"], "32"),
        (
            ["evaluate.py", "--task=finetune", "--splits=a,,b"],
            "give folders, with one comma in between",
        ),
        (
            [
                *("evaluate.py", "--task=finetune", "--model_dir=x"),
                *("--splits=a,b", "--data_dir=c"),
            ],
            "--data_dir=c stands beside --splits, which has the folders of all data",
        ),
        (
            [
                *("evaluate.py", "--task=finetune", "--model_dir=x", "--data_dir=c"),
                *("--from_scratch", "--checkpoint=best"),
            ],
            "--checkpoint=best is for a network that starts trained",
        ),
        *(
            (
                ["evaluate.py", f"--task={task}", flag],
                f"{flag.split('=')[0]} is for --task={others}, and --task={task} would",
            )
            for task, flag, others in [
                ("linear", "--dropout=0.5", "finetune"),
                ("knn", "--test_clips=spaced", "finetune"),
                ("knn", "--train_steps=5", "linear or --task=finetune or --task=all"),
                ("linear", "--knn_k=3", "knn or --task=retrieval or --task=all"),
                ("linear", "--splits=a,b", "finetune"),
                ("linear", "--from_scratch", "finetune"),
                ("all", "--quick", "linear"),
                ("retrieval", "--gallery=bank", "knn or --task=all"),
            ]
        ),
        (
            ["evaluate.py", "--subset=0.3"],
            "--subset is for --task=linear or --task=finetune, and --task=knn would",
        ),
        (
            ["evaluate.py", "--task=linear", "--quick", "--bin_frames=9"],
            "and --task=linear --quick would leave it aside: leave it out",
        ),
        (
            [
                *("evaluate.py", "--model_dir=x", "--data_dir=x", "--clips_of=slow"),
                *("--single_from=a", "--dynamic_from=b"),
            ],
            "--clips_of=slow is for a run of --model=single alone, not for the streams",
        ),
        (
            [
                *("evaluate.py", "--task=linear", "--model_dir=x", "--data_dir=x"),
                *("--lr_schedule=plateau", "--lr_boundaries=8"),
            ],
            "--lr_boundaries and --lr_schedule=plateau both say when the rate drops",
        ),
    ],
)
def test_a_wrong_flag_is_named_in_one_line(arguments, message):
    assert message in error_of(*arguments)


def test_convert_says_which_folder_is_missing(tmp_path):
    message = error_of(
        "-m",
        "data_prep.convert",
        f"--videos={tmp_path}/nowhere",
        f"--output_dir={tmp_path}/out",
    )
    assert f"{tmp_path}/nowhere' does not exist" in message


def test_train_says_which_data_is_missing_and_how_to_make_it(tmp_path):
    message = error_of(
        "train.py", f"--data_dir={tmp_path}/no", f"--model_dir={tmp_path}/run"
    )
    assert f"no manifest.json in the data directory '{tmp_path}/no'" in message
    assert "python -m data_prep.convert" in message


def test_train_says_which_run_to_start_from_is_missing(tmp_path, data_dir):
    message = error_of(
        "train.py",
        *SMALL,
        "--model=slow",
        f"--data_dir={data_dir}",
        f"--model_dir={tmp_path}/run",
        f"--init_from={tmp_path}/nowhere",
    )
    assert f"--init_from={tmp_path}/nowhere: there is no such folder" in message


def test_train_refuses_data_with_another_number_of_videos(tmp_path, model_dir):
    write_data_set(tmp_path, num_train=8, num_classes=0)
    message = error_of(
        "train.py",
        *SMALL,
        "--model=slow",
        "--frame_interval=2",
        "--batch_size=4",
        f"--data_dir={tmp_path}",
        f"--model_dir={model_dir}",
    )
    assert "trained on other videos" in message
    assert "its bank has 10 rows" in message


def test_train_refuses_a_folder_that_another_process_trains_in(model_dir, data_dir):
    doing = f"training in {str(model_dir)!r}"
    with FolderLock(str(model_dir), doing, "--model_dir"):
        message = error_of(
            "train.py",
            *SMALL,
            "--model=slow",
            "--frame_interval=2",
            "--batch_size=4",
            f"--data_dir={data_dir}",
            f"--model_dir={model_dir}",
        )
    assert f"({os.getpid()} on " in message
    assert f"is training in '{model_dir}'" in message


def test_evaluate_says_what_is_no_run(tmp_path, data_dir):
    message = error_of(
        "evaluate.py", f"--data_dir={data_dir}", f"--model_dir={tmp_path}"
    )
    assert "is not the folder of a run" in message


def test_evaluate_says_how_to_make_a_run_without_training(tmp_path, data_dir):
    message = error_of(
        *("evaluate.py", "--task=finetune", "--from_scratch"),
        *(f"--data_dir={data_dir}", f"--model_dir={tmp_path}"),
    )
    assert "Make it without training: train.py --model=MODEL --train_steps=0" in message


def test_evaluate_by_knn_needs_labels(model_dir, data_dir):
    message = error_of(
        "evaluate.py",
        "--task=knn",
        f"--data_dir={data_dir}",
        f"--model_dir={model_dir}",
    )
    assert "--task=knn needs videos of at least two classes" in message
    assert "--task=retrieval" in message


def test_evaluate_of_a_good_run_ends_well(model_dir, data_dir):
    result = run(
        "evaluate.py",
        "--task=retrieval",
        f"--data_dir={data_dir}",
        f"--model_dir={model_dir}",
    )
    assert result.returncode == 0, result.stderr
    assert f"Wrote {model_dir}/eval/retrieval.png" in result.stdout
    assert (model_dir / "eval" / "retrieval.png").exists()
