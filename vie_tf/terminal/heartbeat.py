"""A line whenever a command has printed nothing for half a minute.

Each long part of a command says what it is by `doing`; the line repeats it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Callable, Iterator

SILENCE_SECS = 28.0  # so that a line comes within 30 seconds
SECS_BETWEEN_LOOKS = 1.0


class Heartbeat:
    """Watches the output of a command from a thread.

    Args:
      last_write: returns when something was printed, by `time.monotonic`.
      say: prints a line.
    """

    def __init__(
        self, last_write: Callable[[], float], say: Callable[[str], None]
    ) -> None:
        self._last_write, self._say = last_write, say
        self._ended = threading.Event()

    @contextlib.contextmanager
    def beating(self) -> Iterator[None]:
        """Prints lines in a `with` block."""
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            doing("")
            self._ended.set()
            thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(SECS_BETWEEN_LOOKS):
            what, since = _Work.what, _Work.since
            now = time.monotonic()
            if what and now - max(self._last_write(), since) >= SILENCE_SECS:
                self._say(f"Still {what}, after {now - since:.0f} s.")


class _Work:
    """What the command of this process is doing, and since when."""

    what, since = "", 0.0


def doing(what: str) -> None:
    """Says what the command does from now on.

    Args:
      what: words that follow `Still`, such as `reading the data set`; none for work
        that reports by itself.
    """
    _Work.what, _Work.since = what, time.monotonic()
