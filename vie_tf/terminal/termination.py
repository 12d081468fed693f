"""SIGTERM, which Slurm, Kubernetes and `timeout` send before they kill a process.

It ends a command like Ctrl-C: what is unfinished is removed, a training writes a
checkpoint, and the exit code says which signal it was.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from types import FrameType
from typing import Callable, Iterator

EXIT_CODE = 128 + signal.SIGTERM


class Terminated(KeyboardInterrupt):
    """The process was asked to end."""


@contextlib.contextmanager
def handled(on_signal: Callable[[], None]) -> Iterator[None]:
    """Calls a function at the first SIGTERM; the next ones are ignored.

    A thread other than the main one cannot be asked, so nothing changes there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def once(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        on_signal()

    previous = signal.signal(signal.SIGTERM, once)
    try:
        yield
    finally:
        # It is None where a library in C has set it.
        signal.signal(signal.SIGTERM, previous or signal.SIG_DFL)


def interrupt() -> None:
    """Raises Terminated."""
    raise Terminated
