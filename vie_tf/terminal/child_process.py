"""Worker processes that leave Ctrl-C to their parent, and that never outlive it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing import connection, context


def start_ignoring_sigint(process: context.SpawnProcess) -> None:
    """Starts a process that leaves Ctrl-C to this one, which then stops it.

    A thread other than the main one cannot arrange that; see `prepare`.
    """
    if threading.current_thread() is not threading.main_thread():
        process.start()
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Inherited.
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, previous)


def prepare() -> None:
    """Is called first in the worker: it ignores Ctrl-C, and ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process when the parent has ended, even if a decoder hangs.

    Its unfinished files keep their temporary names, as after any kill.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
