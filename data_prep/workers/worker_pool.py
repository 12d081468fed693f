"""Runs tasks over worker processes that may crash or hang.

Unlike in concurrent.futures, every worker has a pipe of its own.  It tells at which
video a decoder crashed or hung, so that the task can be done again without it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from multiprocessing import connection, context
from typing import Any, Callable, Generator, Sequence, TypeVar

from vie_tf.storage.errors import UserError
from vie_tf.terminal import child_process

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

Report = Callable[[str, str], None]
"""Called by a task with the name of an item and its state."""

STARTED = "started"

# How often the time limits of the items are checked.
_TICK_SECS = 0.25


class WorkerDied(UserError):
    """A worker process has ended in the middle of a task.

    Attributes:
      task: task of the worker.
      item: item that was `STARTED` and not reported again, or None.
      cause: name of the signal, or the exit code.
      was_killed: whether it got a SIGKILL or SIGTERM from outside, as when memory
        runs out.
      was_out_of_time: whether this pool killed it after the time limit of the item.
    """

    def __init__(
        self,
        task: Any,
        item: str | None,
        cause: str,
        *,
        was_killed: bool = False,
        was_out_of_time: bool = False,
    ) -> None:
        at_item = f" at {item!r}" if item is not None else ""
        super().__init__(f"The process that made {task} died{at_item} ({cause}).")
        self.task = task
        self.item = item
        self.cause = cause
        self.was_killed = was_killed
        self.was_out_of_time = was_out_of_time


def num_cores() -> int:
    """Returns the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def give_up(death: WorkerDied) -> Any:
    """Stops all workers when one of them dies; see `run_tasks`."""
    raise death


def run_tasks(
    function: Callable[[_Task, Report], _Result],
    tasks: Sequence[_Task],
    *,
    num_processes: int,
    on_report: Report,
    on_death: Callable[[WorkerDied], _Task] = give_up,
    time_limit_secs: float = 0.0,
    tasks_per_process: int = 0,
) -> Generator[_Result, None, None]:
    """Yields the results of `function(task, report)` in the order of completion.

    Args:
      function: importable; its results and reports are pickled.
      tasks: tasks, which messages name by `str(task)`.
      num_processes: number of workers, 0 for one per core; with 1, this process does
        the tasks, without `on_death` and time limit, unless processes take turns.
      on_report: called in this process for every report, also of repeated tasks.
      on_death: returns the task for a new worker after a death, or raises.
      time_limit_secs: longest time from the report that an item is `STARTED` to the
        next report, after which the worker is killed; 0 for no limit.
      tasks_per_process: tasks after which a new worker takes over; 0 for no end.

    Raises:
      WorkerDied: a worker has died, unless `on_death` returns a task.
      OSError, ValueError: raised by the function.  After any other exception a worker
        prints its stack trace and counts as dead.
    """
    if num_processes == 1 and not tasks_per_process:
        for task in tasks:
            yield function(task, on_report)
        return
    waiting = list(reversed(tasks))
    count = min(num_processes or num_cores(), len(tasks))
    workers = [_Worker(function, tasks_per_process) for _ in range(count)]
    ticks = _Ticks()
    try:
        for worker in workers:
            worker.give(waiting.pop())
        while busy := {w.pipe: w for w in workers if w.task is not None}:
            timeout = _TICK_SECS if time_limit_secs else None
            for pipe in connection.wait(list(busy), timeout):
                worker = busy[pipe]  # type: ignore[index]
                try:
                    kind, content = worker.receive()
                except WorkerDied as death:
                    worker.restart(on_death(death))
                    continue
                if kind == "report":
                    on_report(*content)
                else:
                    worker.task = None
                    if waiting:
                        worker.give(waiting.pop())
                    yield content
            if time_limit_secs:
                _replace_late(workers, ticks, time_limit_secs, on_death)
    finally:
        for worker in workers:
            worker.stop()


def _replace_late(
    workers: Sequence[_Worker],
    ticks: _Ticks,
    limit_secs: float,
    on_death: Callable[[WorkerDied], Any],
) -> None:
    """Kills workers whose items take too long, and starts others in their places."""
    secs = ticks.secs_since_last()
    for worker in workers:
        if worker.is_late(secs, limit_secs):
            worker.restart(on_death(worker.kill()))


class _Ticks:
    """A clock that stops while this process is suspended."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def secs_since_last(self) -> float:
        now = time.monotonic()
        secs, self._last = now - self._last, now
        return min(secs, 4 * _TICK_SECS)


class _Worker:
    """One process, which is replaced when it dies, and this end of its pipe.

    Attributes:
      pipe: connection that is readable when the worker has sent something or died.
      task: its current task, or None.
    """

    pipe: connection.Connection
    _process: context.SpawnProcess

    def __init__(self, function: Callable[[Any, Report], Any], most_tasks: int) -> None:
        self._function, self._most_tasks = function, most_tasks
        self.task: Any = None
        self._item: str | None = None
        self._item_secs = 0.0
        self._start()

    def _start(self) -> None:
        self._num_tasks = 0
        spawn = multiprocessing.get_context("spawn")
        self.pipe, far_end = spawn.Pipe()
        self._process = spawn.Process(
            target=_work, args=(self._function, far_end), daemon=True
        )
        child_process.start_ignoring_sigint(self._process)
        far_end.close()  # So that the death of the process closes the pipe.

    def give(self, task: Any) -> None:
        if self._most_tasks and self._num_tasks == self._most_tasks:
            self.stop()
            self._start()
        self._num_tasks += 1
        self.task, self._item = task, None
        try:
            self.pipe.send(task)
        except (BrokenPipeError, ConnectionResetError):
            raise self._exit_error() from None

    def receive(self) -> tuple[str, Any]:
        try:
            kind, content = self.pipe.recv()
        except (EOFError, OSError):  # The latter in the middle of a message.
            raise self._exit_error() from None
        if kind == "error":
            raise content
        if kind == "report":
            item, state = content
            self._item = item if state == STARTED else None
            self._item_secs = 0.0
        return kind, content

    def is_late(self, secs: float, limit_secs: float) -> bool:
        """Tells whether the item takes too long, now that `secs` more have passed."""
        if self._item is None:
            return False
        self._item_secs += secs
        # The pipe may hold the report that the item is done.
        return self._item_secs > limit_secs and not self.pipe.poll()

    def kill(self) -> WorkerDied:
        """Kills a worker that is late."""
        self._process.kill()
        self._process.join()
        return WorkerDied(self.task, self._item, "out of time", was_out_of_time=True)

    def restart(self, task: Any) -> None:
        """Replaces a dead process by a new one and gives it a task."""
        self.pipe.close()
        self._start()
        self.give(task)

    def stop(self) -> None:
        self.pipe.close()
        self._process.terminate()
        self._process.join()

    def _exit_error(self) -> WorkerDied:
        self._process.join()
        code = self._process.exitcode or 0
        cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        # A SIGTERM may reach the workers before it reaches this process.
        was_killed = -code in (signal.SIGKILL, signal.SIGTERM)
        return WorkerDied(self.task, self._item, cause, was_killed=was_killed)


def _work(function: Callable[[Any, Report], Any], pipe: connection.Connection) -> None:
    """Does tasks until the other end of the pipe is closed."""

    def report(item: str, state: str) -> None:
        pipe.send(("report", (item, state)))

    child_process.prepare()
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
        # The parent has ended.  An ordinary exit would be an abort if tensorflow-io was
        # used, see `vie_tf.terminal.command_line`.
        os._exit(0)
