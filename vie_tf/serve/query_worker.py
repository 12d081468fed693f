"""A process that answers queries: a decoder that crashes or hangs costs it alone.

What it needs is loaded once, when it starts.  Its answers come back as JSON: a decoder
that was taken over by its video cannot make the server unpickle what it likes.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
import sys
import threading
from multiprocessing import connection, context
from typing import Any, Callable

from vie_tf.storage.errors import UserError
from vie_tf.terminal import child_process

Answer = Callable[[str], Any]
"""Answers the query in a file by what JSON can hold; raises `QueryRefused`."""

_LOADING_SECS = 600.0
_MOST_BYTES = 2**24  # of an answer


class QueryRefused(Exception):
    """A query has no answer; the message is the reason, for the person who asked."""


class QueryWorker:
    """One process, which is replaced when it dies.  Threads may share it.

    Args:
      load: importable; called with the arguments in the process, once.
      arguments: arguments of `load`, which are pickled.
      max_secs: time limit of an answer.
    """

    def __init__(
        self, load: Callable[..., Answer], arguments: tuple[Any, ...], max_secs: float
    ) -> None:
        self._load, self._arguments, self._max_secs = load, arguments, max_secs
        self._lock = threading.Lock()
        self._is_stopped = False
        self._start()

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, far_end = spawn.Pipe()
        self._process: context.SpawnProcess = spawn.Process(
            target=_work, args=(self._load, self._arguments, far_end), daemon=True
        )
        child_process.start_ignoring_sigint(self._process)
        far_end.close()  # So that the death of the process closes the pipe.
        self._is_ready, self._has_ended = False, False

    def wait_until_ready(self) -> None:
        """Waits until the process has loaded what it needs.

        Raises:
          UserError: it cannot, and says why.
        """
        with self._lock:
            self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        if self._has_ended and not self._is_stopped:
            self._start()
        if self._is_ready:
            return
        try:
            answer = self._receive(_LOADING_SECS)
        except _Died as death:
            raise UserError(
                f"The process that answers queries could not start: {death}."
            ) from None
        if "fault" in answer:
            self._end()
            raise UserError(answer["fault"])
        self._is_ready = True

    def answer(self, path: str) -> Any:
        """Answers the query in a file; others wait until it is answered.

        Raises:
          QueryRefused: it cannot be answered, or has crashed the process or kept it
            too long.
          UserError: the process cannot start again.
        """
        with self._lock:
            self._wait_until_ready()
            try:
                self._send(path)
                answer = self._receive(self._max_secs)
            except _Died as death:
                if not self._is_stopped:  # The next query waits less for its loading.
                    self._start()
                raise QueryRefused(str(death)) from None
        if "fault" in answer:
            raise QueryRefused(answer["fault"])
        return answer["answer"]

    def close(self) -> None:
        """Ends the process at once, whatever it is doing."""
        self._is_stopped = True
        self._end()

    def _end(self) -> None:
        self._has_ended = True
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _send(self, path: str) -> None:
        try:
            self._pipe.send_bytes(path.encode())
        except OSError:
            self._end()
            raise _Died("its process has ended; ask again") from None

    def _receive(self, max_secs: float) -> dict[str, Any]:
        """Returns what the process sends; ends it where it sends nothing in time."""
        try:
            if self._pipe.poll(max_secs):
                content: dict[str, Any] = json.loads(self._pipe.recv_bytes(_MOST_BYTES))
                return content
            reason = f"it takes more than {max_secs:g} seconds"
        except (EOFError, OSError, ValueError):
            self._process.join(1.0)
            code = self._process.exitcode or 0
            cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            reason = f"it has crashed its process ({cause})"
        self._end()
        raise _Died(reason)


class _Died(Exception):
    """The process has ended or hangs; the message says how."""


def _work(
    load: Callable[..., Answer],
    arguments: tuple[Any, ...],
    pipe: connection.Connection,
) -> None:
    """Loads what is needed, and answers queries until the other end is closed."""
    child_process.prepare()

    def send(**content: Any) -> None:
        pipe.send_bytes(json.dumps(content).encode())

    try:
        try:
            answer = load(*arguments)
        except UserError as error:
            send(fault=str(error))
            return
        send(ready=True)
        while True:
            path = pipe.recv_bytes().decode()
            try:
                result = answer(path)
            except QueryRefused as refusal:
                send(fault=str(refusal))
            except UserError as error:
                # It may name folders of this machine, which are not for everyone.
                print(f"A query was not answered: {error}", file=sys.stderr, flush=True)
                send(fault="the server could not read it; its terminal says why")
            else:
                send(answer=result)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # The server has ended.
