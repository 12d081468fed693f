"""Decides what happens after the death of a worker.

A decoder is foreign code that reads files of any origin: it may crash, or hang.  The
video that ended it is rejected, and its task done again without it.
"""

from __future__ import annotations

from typing import Any

from data_prep.workers.worker_pool import WorkerDied

# So many deaths without a finished video in between are not the fault of the videos,
# but of the machine or the program.
_MOST_DEATHS_IN_A_ROW = 20


class RetryPolicy:
    """Chooses the task that replaces the task of a dead worker.

    A crash or a timeout is the fault of the video.  A kill from outside usually means
    that memory ran out, perhaps because of other programs: the task is tried once more.
    At the second kill at the same video the policy gives up, since rejecting it would
    lose an intact video.

    Args:
      max_seconds: time limit of a video, for the reason.
    """

    def __init__(self, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self._killed_at: set[str] = set()
        self._deaths_in_a_row = 0

    def item_done(self) -> None:
        """Notes that a video was finished for the first time."""
        self._deaths_in_a_row = 0

    def next_task(self, death: WorkerDied) -> Any:
        """Returns the task to be done instead of that of a dead worker.

        Args:
          death: its task has a method `without(item, reason)`.

        Raises:
          WorkerDied: this death, if it is not the fault of a video.
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
