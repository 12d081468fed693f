"""A progress bar on a terminal, and a few lines in a log file."""

from __future__ import annotations

import sys
import time

import tqdm

_LOG_PARTS = 10
_LOG_SECS = 60.0


class Progress:
    """Counts videos on stderr: done, refused, rate and time left.

    A context manager.  Where stderr is no terminal it prints one line for each
    tenth of the work, and at least every minute.
    """

    def __init__(
        self,
        verb: str,
        *,
        total: int,
        already_done: int = 0,
        refused_word: str = "refused",
    ) -> None:
        """Starts counting.

        Args:
          verb: what is done to the videos, such as `converting`.
          total: number of videos.
          already_done: how many of them an earlier run has finished.
          refused_word: what the user reads for `refused`.
        """
        self._verb = verb
        self._total = total
        self._done = self._already_done = already_done
        self._refused = 0
        self._refused_word = refused_word
        self._first_at = self._last_line = time.monotonic()
        self._bar = None
        if sys.stderr.isatty():
            self._bar = tqdm.tqdm(
                desc=verb,
                total=total,
                initial=already_done,
                unit="video",
                dynamic_ncols=True,
            )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, *, refused: bool = False) -> None:
        """Counts one more video."""
        if self._done == self._already_done:
            # Workers take seconds to start, which says nothing of the rate.
            self._first_at = time.monotonic()
        self._done += 1
        self._refused += refused
        if self._bar is not None:
            if refused:
                text = f"{self._refused} {self._refused_word}"
                self._bar.set_postfix_str(text, refresh=False)
            self._bar.update()
        elif self._line_is_due():
            self._print_line()

    def _line_is_due(self) -> bool:
        part = self._done * _LOG_PARTS // self._total
        is_next_part = part > (self._done - 1) * _LOG_PARTS // self._total
        return is_next_part or time.monotonic() - self._last_line > _LOG_SECS

    def _print_line(self) -> None:
        self._last_line = time.monotonic()
        secs = self._last_line - self._first_at
        refused = f", {self._refused} {self._refused_word}" if self._refused else ""
        pace = ""
        # The first one starts the clock, and says nothing of the rate either.
        if num_timed := self._done - self._already_done - 1:
            rate = num_timed / max(secs, 1e-3)
            secs_left = round((self._total - self._done) / rate)
            pace = f", {rate:.1f} videos/s, {secs_left // 60}:{secs_left % 60:02d} left"
        print(
            f"{self._verb}: {self._done}/{self._total} videos{refused}{pace}",
            file=sys.stderr,
            flush=True,
        )
