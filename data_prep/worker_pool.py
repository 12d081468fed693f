"""Tasks over worker processes, of which it is always known which one does what.

concurrent.futures cannot tell which task a dead process had in hand; here every
worker has its own pipe, so that a decoder that crashes can be named with its video.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing import connection, context
from typing import Any, Callable, Generator, Sequence, TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

Report = Callable[[str, str], None]
"""Called by a task with the name of an item and what became of it."""

STARTED = "started"


class WorkerDied(ChildProcessError):
    """A worker process has ended in the middle of a task.

    Attributes:
      was_killed: by SIGKILL, which is how running out of memory ends.
    """

    def __init__(self, message: str, was_killed: bool = False) -> None:
        super().__init__(message)
        self.was_killed = was_killed


def num_cores() -> int:
    """Returns how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_tasks(
    function: Callable[[_Task, Report], _Result],
    tasks: Sequence[_Task],
    *,
    num_processes: int,
    on_report: Report,
) -> Generator[_Result, None, None]:
    """Yields the results of `function(task, report)`, in the order they get ready.

    Args:
      function: importable; what it returns and reports travels by pickle.
      tasks: `str(task)` names one in messages.
      num_processes: 0 for one per core; 1 works in this process, without workers.
      on_report: called in this process for everything that a task reports.

    Raises:
      WorkerDied: naming the task and the item that it had last reported `STARTED`.
      OSError, ValueError: as raised by the function.  After any other exception a
        worker prints its stack trace and counts as dead.
    """
    if num_processes == 1:
        for task in tasks:
            yield function(task, on_report)
        return
    waiting = list(reversed(tasks))
    count = min(num_processes or num_cores(), len(tasks))
    workers = [_Worker(function) for _ in range(count)]
    try:
        for worker in workers:
            worker.give(waiting.pop())
        while busy := {w.pipe: w for w in workers if w.task is not None}:
            for pipe in connection.wait(list(busy)):
                worker = busy[pipe]  # type: ignore[index]
                kind, content = worker.receive()
                if kind == "report":
                    on_report(*content)
                    continue
                worker.task = None
                if waiting:
                    worker.give(waiting.pop())
                yield content
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """One process and this end of its pipe.

    Attributes:
      pipe: to wait on.
      task: what it is working on, or None.
    """

    def __init__(self, function: Callable[[Any, Report], Any]) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.pipe, far_end = spawn.Pipe()
        self.task: Any = None
        self._item: str | None = None
        self._process: context.SpawnProcess = spawn.Process(
            target=_work, args=(function, far_end), daemon=True
        )
        _start_deaf_to_interrupts(self._process)
        far_end.close()  # So that the death of the process closes the pipe.

    def give(self, task: Any) -> None:
        self.task, self._item = task, None
        try:
            self.pipe.send(task)
        except BrokenPipeError:
            raise self._obituary() from None

    def receive(self) -> tuple[str, Any]:
        try:
            kind, content = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            raise self._obituary() from None
        if kind == "error":
            raise content
        if kind == "report" and content[1] == STARTED:
            self._item = content[0]
        return kind, content

    def stop(self) -> None:
        self.pipe.close()
        self._process.terminate()
        self._process.join()

    def _obituary(self) -> WorkerDied:
        self._process.join()
        code = self._process.exitcode or 0
        cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        item = f" at {self._item!r}" if self._item is not None else ""
        return WorkerDied(
            f"The process that made {self.task} died{item} ({cause}).",
            was_killed=code == -signal.SIGKILL,
        )


def _start_deaf_to_interrupts(process: context.SpawnProcess) -> None:
    """Starts a process that leaves Ctrl-C to this one, which stops it in order."""
    if threading.current_thread() is not threading.main_thread():
        process.start()
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Inherited.
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, previous)


def _work(function: Callable[[Any, Report], Any], pipe: connection.Connection) -> None:
    """Does tasks until the other end of the pipe is gone."""

    def report(item: str, state: str) -> None:
        pipe.send(("report", (item, state)))

    try:
        while True:
            task = pipe.recv()
            try:
                answer = ("result", function(task, report))
            except BrokenPipeError:
                raise
            except (OSError, ValueError) as error:
                answer = ("error", error)
            pipe.send(answer)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # The parent is gone.
