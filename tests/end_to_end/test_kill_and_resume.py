"""A run that is killed again and again against one that is left alone.

By default there are three kills, of forked processes with a quick network.  With
VIE_TF_LONG_TESTS=1 there are ten, of `python train.py --model=slow`, which takes ten
minutes: every start imports TensorFlow and makes all graphs anew.
"""

import collections
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from record_fixtures import write_data_set
from run_contents import all_events_in, events_in, numbers_in

TESTS = pathlib.Path(__file__).parents[1] / "fixtures"
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


class RealStarts:
    """Starts `python train.py`."""

    def start(self, arguments, output):
        """Returns the process id."""
        with open(output, "w") as file:
            self._process = subprocess.Popen(
                [sys.executable, str(TESTS.parents[1] / "train.py"), *arguments],
                stdout=file,
                stderr=file,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        return self._process.pid

    def wait(self):
        """Returns 0 after a good end, -9 after a kill."""
        return self._process.wait()

    def close(self):
        """Ends what still runs."""
        self._process.kill()
        self._process.wait()


class ForkedStarts:
    """Starts forks of `forked_training.py`."""

    def __init__(self):
        paths = [str(TESTS.parents[1]), str(TESTS), os.environ.get("PYTHONPATH", "")]
        self._server = subprocess.Popen(
            [sys.executable, "-u", str(TESTS / "forked_training.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )

    def start(self, arguments, output):
        """Returns the process id."""
        request = json.dumps({"arguments": arguments, "output": str(output)})
        print(request, file=self._server.stdin, flush=True)
        return int(self._server.stdout.readline())

    def wait(self):
        """Returns 0 after a good end, -9 after a kill."""
        return os.waitstatus_to_exitcode(int(self._server.stdout.readline()))

    def close(self):
        """Ends the server, which has no training left."""
        self._server.stdin.close()
        self._server.wait(timeout=60)


def last_step(output):
    """The last step that a training has logged, -1 before it is ready to start."""
    text = output.read_text() if output.exists() else ""
    steps = re.findall(rf"^step (\d+)/{TRAIN_STEPS} ", text, re.MULTILINE)
    return int(steps[-1]) if steps else 0 if f" of {TRAIN_STEPS}.\n" in text else -1


def has_ended(pid):
    """Whether a process is there no more, or waits to be buried."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        status = pathlib.Path(f"/proc/{pid}/stat").read_text()
        return status.rpartition(")")[2].split()[0] == "Z"
    return True


@pytest.fixture(name="runs", scope="module")
def fixture_runs(tmp_path_factory):
    """Folder of the runs `whole` and `killed`, and the output of each start."""
    folder = tmp_path_factory.mktemp("runs")
    write_data_set(folder / "data")
    starts = RealStarts() if IS_LONG else ForkedStarts()
    chance = random.Random(0)

    def start(name, number):
        output = folder / f"{name}-{number}.txt"
        places = (f"--data_dir={folder / 'data'}", f"--model_dir={folder / name}")
        return output, starts.start([*SETTINGS, *places], output)

    try:
        output, _ = start("whole", 0)
        assert starts.wait() == 0, output.read_text()
        for kill in range(NUM_KILLS):
            output, pid = start("killed", kill)
            # Every fourth is killed before its first step is logged.
            is_early = kill % 4 == 2
            step = 0 if is_early else kill * STEPS_APART + chance.randrange(4)
            while last_step(output) < step and not has_ended(pid):
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 2.0 if is_early else MAX_DELAY))
            os.kill(pid, signal.SIGKILL)
            assert starts.wait() == -signal.SIGKILL, output.read_text()
        output, _ = start("killed", NUM_KILLS)
        assert starts.wait() == 0, output.read_text()
    finally:
        starts.close()
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
