"""Tasks for worker processes that die, hang or dawdle; workers import them from here.

Nothing heavy is imported at the top, so that the workers start at once.
"""

from __future__ import annotations

import os
import signal
import time


def double_or_die(task: int, report) -> int:
    """Kills its own process when it is given 13."""
    report(f"item {task}", "started")
    if task == 13:
        os.kill(os.getpid(), signal.SIGSEGV)
    return 2 * task


def double_or_hang(task: int, report) -> int:
    """Never comes back when it is given 13."""
    report(f"item {task}", "started")
    while task == 13:
        time.sleep(1)
    report(f"item {task}", "done")
    return 2 * task


def four_slow_items(task: int, report) -> int:
    """Takes 0.3 seconds for each of four items."""
    for number in range(4):
        report(f"item {number}", "started")
        time.sleep(0.3)
        report(f"item {number}", "done")
    return task


def exit_at_once(task: int, report) -> None:
    """Ends the process before it reports any item."""
    os._exit(3)


def write_shard_or_die(task, report):
    """Writes a shard with a decoder that can be ended by the names of videos."""
    from data_prep import write_shards

    decode_video = write_shards.decode_video

    def decode_or_die(path: str, *args):
        name = os.path.basename(path)
        if name.startswith("crash"):
            os.kill(os.getpid(), signal.SIGSEGV)
        while name.startswith("hang"):
            time.sleep(1)
        return decode_video(path, *args)

    write_shards.decode_video = decode_or_die
    try:
        return write_shards.write_shard(task, report)
    finally:
        write_shards.decode_video = decode_video
