"""What tests that kill processes ask of the system; Linux only."""

from __future__ import annotations

import pathlib
import subprocess
import time
from typing import Callable


def children_of(process: subprocess.Popen) -> list[int]:
    """The ids of the processes that a process has started."""
    listed = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return list(map(int, listed.read_text().split()))


def is_running(pid: int) -> bool:
    """Whether a process is there, and not only waiting to be buried."""
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_until(condition: Callable[[], bool], secs: float = 60.0) -> None:
    """Returns as soon as a condition holds."""
    end = time.monotonic() + secs
    while not condition():
        assert time.monotonic() < end, "took too long"
        time.sleep(0.005)
