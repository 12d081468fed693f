"""Shards against their manifest: checksums, records and every single frame.

Comes in: a data folder, local or of a store that `tf.io.gfile` knows.  Goes out: a
list of what is wrong, and for `data_set_facts` what the frames of every video look
like.  `check_shard` checks one shard and depends on nothing else; `verify` runs it
over processes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
from typing import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from data_prep.decode.opencv import cv2
from data_prep.describe.statistics import VideoContent
from data_prep.workers import worker_pool
from data_prep.workers.progress import Progress
from vie_tf.storage import records, remote_files

CHECKED = "checked"

_BLOCK_BYTES = 2**20
_TILES = (16, 16)  # What changes in a frame is looked for in the means of these.


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something that is not as the manifest says.

    Attributes:
      shard: file name.
      source: of the video, empty if it is about the whole shard.
      what: is wrong, in words.
    """

    shard: str
    source: str
    what: str

    def __str__(self) -> str:
        parts = [self.shard, self.source, self.what]
        return ": ".join(part for part in parts if part)


@dataclasses.dataclass(frozen=True)
class CheckTask:
    """One shard to be checked: where it is and what the manifest says of it."""

    data_dir: str
    shard: records.ShardEntry
    videos: tuple[records.VideoEntry, ...]

    def __str__(self) -> str:
        return f"the check of {self.shard.name}"


@dataclasses.dataclass(frozen=True)
class ShardCheck:
    """What a check has found.

    Attributes:
      problems: all of them, in the order of the shard.
      contents: of every video that could be read.
    """

    problems: tuple[Problem, ...]
    contents: tuple[VideoContent, ...]


def verify(
    data_dir: str, manifest: records.Manifest, num_processes: int
) -> tuple[list[Problem], list[VideoContent]]:
    """Checks all shards; shows on stderr how far it is.

    Args:
      data_dir: the data folder.
      manifest: of it.
      num_processes: as for `worker_pool.run_tasks`.

    Returns:
      All problems, sorted by shard, and the contents of all readable videos.

    Raises:
      OSError: a worker process has died.
    """
    tasks, problems = _tasks(data_dir, manifest)
    checks: list[ShardCheck] = []
    with Progress("verifying", total=len(manifest.videos)) as progress:

        def on_report(source: str, state: str) -> None:
            del source
            if state == CHECKED:
                progress.advance()

        results = worker_pool.run_tasks(
            check_shard, tasks, num_processes=num_processes, on_report=on_report
        )
        with contextlib.closing(results):
            checks.extend(results)
    problems.extend(problem for check in checks for problem in check.problems)
    contents = [content for check in checks for content in check.contents]
    # Sorting is stable: within a shard the order stays.
    return sorted(problems, key=lambda problem: problem.shard), contents


def _tasks(
    data_dir: str, manifest: records.Manifest
) -> tuple[list[CheckTask], list[Problem]]:
    """Returns one task per shard, and the videos that have none."""
    by_shard: dict[str, list[records.VideoEntry]] = {
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


def check_shard(task: CheckTask, report: worker_pool.Report) -> ShardCheck:
    """Checks one shard: the file, its records, their frames.

    Args:
      task: the shard.
      report: told of every video of the manifest, by source, when it is `STARTED` and
        `CHECKED`.
    """
    problems: list[Problem] = []
    contents: list[VideoContent] = []
    unseen = {video.id: video for video in task.videos}

    def complain(what: str, source: str = "") -> None:
        problems.append(Problem(task.shard.name, source, what))

    remote_files.connect(task.data_dir)  # In the worker, too.
    path = os.path.join(task.data_dir, task.shard.name)
    try:
        if not tf.io.gfile.exists(path):
            complain("the file is missing")
        else:
            _check_file(path, task, complain)
            for record in _parsed_records(path, complain):
                video = unseen.pop(int(record["id"]), None)
                if video is None:
                    complain(_stranger(record))
                    continue
                report(video.source, worker_pool.STARTED)
                faults, content = check_video(record, video)
                problems += [Problem(task.shard.name, video.source, f) for f in faults]
                if content is not None:
                    contents.append(content)
                report(video.source, CHECKED)
            for video in unseen.values():
                complain("not found in the shard", video.source)
    except tf.errors.OpError as error:
        complain(f"cannot be read: {_one_line(error)}")
    for video in unseen.values():
        report(video.source, CHECKED)
    return ShardCheck(tuple(problems), tuple(contents))


def check_video(
    record: dict[str, tf.Tensor], video: records.VideoEntry
) -> tuple[list[str], VideoContent | None]:
    """Compares a record with its entry in the manifest and decodes all its frames.

    The decoder is that of training, which does not take half a JPEG string either.

    Args:
      record: as parsed by `records.parse`.
      video: its entry.

    Returns:
      What is wrong, in words, and what the frames look like (None if any is damaged).
    """
    jpegs = list(record["frames"].numpy())
    faults = _wrong_facts(record, jpegs, video)
    damaged: list[str] = []
    tiles = []
    for number, jpeg in enumerate(jpegs):
        try:
            frame = tf.io.decode_jpeg(jpeg, channels=3).numpy()  # [H, W, 3]
        except tf.errors.InvalidArgumentError:
            damaged.append(f"frame {number} does not decode")
            continue
        height, width = frame.shape[:2]
        if (height, width) != (video.height, video.width):
            damaged.append(
                f"frame {number} is {height} x {width}, not {video.height} x"
                f" {video.width}"
            )
            continue
        tiles.append(_tiles_of(frame))
    if damaged:
        more = f" (and {len(damaged) - 1} frames more)" if len(damaged) > 1 else ""
        return [*faults, damaged[0] + more], None
    if not tiles:
        return [*faults, "it has no frames"], None
    return faults, _content(video.id, jpegs, tiles)


def _wrong_facts(
    record: dict[str, tf.Tensor], jpegs: Sequence[bytes], video: records.VideoEntry
) -> list[str]:
    stored = {
        "label": int(record["label"]),
        "source": record["source"].numpy().decode(errors="replace"),
        "frames": len(jpegs),
        "fps": float(record["fps"]),
        "height": int(record["height"]),
        "width": int(record["width"]),
        "bytes": sum(map(len, jpegs)),
    }
    listed = {name: getattr(video, name) for name in stored}
    listed["fps"] = float(np.float32(video.fps))  # Records have single precision.
    return [
        f"{name} is {stored[name]!r}, the manifest says {listed[name]!r}"
        for name in stored
        if stored[name] != listed[name]
    ]


def _check_file(path: str, task: CheckTask, complain: Callable[[str], None]) -> None:
    shard = task.shard
    if len(task.videos) != shard.videos:
        complain(
            f"the manifest says {shard.videos} videos, and lists {len(task.videos)}"
        )
    digest, num_bytes = hashlib.sha256(), 0
    with tf.io.gfile.GFile(path, "rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            num_bytes += len(block)
    if num_bytes != shard.bytes:
        complain(f"has {num_bytes:,} bytes, the manifest says {shard.bytes:,}")
    elif digest.hexdigest() != shard.sha256:
        complain("its checksum (sha256) is not that of the manifest")


def _parsed_records(
    path: str, complain: Callable[[str], None]
) -> Iterator[dict[str, tf.Tensor]]:
    """Yields the records that can be read."""
    number = 0
    try:
        for number, record in enumerate(tf.data.TFRecordDataset(path), start=1):
            try:
                parsed = records.parse(record)
            except tf.errors.InvalidArgumentError:
                complain(f"record {number} does not hold a video")
                continue
            yield parsed
    except tf.errors.DataLossError:
        complain(
            f"is damaged or cut off in record {number + 1}; nothing behind can be read"
        )


def _stranger(record: dict[str, tf.Tensor]) -> str:
    source = record["source"].numpy().decode(errors="replace")
    return (
        f"holds the video {int(record['id'])} ({source}) twice, or the manifest places"
        " it elsewhere"
    )


def _tiles_of(frame: np.ndarray) -> np.ndarray:
    gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return cv2.resize(gray.astype(np.float32), _TILES, interpolation=cv2.INTER_AREA)


def _content(
    video_id: int, jpegs: Sequence[bytes], tiles: Sequence[np.ndarray]
) -> VideoContent:
    digest = hashlib.sha256()
    for jpeg in jpegs:
        digest.update(hashlib.sha256(jpeg).digest())
    return VideoContent(
        id=video_id,
        digest=digest.hexdigest(),
        change=max(float(np.abs(tile - tiles[0]).max()) for tile in tiles),
        brightness=max(float(tile.max()) for tile in tiles),
    )


def _one_line(error: tf.errors.OpError) -> str:
    return str(error.message).splitlines()[0] if error.message else str(error)
