"""Two worker processes on this machine against one process with two replicas."""

import contextlib
import functools
import json
import os
import re
import signal
import socket

import numpy as np
import pytest
from commands import start_command
from process_fixtures import wait_until
from record_fixtures import write_data_set
from run_contents import events_in, numbers_in
from toy_networks import make_normalized_embedder, use_toy_networks

TRAIN_STEPS, KILLED_AFTER = 40, 13
SETTINGS = (
    *("--model=slow", "--embedding_dim=16", "--num_frames=2", "--frame_interval=2"),
    *("--crop_size=32", "--batch_size=4", "--loss=la", "--ir_steps=8"),
    *("--ir_num_negatives=6", "--la_num_clusters=3", "--la_num_background=5"),
    *("--knn_k=3", "--num_clips=2", "--log_steps=1", "--color=none"),
    *("--checkpoint_steps=5", "--eval_steps=6", f"--train_steps={TRAIN_STEPS}"),
)


def free_ports(count):
    """Ports that nobody listens at."""
    with contextlib.ExitStack() as sockets:
        opened = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in opened:
            one.bind(("localhost", 0))
        return [one.getsockname()[1] for one in opened]


def start(output, *flags, **environment):
    """Starts a process of a run whose network has batch norm, as real ones have."""
    setup = functools.partial(use_toy_networks, make=make_normalized_embedder)
    return start_command(
        *("train.py", *SETTINGS, *flags),
        output=output,
        environment={**os.environ, **environment},
        setup=setup,
    )


def exit_code(process, secs=240):
    process.join(secs)
    return process.exitcode


@contextlib.contextmanager
def two_workers(folder, name, *flags, only_of_second=()):
    """Starts both; gives the processes and the files of their output."""
    addresses = [f"localhost:{port}" for port in free_ports(2)]
    processes, outputs = [], []
    for number in range(2):
        task = {"type": "worker", "index": number}
        cluster = {"cluster": {"worker": addresses}, "task": task}
        outputs.append(folder / f"{name}-{number}.txt")
        further = (*flags, *(only_of_second if number else ()))
        processes.append(
            start(
                outputs[-1],
                "--strategy=multi_worker",
                *further,
                TF_CONFIG=json.dumps(cluster),
            )
        )
    try:
        yield processes, outputs
    finally:
        for process in processes:
            process.kill()
            process.join()


def last_step(output):
    text = output.read_text() if output.exists() else ""
    steps = re.findall(rf"^step (\d+)/{TRAIN_STEPS} ", text, re.MULTILINE)
    return int(steps[-1]) if steps else 0


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory):
    """Holds the runs `one`, of one process, and `two`, a worker of which was killed."""
    folder = tmp_path_factory.mktemp("runs")
    # A number of videos that neither the batch nor the workers divide.
    write_data_set(folder / "data", num_train=11, num_val=5)
    data = f"--data_dir={folder / 'data'}"
    one = start(
        folder / "one.txt", data, f"--model_dir={folder / 'one'}", "--num_replicas=2"
    )
    assert exit_code(one) == 0, (folder / "one.txt").read_text()
    flags = (data, f"--model_dir={folder / 'two'}")
    with two_workers(folder, "killed", *flags) as (processes, outputs):
        wait_until(
            lambda: (
                last_step(outputs[0]) >= KILLED_AFTER
                or processes[0].exitcode is not None
            ),
            secs=240,
        )
        processes[1].kill()
        assert exit_code(processes[0]) == 1, outputs[0].read_text()
    with two_workers(folder, "two", *flags) as (processes, outputs):
        for process, output in zip(processes, outputs):
            assert exit_code(process) == 0, output.read_text()
    return folder


def test_a_worker_says_in_a_line_that_another_one_is_gone(folder):
    line = (folder / "killed-0.txt").read_text().strip().splitlines()[-1]
    assert line.startswith("error: ") and "0 of 2" in line


def test_the_workers_go_on_from_the_last_checkpoint(folder):
    stopped_at = last_step(folder / "killed-0.txt")
    assert KILLED_AFTER <= stopped_at < TRAIN_STEPS
    starts = (folder / "two" / "starts.jsonl").read_text().splitlines()
    facts = [json.loads(line) for line in starts]
    assert [fact["step"] for fact in facts] == [0, stopped_at // 5 * 5]
    assert [(fact["replicas"], fact["workers"]) for fact in facts] == [(2, 2)] * 2


@pytest.mark.parametrize("which", ["latest", "best"])
def test_they_end_with_the_weights_bank_and_clusters_of_two_replicas(folder, which):
    one, two = (numbers_in(folder / name, which) for name in ("one", "two"))
    assert one.keys() == two.keys()
    assert {"bank/rows", "model/batch_norm/moving_mean", "cluster_labels"} <= set(one)
    for name, wanted in one.items():
        np.testing.assert_allclose(two[name], wanted, 1e-4, 1e-5, err_msg=name)


def test_with_a_divided_bank_they_end_as_two_replicas_with_a_whole_one(folder):
    flags = (f"--data_dir={folder / 'data'}", f"--model_dir={folder / 'sharded'}")
    divided = (*flags, "--bank=sharded", "--knn_gallery=bank")
    with two_workers(folder, "sharded", *divided) as (processes, outputs):
        for process, output in zip(processes, outputs):
            assert exit_code(process) == 0, output.read_text()
    one, sharded = (numbers_in(folder / name) for name in ("one", "sharded"))
    assert one.keys() == sharded.keys() and one["bank/rows"].shape == (11, 16)
    for name, wanted in one.items():
        np.testing.assert_allclose(sharded[name], wanted, 1e-4, 1e-5, err_msg=name)


@pytest.mark.parametrize(
    "tag", ["train/loss", "knn/top1", "knn/top5", "clusters/objective"]
)
def test_they_log_what_two_replicas_log(folder, tag):
    one, two = (events_in(folder / name)[tag] for name in ("one", "two"))
    assert one.keys() == two.keys()
    np.testing.assert_allclose(
        [two[step] for step in one], list(one.values()), rtol=1e-4
    )


def test_only_the_chief_writes_and_tells(folder):
    assert "step 40/40" in (folder / "two-0.txt").read_text()
    assert "step " not in (folder / "two-1.txt").read_text()
    files = list((folder / "two" / "tensorboard").iterdir())
    assert len(files) == 2  # one for each start


def test_workers_that_do_not_share_the_folder_of_the_run_are_refused(tmp_path):
    write_data_set(tmp_path / "data")
    flags = (f"--data_dir={tmp_path / 'data'}", f"--model_dir={tmp_path / 'run'}")
    own = (f"--model_dir={tmp_path / 'own'}",)
    with two_workers(tmp_path, "apart", *flags, only_of_second=own) as (
        processes,
        outputs,
    ):
        for process, output, name in zip(processes, outputs, ("run", "own")):
            assert exit_code(process) == 1
            line = output.read_text().strip().splitlines()[-1]
            assert line.startswith("error: ") and "worker 1" in line
            assert f"--model_dir={tmp_path / name}" in line
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "own").exists()


def test_workers_with_other_flags_are_refused(tmp_path):
    write_data_set(tmp_path / "data")
    flags = (f"--data_dir={tmp_path / 'data'}", f"--model_dir={tmp_path / 'run'}")
    other = ("--temperature=0.5",)  # kNN has one, too
    with two_workers(tmp_path, "odd", *flags, only_of_second=other) as (
        processes,
        outputs,
    ):
        for process, output, is_other in zip(processes, outputs, (False, True)):
            assert exit_code(process) == 1
            line = output.read_text().strip().splitlines()[-1]
            assert "workers disagree" in line and "worker 1" in line
            assert ("--temperature 0.5" in line) == is_other
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("asked", [0, 1])
def test_a_sigterm_to_one_worker_stops_all_with_a_checkpoint(tmp_path, asked):
    write_data_set(tmp_path / "data", num_train=11, num_val=0)
    flags = (
        *(f"--data_dir={tmp_path / 'data'}", f"--model_dir={tmp_path / 'run'}"),
        *("--train_steps=5000", "--checkpoint_steps=5000", "--eval_steps=0"),
    )
    with two_workers(tmp_path, "asked", *flags) as (processes, outputs):
        wait_until(
            lambda: (
                "step 3/5000" in (outputs[0].read_text() if outputs[0].exists() else "")
                or processes[0].exitcode is not None
            ),
            secs=240,
        )
        os.kill(processes[asked].pid, signal.SIGTERM)
        assert [exit_code(process) for process in processes] == [143, 143]
    text = outputs[0].read_text()
    (step,) = re.findall(r"Stopped at step (\d+); a checkpoint was written", text)
    assert (tmp_path / "run" / "checkpoints" / f"step-{step}.index").exists()
    assert [text.count("Terminated; ")] == [1] and "Traceback" not in text
