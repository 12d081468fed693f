"""Reads small frames of many video files in worker processes.

A decoder that crashes or hangs costs its own video, not the others.
"""

from __future__ import annotations

import dataclasses
from typing import Iterator, Mapping, Sequence

from data_prep.thumbnails.read_file import read_file
from data_prep.workers import worker_pool
from data_prep.workers.retry_policy import RetryPolicy
from vie_tf.drawing.thumbnails import (
    FrameRequest,
    ReadThumbnails,
    Thumbnails,
    without_frames,
)

_READ = "read"
_FILES_PER_TASK = 16
_MAX_SECONDS = 30.0  # for one video; its place is then gray


@dataclasses.dataclass(frozen=True)
class ReadTask:
    """Some files that one worker reads.

    Attributes:
      paths: path of each video, by its position.
      request: frames that are wanted of each.
      faults: videos that are not read, with the reason.
    """

    paths: Mapping[int, str]
    request: FrameRequest
    faults: Mapping[int, str] = dataclasses.field(default_factory=dict)

    def without(self, item: str, reason: str) -> ReadTask:
        """Returns the same task, but for a video that its decoder cannot survive."""
        return dataclasses.replace(self, faults={**self.faults, int(item): reason})


def reader_of_files(
    paths: Sequence[str], num_processes: int, max_seconds: float = _MAX_SECONDS
) -> ReadThumbnails:
    """Makes a reader of video files.

    Args:
      paths: path of every video of the collection; empty where it is not known.
      num_processes: number of workers, 0 for one per core; 1 for none, when nothing
        protects from a decoder that hangs.
      max_seconds: time limit of a video.
    """

    def read(
        videos: Sequence[int], request: FrameRequest
    ) -> Iterator[tuple[int, Thumbnails]]:
        tasks = [
            ReadTask({v: paths[v] for v in videos[start : start + size]}, request)
            for size in (_FILES_PER_TASK,)
            for start in range(0, len(videos), size)
        ]
        if not tasks:
            return
        policy = RetryPolicy(max_seconds)

        def on_report(item: str, state: str) -> None:
            if state == _READ:
                policy.item_done()

        for result in worker_pool.run_tasks(
            _read_task,
            tasks,
            num_processes=num_processes,
            on_report=on_report,
            on_death=policy.next_task,
            time_limit_secs=max_seconds,
        ):
            yield from result

    return read


def _read_task(
    task: ReadTask, report: worker_pool.Report
) -> list[tuple[int, Thumbnails]]:
    found = []
    for video, path in task.paths.items():
        if video in task.faults:
            found.append((video, without_frames(task.faults[video])))
            continue
        report(str(video), worker_pool.STARTED)
        if path:
            found.append((video, read_file(path, task.request)))
        else:
            found.append((video, without_frames("it is not where it was embedded")))
        report(str(video), _READ)
    return found
