"""Shows progress: a bar on a terminal, and a few lines in a log file."""

from __future__ import annotations

import sys
import time

import tqdm

_LOG_PARTS = 10
_LOG_SECS = 25.0
_LOG_LINE = (
    "{desc}: {n_fmt}/{total_fmt}{unit}{postfix}, {rate_noinv_fmt}, {remaining} left"
)


class Progress:
    """Counts finished and refused videos on stderr, with rate and remaining time.

    A context manager.  If stderr is not a terminal, it prints one line for each tenth
    of the work, and at least one every half minute.

    Args:
      verb: the work, such as `converting`.
      total: number of videos.
      already_done: number of videos that an earlier run has finished.
      refused_word: word for refused videos.
      unit: what is counted.
    """

    def __init__(
        self,
        verb: str,
        *,
        total: int,
        already_done: int = 0,
        refused_word: str = "refused",
        unit: str = "video",
    ) -> None:
        self._refused, self._refused_word = 0, refused_word
        self._is_log = not sys.stderr.isatty()
        self._last_line = time.monotonic()
        self._bar = tqdm.tqdm(
            desc=verb,
            total=total,
            initial=already_done,
            unit=f" {unit}s",
            dynamic_ncols=True,
            # In a log it only measures the rate, and never shows itself.
            delay=float("inf") if self._is_log else 0,
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def advance(self, *, refused: bool = False) -> None:
        """Counts one more video."""
        if refused:
            self._refused += 1
            text = f"{self._refused} {self._refused_word}"
            self._bar.set_postfix_str(text, refresh=False)
        self._bar.update()
        if self._is_log and self._line_is_due():
            self._last_line = time.monotonic()
            line = tqdm.tqdm.format_meter(
                **{**self._bar.format_dict, "bar_format": _LOG_LINE}
            )
            print(" ".join(line.split()), file=sys.stderr, flush=True)

    def _line_is_due(self) -> bool:
        done, total = self._bar.n, self._bar.total
        is_next_part = done * _LOG_PARTS // total > (done - 1) * _LOG_PARTS // total
        return is_next_part or time.monotonic() - self._last_line > _LOG_SECS
