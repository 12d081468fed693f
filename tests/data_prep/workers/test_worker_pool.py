from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time

import dying_workers
import pytest
from process_fixtures import children_of, wait_until_gone

from data_prep.config import FrameSettings
from data_prep.convert.shard_task import ShardTask
from data_prep.workers import retry_policy, worker_pool
from data_prep.workers.worker_pool import WorkerDied

PROJECT = pathlib.Path(__file__).parents[3]
SHARD = ShardTask("train-00000", "data", (), (), FrameSettings(25, 320, 90, 2))


def run(function, tasks, **settings) -> list:
    """The results in order, by two workers."""
    settings.setdefault("on_report", lambda item, state: None)
    results = worker_pool.run_tasks(function, tasks, num_processes=2, **settings)
    return sorted(results)


def test_the_pool_returns_all_results_and_reports():
    reported = []
    results = run(
        dying_workers.double_or_die,
        [1, 2, 3],
        on_report=lambda item, state: reported.append((item, state)),
    )
    assert results == [2, 4, 6]
    assert sorted(reported) == [(f"item {n}", "started") for n in (1, 2, 3)]


def test_a_dead_worker_is_named_with_its_task_and_item():
    with pytest.raises(WorkerDied, match=r"13 .*'item 13' \(SIGSEGV\)"):
        run(dying_workers.double_or_die, [1, 13])


def test_a_fresh_worker_does_what_is_left_of_the_task_of_a_dead_one():
    deaths = []

    def on_death(death):
        deaths.append((death.task, death.item, death.cause, death.was_killed))
        return 50

    tasks = [1, 13, 2, 13, 3]
    assert run(dying_workers.double_or_die, tasks, on_death=on_death) == [
        *(2, 4, 6),
        *(100, 100),
    ]
    assert deaths == [(13, "item 13", "SIGSEGV", False)] * 2


def test_a_worker_that_hangs_is_killed_after_the_time_limit():
    deaths = []

    def on_death(death):
        deaths.append(death)
        return 50

    settings = {"on_death": on_death, "time_limit_secs": 0.5}
    start = time.monotonic()
    assert run(dying_workers.double_or_hang, [13, 1, 2], **settings) == [2, 4, 100]
    assert time.monotonic() - start < 20
    (death,) = deaths
    assert (death.item, death.was_out_of_time, death.was_killed) == (
        *("item 13", True),
        False,
    )


def test_the_time_limit_is_that_of_an_item_and_not_of_a_task():
    settings = {"time_limit_secs": 0.9}
    assert run(dying_workers.four_slow_items, [1, 2, 3], **settings) == [1, 2, 3]


def test_a_worker_that_dies_before_any_item_ends_everything():
    policy = retry_policy.RetryPolicy(max_seconds=0)
    with pytest.raises(WorkerDied, match="exit code 3"):
        run(dying_workers.exit_at_once, [7, 7], on_death=policy.next_task)


POOL_THAT_HANGS = """
import dying_workers
from data_prep.workers import worker_pool

list(worker_pool.run_tasks(
    dying_workers.double_or_hang, [13, 13], num_processes=2,
    on_report=lambda item, state: print(item, flush=True)))
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs Linux")
def test_workers_that_hang_do_not_outlive_a_pool_that_is_killed():
    paths = os.pathsep.join(map(str, (PROJECT, PROJECT / "tests" / "fixtures")))
    pool = subprocess.Popen(
        [sys.executable, "-c", POOL_THAT_HANGS],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
    )
    assert [pool.stdout.readline() for _ in range(2)] == [b"item 13\n"] * 2
    workers = children_of(pool)
    assert len(workers) >= 2
    pool.kill()
    pool.communicate()
    wait_until_gone(workers)


@pytest.mark.parametrize("num_processes", [1, 2])
def test_a_process_is_replaced_when_it_has_done_its_share(num_processes):
    settings = {"num_processes": num_processes, "on_report": None}
    pids = list(
        worker_pool.run_tasks(
            dying_workers.own_process, range(9), tasks_per_process=2, **settings
        )
    )
    assert len(pids) == 9 and len(set(pids)) >= 5 and os.getpid() not in pids
    assert max(map(pids.count, pids)) == 2


def test_time_in_which_the_pool_itself_was_stopped_does_not_count(monkeypatch):
    now = iter([0.0, 0.25, 30_000.0, 30_000.25])
    monkeypatch.setattr(worker_pool.time, "monotonic", lambda: next(now))
    ticks = worker_pool._Ticks()
    assert [ticks.secs_since_last() for _ in range(3)] == [0.25, 1.0, 0.25]


@pytest.mark.parametrize(
    ("death", "reason"),
    [
        (
            WorkerDied(SHARD, "a.mp4", "SIGABRT"),
            "decoding it crashed the decoder (SIGABRT)",
        ),
        (
            WorkerDied(SHARD, "a.mp4", "out of time", was_out_of_time=True),
            "decoding took longer than --max_seconds=600",
        ),
    ],
)
def test_the_video_at_which_a_worker_died_is_refused(death, reason):
    task = retry_policy.RetryPolicy(max_seconds=600.0).next_task(death)
    assert task.rejected == (("a.mp4", reason),)
    assert task.key() == SHARD.key()


def test_a_kill_from_outside_is_no_video_s_fault_but_not_tried_for_ever():
    policy = retry_policy.RetryPolicy(max_seconds=600)
    for item in ("a.mp4", "b.mp4"):
        death = WorkerDied(SHARD, item, "SIGKILL", was_killed=True)
        assert policy.next_task(death) == SHARD
    with pytest.raises(WorkerDied, match="at 'b.mp4'"):
        policy.next_task(death)


def test_deaths_at_one_video_after_the_other_are_no_fault_of_the_videos():
    def die_20_times(policy):
        for number in range(20):
            policy.next_task(WorkerDied(SHARD, f"{number}.mp4", "exit code 1"))

    with pytest.raises(WorkerDied, match="at '19.mp4'"):
        die_20_times(retry_policy.RetryPolicy(max_seconds=600))
    policy = retry_policy.RetryPolicy(max_seconds=600)
    for number in range(40):
        policy.next_task(WorkerDied(SHARD, f"{number}.mp4", "exit code 1"))
        policy.item_done()
