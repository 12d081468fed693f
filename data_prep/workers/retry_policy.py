"""Decides what happens after the death of a worker.

A decoder is foreign code that may crash or hang on a file.  The task is then done again
without that video.
"""

from __future__ import annotations

from typing import Any

from data_prep.workers.worker_pool import WorkerDied

# After so many deaths without a finished video, the machine or the program is at fault.
_MOST_DEATHS_IN_A_ROW = 20


class RetryPolicy:
    """Chooses the task that replaces the task of a dead worker.

    A crash or a timeout is the fault of the video.  A kill from outside usually means
    that memory ran out, perhaps because of other programs: the task is tried once more,
    and a second kill at the same video is an error, since the video may be intact.

    Args:
      max_seconds: time limit of a video in seconds, for the reason.
    """

    def __init__(self, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self._killed_at: set[str] = set()
        self._deaths_in_a_row = 0

    def item_done(self) -> None:
        """Counts a finished video."""
        self._deaths_in_a_row = 0

    def next_task(self, death: WorkerDied) -> Any:
        """Returns the task that replaces the one of a dead worker.

        Args:
          death: death of a worker whose task has a method `without(item, reason)`.

        Raises:
          WorkerDied: no video is at fault.
        """
        self._deaths_in_a_row += 1
        if death.item is None or self._deaths_in_a_row >= _MOST_DEATHS_IN_A_ROW:
            raise death
        if death.was_killed:
            if death.item in self._killed_at:
                raise death
            self._killed_at.add(death.item)
            return death.task
        if death.was_out_of_time:
            reason = f"decoding took longer than --max_seconds={self._max_seconds:g}"
        else:
            reason = f"decoding it crashed the decoder ({death.cause})"
        return death.task.without(death.item, reason)
