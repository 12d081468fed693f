"""Which video is to blame for the death of a worker, and what is done then.

A decoder is foreign code that meets files from anywhere: it may crash, or never come
back.  The video that it had in hand is refused, and its shard made without it.
"""

from __future__ import annotations

from data_prep.convert.shard_tasks import ShardTask
from data_prep.workers.worker_pool import WorkerDied

# So many deaths with no video written in between say that not the videos are bad, but
# the machine or the program.
_MOST_DEATHS_IN_A_ROW = 20


class RetryPolicy:
    """Decides over the tasks of dead workers.

    A crash and a time-out are the video's fault.  A kill from outside is rather that
    of the memory, perhaps of other programs: the shard is tried once more, and the
    second time at the same video the conversion stops, as going on would drop a
    video that is sound.
    """

    def __init__(self, max_seconds: float) -> None:
        """Starts with no deaths.

        Args:
          max_seconds: the time limit, for the reason.
        """
        self._max_seconds = max_seconds
        self._killed_at: set[str] = set()
        self._deaths_in_a_row = 0

    def video_written(self) -> None:
        """Notes that a video has been written for the first time."""
        self._deaths_in_a_row = 0

    def task_after(self, death: WorkerDied) -> ShardTask:
        """Returns what is to be done in place of the task that a worker died at.

        Raises:
          WorkerDied: this death, where no video can be blamed for it.
        """
        self._deaths_in_a_row += 1
        if death.item is None or self._deaths_in_a_row >= _MOST_DEATHS_IN_A_ROW:
            raise death
        task: ShardTask = death.task
        if death.was_killed:
            if death.item in self._killed_at:
                raise death
            self._killed_at.add(death.item)
            return task
        if death.was_out_of_time:
            reason = f"decoding took longer than --max_seconds={self._max_seconds:g}"
        else:
            reason = f"decoding it crashed the decoder ({death.cause})"
        return task.without(death.item, reason)
