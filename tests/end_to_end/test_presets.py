"""Every row of the paper's tables takes two steps: no script can rot."""

import os
import pathlib
import re
import subprocess
import sys

import pytest
import tensorflow as tf
from record_fixtures import write_data_set

from vie_tf.commands import evaluate, train
from vie_tf.evaluation.labels import finetune
from vie_tf.evaluation.neighbors import knn_task
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.training import train as training

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "run_scripts" / "paper"
SCRIPTS = {path.stem: path for path in sorted(FOLDER.glob("*.sh"))}
del SCRIPTS["row"], SCRIPTS["all"]  # what they share, and the plan of all
EVALUATED = [
    *("two_stream_s", "two_stream_sf"),
    *("input_single_trn", "input_single_slow", "input_single_slowfast"),
]
FINETUNED = [row for row in SCRIPTS if row.startswith("finetune_")]
TRAINED = [row for row in SCRIPTS if row not in EVALUATED + FINETUNED]


def start(row, *arguments, **environment):
    """Runs a script as a user does; a variable that is None is unset."""
    variables = {**os.environ, **environment}
    return subprocess.run(
        [SCRIPTS[row], *arguments],
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(name="roots", scope="module")
def fixture_roots(tmp_path_factory):
    """Variables of the environment; videos of two bins, or three for 5bin."""
    folder = tmp_path_factory.mktemp("presets")
    write_data_set(folder / "data" / "kinetics400", num_val=2, num_frames=140)
    write_data_set(folder / "data" / "imagenet", num_val=2, num_frames=1)
    write_data_set(folder / "data" / "ucf101", num_val=1, num_frames=70)
    # Stands in for Python and shows what it would have been given.
    shows = folder / "python"
    shows.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    shows.chmod(0o755)
    return {
        "DATA_ROOT": str(folder / "data"),
        "RUN_ROOT": str(folder / "runs"),
        "PYTHON": str(shows),
    }


def command_of(row, roots, *arguments):
    """What a script starts: the Python file and its flags."""
    result = start(row, *arguments, **roots)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def commands_of(row, roots, *arguments):
    """What a script starts one after the other, where it is several."""
    words = command_of(row, roots, *arguments)
    starts = [n for n, word in enumerate(words) if word.endswith(".py")]
    return [words[a:b] for a, b in zip(starts, [*starts[1:], None])]


def call(main, command):
    """Calls the `main` of train.py or evaluate.py with the flags of a command."""
    assert main(command[1:]) == 0


def config_of(row, roots, *arguments):
    """Settings of a row's run, which is not started."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "train", seen.append)
        call(train.main, command_of(row, roots, *arguments))
    return seen[0]


# Network and loss of the rows whose names do not say them.
OTHERS = {
    "random": ("single", "ir"),
    "other_3drotnet": ("3dresnet", "rotation"),
    "other_cmc": ("alexnet", "cmc"),
    "other_moap": ("c3d", "statistics"),
    "other_opn": ("single", "order"),
    "other_st_puzzle": ("3dresnet", "puzzle"),
    "other_st_puzzle_c3d": ("c3d", "puzzle"),
}

# Datasets are traced all the same, which TensorFlow says every time.
pytestmark = pytest.mark.filterwarnings("ignore:Even though the `tf.config")


# ------------------------------------------------------------ what the rows ask for


@pytest.mark.parametrize("row", TRAINED)
def test_a_row_says_what_its_name_says(row, roots):
    config = config_of(row, roots)
    assert config.train.model_dir == f"{roots['RUN_ROOT']}/{row}"
    assert config.data.data_dir == f"{roots['DATA_ROOT']}/kinetics400"
    model, *_, loss = OTHERS.get(row) or row.split("_")
    assert (config.model.name, config.loss.name) == (model, loss)
    # The rate has to drop, and some steps have to be left behind the last drop.
    settings = config.train
    if row not in OTHERS and settings.lr_schedule == "boundaries":
        assert len(settings.lr_boundaries) == 2
        assert settings.train_steps >= settings.lr_boundaries[-1] + 50_000


def test_the_rows_of_other_methods_are_all_known():
    assert {row for row in TRAINED if row.startswith("other_")} == OTHERS.keys() - {
        "random"
    }


def test_the_views_of_table_3(roots):
    views = {
        row: (config.data.subset, config.data.bin_frames)
        for row in TRAINED
        for config in [config_of(row, roots)]
        if (config.data.subset, config.data.bin_frames) != (1.0, 0)
    }
    wanted = {"70percent": (0.7, 0), "30percent": (0.3, 0)}
    wanted.update({"2bin": (1.0, 130), "5bin": (1.0, 52)})
    assert views == {
        f"single_{name}_{loss}": view
        for name, view in wanted.items()
        for loss in ("ir", "la")
    }


def test_a_users_flags_win_over_those_of_the_row(roots):
    config = config_of("3dresnet_la", roots, "--la_num_clusters=99", "--seed=7")
    assert (config.loss.la_num_clusters, config.loss.la_num_background) == (99, 4096)
    assert config.train.seed == 7


@pytest.mark.parametrize("row", SCRIPTS)
def test_a_row_names_its_table_and_what_to_expect(row):
    text = SCRIPTS[row].read_text()
    comments = [line for line in text.splitlines() if line.startswith("# ")]
    head = " ".join(line[2:] for line in comments)
    assert re.match("Table [1-4]|IR beside table 3|No row in the paper", head)
    is_in_paper = head.startswith("Table")
    assert bool(re.search(r"(xpected|Quoted).* \d+\.\d", head)) == is_in_paper
    assert f"`{row}`" in (ROOT / "docs" / "paper_tables.md").read_text()


@pytest.mark.parametrize("row", FINETUNED)
def test_a_row_of_table_2_says_what_its_name_says(row, roots):
    _, data, *network = row.split("_")
    command = command_of(row, roots)
    assert f"--data_dir={roots['DATA_ROOT']}/{data}" in command
    assert ("--from_scratch" in command) == (network[-1] == "scratch")
    start = {"supervised": "supervised", "sf": "sf"}.get(network[-1], "la")
    family = "two_stream" if start == "sf" else network[0]
    run = row if network[-1] == "scratch" else f"{family}_{start}"
    assert f"--model_dir={roots['RUN_ROOT']}/{run}" in command
    assert "--crop=multi_scale_crop" in command_of(row, roots, "--multi_scale")


def test_splits_of_a_user_take_the_place_of_a_rows_data(roots):
    command = command_of("finetune_ucf101_single", roots, "--splits=a,b")
    assert "--splits=a,b" in command
    assert not any(word.startswith("--data_dir") for word in command)


def test_rows_of_hmdb51_are_those_of_ucf101_on_other_data(roots):
    rows = [row for row in FINETUNED if "_ucf101_" in row]
    assert len(rows) == len(FINETUNED) / 2 == 10
    for row in rows:
        twin = command_of(row.replace("ucf101", "hmdb51"), roots)
        wanted = [word.replace("ucf101", "hmdb51") for word in command_of(row, roots)]
        assert without_schedule(twin) == without_schedule(wanted)


def without_schedule(command):
    """Words of a command without its steps, which test_paper_schedules.py compares."""
    schedule = ("--lr_boundaries", "--train_steps")
    return [word for word in command if not word.startswith(schedule)]


# --------------------------------------------------------- what a script refuses


@pytest.mark.parametrize("variable", ["DATA_ROOT", "RUN_ROOT"])
@pytest.mark.parametrize("row", ["slow_la", "two_stream_s"])
def test_a_script_fails_at_once_where_a_root_is_unset(row, variable, roots):
    result = start(row, "--smoke", **{**roots, variable: None})
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: {variable} is not set")
    assert result.stderr.count("\n") == 1


# ------------------------------------------------------- two steps of every row


def test_a_row_as_a_user_starts_it(roots, tmp_path):
    environment = {**roots, "PYTHON": sys.executable, "RUN_ROOT": str(tmp_path)}
    result = start("random", "--smoke", "--train_steps=0", **environment)
    assert result.returncode == 0, result.stderr
    assert "Wrote the untrained network" in result.stdout
    assert (tmp_path / "smoke" / "random" / "config.json").exists()


@pytest.fixture(name="eagerly", scope="module")
def fixture_eagerly(toy_networks):
    """Without graphs: tracing one takes several times as long as two steps do."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(name="smoke_runs", scope="module")
def fixture_smoke_runs(roots, eagerly):
    """Folder of two steps of every row that is trained."""
    for row in TRAINED:
        call(train.main, command_of(row, roots, "--smoke"))
    return pathlib.Path(roots["RUN_ROOT"]) / "smoke"


def test_every_row_takes_two_steps(smoke_runs):
    assert sorted(path.name for path in smoke_runs.iterdir()) == sorted(TRAINED)
    for row in TRAINED:
        # Those of the run that it starts from count.
        last = {"trn_la": "step-4", "random": "step-0"}.get(row, "step-2")
        assert RunDirectory(str(smoke_runs / row)).latest().endswith(last), row


@pytest.mark.parametrize("row", EVALUATED)
def test_rows_without_training_evaluate_what_others_have_trained(
    row, roots, smoke_runs, monkeypatch
):
    results = []
    real = knn_task.evaluate
    monkeypatch.setattr(knn_task, "evaluate", lambda *args: results.append(real(*args)))
    call(evaluate.main, command_of(row, roots, "--smoke", "--num_clips=1"))
    assert 0 <= results[0]["top1"] <= 1


# The rows of hmdb51 have been seen to be the same, and networks of several frames take
# long without graphs: every network takes steps, and `single` from every start.
STEPPING = [
    *("finetune_ucf101_3dresnet", "finetune_ucf101_slowfast"),
    *("finetune_ucf101_single", "finetune_ucf101_single_scratch"),
    *("finetune_ucf101_single_supervised", "finetune_ucf101_two_stream_sf"),
]


@pytest.mark.parametrize("row", STEPPING)
def test_rows_of_table_2_take_two_steps(row, roots, smoke_runs):
    *before, command = commands_of(row, roots, "--smoke", "--test_clips=spaced")
    for of_network in before:
        call(train.main, of_network)
    call(evaluate.main, command)
    (folder,) = [word.partition("=")[2] for word in command if "--model_dir" in word]
    is_scratch = row.endswith("_scratch")
    kind = "finetune_scratch" if is_scratch else "finetune-ucf101"
    assert len(before) == is_scratch
    tuned = RunDirectory(f"{folder}/eval/{kind}")
    assert tuned.latest().endswith("step-2")


@pytest.mark.parametrize(
    "row", [row for row in FINETUNED if "_ucf101_" in row and row not in STEPPING]
)
def test_the_others_start_from_what_their_names_say(
    row, roots, smoke_runs, monkeypatch
):
    started = []
    monkeypatch.setattr(
        finetune,
        "evaluate_finetune",
        lambda runs, settings, **_: started.append((runs[0], settings)),
    )
    *before, command = commands_of(row, roots, "--smoke")
    for of_network in before:
        call(train.main, of_network)
    call(evaluate.main, command)
    ((run, settings),) = started
    *_, network, start = row.split("_")
    assert run.config.model.name == network
    assert settings.from_scratch == (start == "scratch")
    assert (run.config.loss.name == "supervised") == (start == "supervised")
    rates = {"scratch": (0.01, 1e-4), "supervised": (0.0005, 1e-5)}
    assert (settings.learning_rate, settings.weight_decay) == rates[start]


@pytest.mark.parametrize("row", ["single_la", "two_stream_s", "input_single_trn"])
def test_rows_are_read_out_on_kinetics_and_on_imagenet(row, roots, smoke_runs):
    commands = commands_of(row, roots, "--smoke", "--linear_probes")
    for command, name in zip(commands, ("", "-imagenet")):
        call(evaluate.main, command)
        run = "single_la" if row == "input_single_trn" else row
        results = (smoke_runs / run / "eval").rglob(f"linear{name}.json")
        assert any(path.stat().st_size for path in results)
    assert len(commands) == 2
    assert len(commands_of(row, roots, "--read_outs=kinetics400")) == 1
