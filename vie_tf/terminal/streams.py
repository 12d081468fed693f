"""Standard output and standard error of a command, whatever is behind them.

While a command runs, both are replaced: nothing that is printed can steer the terminal,
characters that the terminal cannot show are escaped, a closed stream swallows what is
printed, and a pipe whose reader has ended, such as `head`, ends the command quietly.
A command that has printed nothing for half a minute says what it is doing.

TensorFlow is not imported here: a command that prints its help must stay fast.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
import time
from typing import Any, Iterator, TextIO

from vie_tf.storage.errors import UserError
from vie_tf.storage.printable import printable
from vie_tf.terminal.heartbeat import Heartbeat

# What a shell reports for a program that such a pipe has ended.
READER_LEFT_CODE = 128 + signal.SIGPIPE

_LINE_ENDS = re.compile("[\n\r]")
# A bar of progress goes back to the beginning of its line.
_KEPT = {"standard output": "\n\t", "standard error": "\n\t\r"}


class ReaderLeft(KeyboardInterrupt):
    """The program that read the output has ended.

    A command ends as by Ctrl-C: with a checkpoint, and without unfinished files.
    """


class Stream:
    """A text stream that shows any text, and outlives its reader.

    Args:
      stream: stream of Python, None for one that is closed.
      name: `standard output` or `standard error`.

    Attributes:
      last_write: time of the last write, by `time.monotonic`.
      is_within_line: whether a line has text and no end, as of a bar of progress.
    """

    def __init__(self, stream: TextIO | None, name: str) -> None:
        # Left open, since it may be written to until the process ends.
        self._stream = stream or open(os.devnull, "w")
        self._name, self._kept = name, _KEPT[name]
        self._is_lost = False
        self.last_write, self.is_within_line = time.monotonic(), False
        if hasattr(self._stream, "reconfigure"):
            self._stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Writes a text with its control characters escaped.

        Raises:
          ReaderLeft: the reader of standard output has ended.
          UserError: standard output cannot be written.
        """
        self.last_write = time.monotonic()
        rest = _LINE_ENDS.split(text)
        # Blanks wipe a bar away.
        begun = bool(rest[-1].strip())
        self.is_within_line = begun or (len(rest) == 1 and self.is_within_line)
        with self._lost_if_broken():
            self._stream.write(_shown(text, self._kept))
        return len(text)

    def begin_line(self) -> None:
        """Ends a line that has text, so that what is written next has its own."""
        if self.is_within_line:
            self.write("\n")

    def flush(self) -> None:
        """Passes on what was written; raises as `write` does."""
        with self._lost_if_broken():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _lost_if_broken(self) -> Iterator[None]:
        """Writes to nowhere once the stream is broken, and says so once."""
        try:
            yield
            return
        except OSError as error:
            broken, self._stream = error, open(os.devnull, "w")
            _to_nowhere(self._name)
        # The other stream may have the same reader, or none at all.
        if self._name == "standard error" or self._is_lost:
            return
        if threading.current_thread() is not threading.main_thread():
            return
        self._is_lost = True
        if isinstance(broken, BrokenPipeError):
            raise ReaderLeft from broken
        raise UserError(f"Standard output cannot be written: {broken.strerror}.")


@contextlib.contextmanager
def safe_streams() -> Iterator[None]:
    """Replaces both streams while a command runs; the commands it calls share them.

    Raises:
      ReaderLeft: the reader of standard output has ended.
      UserError: standard output cannot be written.
    """
    before = sys.stdout, sys.stderr
    if isinstance(sys.stdout, Stream):
        yield
        return
    _occupy_descriptors()
    output = Stream(sys.stdout, "standard output")
    errors = Stream(sys.stderr, "standard error")
    sys.stdout, sys.stderr = output, errors

    def say(line: str) -> None:
        errors.begin_line()
        errors.flush()
        print(line, flush=True)

    heartbeat = Heartbeat(lambda: max(output.last_write, errors.last_write), say)
    try:
        with heartbeat.beating():
            yield
        output.flush()
    finally:
        errors.begin_line()  # for a stack trace, or the prompt of a shell
        errors.flush()
        sys.stdout, sys.stderr = before


def print_error(line: str) -> None:
    """Prints a line to standard error, below a bar of progress that was cut off."""
    if isinstance(sys.stderr, Stream):
        sys.stderr.begin_line()
    print(printable(line), file=sys.stderr)


def _shown(text: str, kept: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char in kept else printable(char) for char in text)


def _occupy_descriptors() -> None:
    """Opens closed standard streams, whose numbers the next files would have."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number


def _to_nowhere(name: str) -> None:
    """Keeps Python from failing again when it flushes the stream at its end."""
    original = sys.__stdout__ if name == "standard output" else sys.__stderr__
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, original.fileno())  # type: ignore[union-attr]
        os.close(nowhere)
