"""Runs programs from several threads, and can stop all of them at once."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import threading
from typing import Sequence


class Stopped(Exception):
    """The run has ended while a thread was still working."""


@dataclasses.dataclass(frozen=True)
class Finished:
    """Exit code of a program, and what it wrote to stderr."""

    code: int
    stderr: str


class ChildProcesses:
    """All programs that are running."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = threading.Event()

    def run(self, command: Sequence[str], timeout_secs: float) -> Finished:
        """Runs a program to its end.

        Raises:
          Stopped: `stop` was called.
          TimeoutError: it took too long.
        """
        with self._lock:
            if self._stopped.is_set():
                raise Stopped
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                # Ctrl-C is for this process; and programs may start others, which
                # have to be killed with them.
                start_new_session=True,
            )
            self._running.add(process)
        try:
            stderr = process.communicate(timeout=timeout_secs)[1]
        except subprocess.TimeoutExpired:
            _kill(process)
            process.communicate()
            raise TimeoutError(
                f"{os.path.basename(command[0])} took more than {timeout_secs:g} s"
            ) from None
        finally:
            with self._lock:
                self._running.discard(process)
        if self._stopped.is_set():
            raise Stopped
        return Finished(process.returncode, stderr.decode(errors="replace"))

    def sleep(self, secs: float) -> None:
        """Waits; raises Stopped as soon as `stop` is called."""
        if self._stopped.wait(secs):
            raise Stopped

    def stop(self) -> None:
        """Kills all programs and starts no more."""
        with self._lock:
            self._stopped.set()
            for process in self._running:
                _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kills a program and all programs that it has started."""
    if process.returncode is not None:
        return  # Another process may have its number by now.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
