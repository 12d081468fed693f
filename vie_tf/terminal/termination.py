"""SIGTERM, which Slurm, Kubernetes and `timeout` send before they kill a process.

It ends a command like Ctrl-C: what is unfinished is removed, a training writes a
checkpoint, and the exit code says which signal it was.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from types import FrameType
from typing import Callable, Iterator

EXIT_CODE = 128 + signal.SIGTERM
# Until a signal is sent again whose exception Python has dropped.
_AGAIN_SECS = 0.05


class Terminated(KeyboardInterrupt):
    """The process was asked to end."""


@contextlib.contextmanager
def handled(on_signal: Callable[[], None]) -> Iterator[None]:
    """Calls a function at the first SIGTERM; the next ones are ignored.

    Python drops an exception that is raised within `__del__` or a callback of the
    garbage collector, of which TensorFlow has many.  If it drops `Terminated`, the
    signal is sent again.  A thread other than the main one cannot be asked, so nothing
    changes there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def once(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        on_signal()

    def again(dropped: sys.UnraisableHookArgs) -> None:
        if not isinstance(dropped.exc_value, Terminated):
            previous_hook(dropped)
            return
        signal.signal(signal.SIGTERM, once)
        arguments = os.getpid(), signal.SIGTERM
        threading.Timer(_AGAIN_SECS, os.kill, arguments).start()

    previous_hook, sys.unraisablehook = sys.unraisablehook, again
    previous = signal.signal(signal.SIGTERM, once)
    try:
        yield
    finally:
        sys.unraisablehook = previous_hook
        # It is None where a library in C has set it.
        signal.signal(signal.SIGTERM, previous or signal.SIG_DFL)


def interrupt() -> None:
    """Raises Terminated."""
    raise Terminated
