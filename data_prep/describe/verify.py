"""Verifies all shards of a data set against its manifest, over worker processes."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from typing import Callable, Iterator

import tensorflow as tf

from data_prep.describe.check_video import check_video
from data_prep.describe.statistics import VideoContent
from data_prep.workers import worker_pool
from data_prep.workers.progress import Progress
from vie_tf.storage import files, records, shard_index
from vie_tf.storage.errors import FileError
from vie_tf.storage.manifest import Manifest, ShardEntry, VideoEntry
from vie_tf.storage.shard_index import ShardIndex

CHECKED = "checked"


@dataclasses.dataclass(frozen=True)
class Problem:
    """A contradiction between the manifest and the files.

    Attributes:
      shard: file name of the shard.
      source: source of the video; empty if the problem concerns the whole shard.
      what: description of the problem.
    """

    shard: str
    source: str
    what: str

    def __str__(self) -> str:
        return ": ".join(filter(None, [self.shard, self.source, self.what]))


@dataclasses.dataclass(frozen=True)
class CheckTask:
    """A shard to be checked, with its entry and its videos in the manifest."""

    data_dir: str
    shard: ShardEntry
    videos: tuple[VideoEntry, ...]

    def __str__(self) -> str:
        return f"the check of {self.shard.name}"


Checked = tuple[list[Problem], list[VideoContent]]
"""Problems in the order of the shard, and statistics of its readable videos."""


def verify(data_dir: str, manifest: Manifest, num_processes: int) -> Checked:
    """Checks all shards and shows the progress on stderr.

    Returns:
      All problems, sorted by shard, and the contents of all readable videos.

    Raises:
      WorkerDied: a worker process has died.
    """
    tasks, problems = _tasks(data_dir, manifest)
    with Progress("verifying", total=len(manifest.videos)) as progress:

        def on_report(source: str, state: str) -> None:
            if state == CHECKED:
                progress.advance()

        results = worker_pool.run_tasks(
            check_shard, tasks, num_processes=num_processes, on_report=on_report
        )
        with contextlib.closing(results):
            checks = list(results)
    problems.extend(problem for found, _ in checks for problem in found)
    contents = [content for _, found in checks for content in found]
    # Sorting is stable: within a shard the order stays.
    return sorted(problems, key=lambda problem: problem.shard), contents


def _tasks(data_dir: str, manifest: Manifest) -> tuple[list[CheckTask], list[Problem]]:
    """Returns one task per shard, and a problem for each video without a shard."""
    by_shard: dict[str, list[VideoEntry]] = {
        shard.name: [] for shard in manifest.shards
    }
    problems = []
    for video in manifest.videos:
        if video.shard in by_shard:
            by_shard[video.shard].append(video)
        else:
            what = "the manifest does not list this shard"
            problems.append(Problem(video.shard, video.source, what))
    tasks = [
        CheckTask(data_dir, shard, tuple(by_shard[shard.name]))
        for shard in manifest.shards
    ]
    return tasks, problems


def check_shard(task: CheckTask, report: worker_pool.Report) -> Checked:
    """Checks one shard: its file, its records and their frames.

    Args:
      task: the shard.
      report: called for every video of the manifest, by source, when its check is
        `STARTED` and when it is `CHECKED`.
    """
    problems: list[Problem] = []
    contents: list[VideoContent] = []
    unseen = {video.id: video for video in task.videos}

    def add(what: str, source: str = "") -> None:
        problems.append(Problem(task.shard.name, source, what))

    path = os.path.join(task.data_dir, task.shard.name)
    try:
        if not files.exists(path):
            add("the file is missing")
        else:
            _check_file(path, task, add)
            _check_index(path, task, add)
            for record in _parsed_records(path, add):
                video = unseen.pop(int(record["id"]), None)
                if video is None:
                    add(_unexpected(record))
                    continue
                report(video.source, worker_pool.STARTED)
                faults, content = check_video(record, video)
                for fault in faults:
                    add(fault, video.source)
                if content is not None:
                    contents.append(content)
                report(video.source, CHECKED)
            for video in unseen.values():
                add("not found in the shard", video.source)
    except FileError as error:
        add(f"cannot be read: {error.strerror}")
    except tf.errors.OpError as error:
        add(f"cannot be read: {(error.message or str(error)).splitlines()[0]}")
    for video in unseen.values():
        report(video.source, CHECKED)
    return problems, contents


def _check_file(path: str, task: CheckTask, add: Callable[[str], None]) -> None:
    shard = task.shard
    if len(task.videos) != shard.videos:
        add(f"the manifest says {shard.videos} videos, and lists {len(task.videos)}")
    num_bytes = files.size_of(path)
    if num_bytes != shard.bytes:
        add(f"has {num_bytes:,} bytes, the manifest says {shard.bytes:,}")
    elif files.sha256_of(path) != shard.sha256:
        add("its checksum (sha256) differs from the manifest's")


def _check_index(path: str, task: CheckTask, add: Callable[[str], None]) -> None:
    """Checks the index of the frames beside a shard, if there is one."""
    index_path = shard_index.index_path(path)
    if not files.exists(index_path):
        return  # it is made when the shard is read
    index, name = ShardIndex.load(index_path), os.path.basename(index_path)
    if index is None or index.shard_bytes != task.shard.bytes:
        add(f"its index {name} is damaged; it is made again when the shard is read")
    elif index.ids.tolist() != [video.id for video in task.videos]:
        add(f"its index {name} is of other videos")


def _parsed_records(
    path: str, add: Callable[[str], None]
) -> Iterator[dict[str, tf.Tensor]]:
    """Yields the records that can be read."""
    number = 0
    try:
        for number, record in enumerate(tf.data.TFRecordDataset(path), start=1):
            try:
                parsed = records.parse(record)
            except tf.errors.InvalidArgumentError:
                add(f"record {number} does not hold a video")
                continue
            yield parsed
    except tf.errors.DataLossError:
        add(
            f"is damaged or cut off in record {number + 1}; no later record can be read"
        )


def _unexpected(record: dict[str, tf.Tensor]) -> str:
    source = record["source"].numpy().decode(errors="replace")
    return (
        f"holds the video {int(record['id'])} ({source}), which is in it twice or"
        " belongs to another shard"
    )
