"""Makes rows, some at once, each after those that it starts from."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
from typing import IO, Callable, Collection, Iterator, Sequence

from benchmarks.machine import num_cores
from benchmarks.paper_in_miniature.commands import Command
from benchmarks.paper_in_miniature.plan import Row
from vie_tf.storage.errors import UserError

ROOT = pathlib.Path(__file__).parents[2]


class Processes:
    """Starts commands as processes, which end with this one.

    Args:
      jobs: processes that run at once and share the cores.
    """

    def __init__(self, jobs: int = 1) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        if jobs > 1:
            threads = str(max(num_cores() // jobs, 1))
            self._environment["TF_NUM_INTRAOP_THREADS"] = threads

    def run(self, commands: Sequence[Command], log: pathlib.Path | None = None) -> None:
        """Runs commands in one process.

        Args:
          commands: programs with their flags.
          log: file for their output, None to show it.

        Raises:
          UserError: one of them failed.
        """
        if log is None:
            code = self._code_of(commands, None)
        else:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as file:
                code = self._code_of(commands, file)
        if code and log is None:
            raise UserError(f"{commands[0][0]} ended with code {code}.")
        if code:
            end = log.read_text(errors="replace").splitlines()[-5:]
            raise UserError("\n".join((*end, f"Code {code}; all of it is in {log}.")))

    def _code_of(self, commands: Sequence[Command], output: IO[bytes] | None) -> int:
        module = "benchmarks.paper_in_miniature.process"
        with self._lock:
            process = subprocess.Popen(
                [sys.executable, "-m", module, json.dumps(commands)],
                cwd=ROOT,
                env=self._environment,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
            )
            self._running.add(process)
        code = process.wait()
        self._running.discard(process)
        return code

    def stop(self) -> None:
        """Asks all processes to end, as Ctrl-C does, and waits for them."""
        for process in tuple(self._running):
            process.terminate()
        for process in tuple(self._running):
            process.wait()


class Progress:
    """Says how much is left, by the time that the rows so far took.

    Args:
      left: expected cost of all rows that are to be made.
      seconds_per_cost: time before anything was measured.
      clock: returns seconds.
    """

    def __init__(
        self,
        left: float,
        seconds_per_cost: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._left, self._made = left, 0.0
        self._expected, self._clock = seconds_per_cost, clock
        self._started = clock()

    def made(self, cost: float) -> None:
        """Counts a row."""
        self._left -= cost
        self._made += cost

    def minutes_left(self) -> float:
        """Returns the expected minutes."""
        speed = self._expected
        if self._made:
            speed = (self._clock() - self._started) / self._made
        return self._left * speed / 60


def rows_to_make(
    rows: Sequence[Row], done: Collection[str], names: Sequence[str] = ()
) -> list[Row]:
    """Returns rows without a result, of some names, with those that they start from.

    Args:
      rows: plan.
      done: keys of rows that have a result.
      names: beginnings of keys; all rows if there are none.  Those that are extra are
        asked for by a whole name or key.
    """
    needed: set[str] = set()
    for row in reversed(rows):
        is_asked = not names or row.key.startswith(tuple(names))
        if row.is_extra:
            is_asked = row.name in names or row.key in names
        if (is_asked and row.key not in done) or row.key in needed:
            needed |= {row.key, *row.after}
    return [row for row in rows if row.key in needed and row.key not in done]


def run(
    rows: Sequence[Row],
    make: Callable[[Row], None],
    jobs: int,
    may_start: Callable[[], bool] = lambda: True,
    stop: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Row, str]]:
    """Makes rows, `jobs` at once.

    A row that fails does not keep others from being made, but for those that start
    from it.

    Args:
      rows: rows to make, each after those that it starts from.
      make: makes a row.
      jobs: rows at once.
      may_start: tells whether a further row may be started.
      stop: ends what `make` has started, when this is interrupted.

    Yields:
      Each row when it has ended, and the error, empty if there is none.
    """
    waiting, unmade = list(rows), {row.key for row in rows}
    running: dict[concurrent.futures.Future[None], Row] = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        while True:
            ready = [row for row in waiting if not unmade.intersection(row.after)]
            for row in ready[: jobs - len(running)] if may_start() else []:
                waiting.remove(row)
                running[pool.submit(make, row)] = row
            if not running:
                return
            try:
                ended, _ = concurrent.futures.wait(
                    running, return_when=concurrent.futures.FIRST_COMPLETED
                )
            except BaseException:
                stop()  # or the pool would wait for whole rows
                raise
            for future in ended:
                row, error = running.pop(future), future.exception()
                if error is None:
                    unmade.discard(row.key)
                elif not isinstance(error, UserError):
                    raise error
                yield row, str(error or "")
