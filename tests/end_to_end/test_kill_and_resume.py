"""A run that is killed again and again against one that is left alone.

By default a run of a toy network is killed three times.  With VIE_TF_LONG_TESTS=1 a run
of a ResNet is killed ten times, which takes minutes, as each start traces its graphs.
"""

import collections
import functools
import json
import os
import random
import re
import signal
import time

import numpy as np
import pytest
from commands import start_command
from record_fixtures import write_data_set
from run_contents import all_events_in, events_in, numbers_in
from toy_networks import make_embedder, use_toy_networks

IS_LONG = bool(os.environ.get("VIE_TF_LONG_TESTS"))
NUM_KILLS, TRAIN_STEPS = (10 if IS_LONG else 3), 60
STEPS_APART = TRAIN_STEPS // (NUM_KILLS + 2)
MAX_DELAY = 0.12  # some steps: a kill comes in training, in validation or in saving
SETTINGS = (
    *("--model=slow", "--num_filters=4", "--embedding_dim=16", "--num_frames=2"),
    *("--frame_interval=2", "--crop_size=32", "--batch_size=4", "--loss=la"),
    *("--ir_steps=12", "--ir_num_negatives=6", "--la_num_clusters=3"),
    *("--la_num_background=5", "--knn_k=3", "--num_clips=2", "--log_steps=1"),
    *(() if IS_LONG else ("--color=none",)),  # whose graph is made sooner
    *("--checkpoint_steps=2", "--eval_steps=3", f"--train_steps={TRAIN_STEPS}"),
)
# What depends on the time that something took.
TIMES = ("train/steps_per_second", "input/wait_share", "clusters/seconds")


def last_step(output):
    """The last step that a training has logged, -1 before it is ready to start."""
    text = output.read_text() if output.exists() else ""
    steps = re.findall(rf"^step (\d+)/{TRAIN_STEPS} ", text, re.MULTILINE)
    return int(steps[-1]) if steps else 0 if f" of {TRAIN_STEPS}.\n" in text else -1


@pytest.fixture(name="runs", scope="module")
def fixture_runs(tmp_path_factory):
    """Folder of the runs `whole` and `killed`, and the output of each start."""
    folder = tmp_path_factory.mktemp("runs")
    write_data_set(folder / "data")
    chance = random.Random(0)
    setup = None if IS_LONG else functools.partial(use_toy_networks, make=make_embedder)

    def start(name, number):
        output = folder / f"{name}-{number}.txt"
        places = (f"--data_dir={folder / 'data'}", f"--model_dir={folder / name}")
        command = ("train.py", *SETTINGS, *places)
        return output, start_command(*command, output=output, setup=setup)

    def finish(name, number):
        output, process = start(name, number)
        process.join()
        assert process.exitcode == 0, output.read_text()

    finish("whole", 0)
    for kill in range(NUM_KILLS):
        output, process = start("killed", kill)
        # Every fourth is killed before its first step is logged.
        is_early = kill % 4 == 2
        step = 0 if is_early else kill * STEPS_APART + chance.randrange(4)
        while last_step(output) < step and process.exitcode is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 2.0 if is_early else MAX_DELAY))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, output.read_text()
    finish("killed", NUM_KILLS)
    return folder


def test_the_kills_came_at_different_steps_and_the_run_went_on_each_time(runs):
    reached = [last_step(runs / f"killed-{kill}.txt") for kill in range(NUM_KILLS)]
    assert max(reached) < TRAIN_STEPS
    assert len(set(reached)) >= NUM_KILLS // 2, reached
    starts = (runs / "killed" / "starts.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in starts]
    assert steps == sorted(steps)
    assert len(set(steps)) >= NUM_KILLS // 2, steps


def test_weights_bank_clusters_and_counters_end_with_the_same_bits(runs):
    for which in ("latest", "best"):
        whole = numbers_in(runs / "whole", which)
        killed = numbers_in(runs / "killed", which)
        assert whole.keys() == killed.keys()
        assert {"bank/rows", "cluster_labels", "position", "step"} <= set(whole)
        for name, wanted in whole.items():
            assert np.array_equal(killed[name], wanted), name


def test_every_number_that_was_ever_logged_is_that_of_the_unbroken_run(runs):
    whole = events_in(runs / "whole")
    logged = collections.defaultdict(set)
    for tag, step, value in all_events_in(runs / "killed"):
        # An alarm is told again after a restart.
        if tag in TIMES or tag.startswith("alarms/"):
            continue
        if value is not None:
            logged[tag].add(step)
            assert value == whole[tag][step], (tag, step)
    assert logged["train/loss"] == set(range(1, TRAIN_STEPS + 1))
    assert logged["knn/top1"] == set(whole["knn/top1"])
    assert logged["clusters/objective"] == set(whole["clusters/objective"])


def test_the_best_checkpoint_is_the_same_and_nothing_unfinished_is_left(runs):
    facts = [
        (runs / name / "checkpoints" / "best" / "best.json").read_text()
        for name in ("whole", "killed")
    ]
    assert facts[0] == facts[1]
    for folder in ("checkpoints", "checkpoints/best"):
        names = [
            sorted(path.name for path in (runs / name / folder).iterdir())
            for name in ("whole", "killed")
        ]
        assert names[0] == names[1]
