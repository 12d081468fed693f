"""Rows -> shard files with their facts -> manifest.

Comes in: the rows of `index_videos`.  Goes out: `<split>-<number>.tfrecord` files
and the manifest of `vie_tf.records`, which is the step after.  `write_shard` makes
one shard out of its task and depends on nothing else, so that any runner can call
it; `convert` runs it over processes.

A shard is finished when its facts are written.  They hold a key, the hash of
everything that the shard was made from: a run that was killed keeps the shards whose
key is still right, and makes the others.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import errno
import glob
import io
import os
from typing import Any, Iterator, Sequence

import tensorflow as tf

from data_prep import index_videos, worker_pool
from data_prep.config import ConversionConfig
from data_prep.decode_frames import DecodedVideo, UnreadableVideo, decode_video
from data_prep.durable_files import (
    flush_to_disk,
    sha256_of,
    tensorflow_errors_as_os_errors,
)
from data_prep.progress import Progress
from data_prep.shard_state import (
    STATE_DIR,
    Plan,
    ShardFacts,
    check_is_ours,
    check_loses_nothing,
    hash_of,
    locked,
)
from data_prep.shard_tasks import ShardTask, plan_shards
from vie_tf import records

WRITTEN = "written"
REFUSED = "refused"
REFUSED_NAME = "refused.csv"

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def convert(config: ConversionConfig) -> records.Manifest:
    """Converts a folder of videos, or goes on where an earlier run has stopped.

    Prints what it finds and how far it is.  The result is the same, byte by byte,
    for any number of processes and of interruptions.

    Args:
      config: what to convert, how, and where to.

    Returns:
      The manifest, which has been written as the last file.

    Raises:
      ValueError: the folders cannot be used, or no video could be read.
      OSError: disk full, or a worker process has died; what is finished is kept.
    """
    _check_folders(config)
    check_is_ours(config.output_dir)
    rows = index_videos.index_folder(
        config.videos, val_fraction=config.val_fraction, seed=config.seed
    )
    class_names = tuple(sorted({row.label for row in rows if row.label is not None}))
    tasks = plan_shards(rows, class_names, config)
    with locked(config.output_dir), _plain_errors(config):
        all_facts = _write_missing(tasks, _plan(rows, config), config)
        return _write_manifest(all_facts, class_names, config)


def write_shard(task: ShardTask, report: worker_pool.Report) -> ShardFacts:
    """Writes one shard and then its facts.

    The file appears under its name only when it is whole and on the disk.

    Args:
      task: what to write; its folder must exist.
      report: told of every video, by source, when it is `STARTED` and when it is
        `WRITTEN` or `REFUSED`.

    Returns:
      The facts that were written.

    Raises:
      OSError: the shard cannot be written.
    """
    state_dir = os.path.join(task.data_dir, STATE_DIR)
    final = os.path.join(task.data_dir, task.name)
    # The number of the process keeps a worker that outlived a kill out of our file.
    temporary = os.path.join(state_dir, f"{task.name}.{os.getpid()}.tmp")
    os.makedirs(state_dir, exist_ok=True)
    key = task.key()  # Before decoding: a later change of a video must be noticed.
    try:
        with tensorflow_errors_as_os_errors(final):
            videos, refused = _write_records(task, temporary, report)
            shard = None
            if videos:
                shard = _shard_entry(task, temporary, len(videos))
                flush_to_disk(temporary)
                os.replace(temporary, final)
            elif os.path.exists(final):
                os.remove(final)
            flush_to_disk(task.data_dir)
            facts = ShardFacts(key, shard, tuple(videos), tuple(refused))
            facts.save(task.data_dir, task.name)
            return facts
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


def _write_records(
    task: ShardTask, path: str, report: worker_pool.Report
) -> tuple[list[records.VideoEntry], list[records.RefusedEntry]]:
    videos, refused = [], []
    settings = dataclasses.asdict(task.settings)
    with tf.io.TFRecordWriter(path) as writer:
        for row, label in zip(task.rows, task.labels):
            report(row.source, worker_pool.STARTED)
            try:
                video = decode_video(row.path, **settings)
            except UnreadableVideo as error:
                refused.append(records.RefusedEntry(row.source, error.reason))
                report(row.source, REFUSED)
                continue
            writer.write(
                records.serialize(
                    video_id=row.id,
                    label=label,
                    frames=video.frames,
                    fps=video.fps,
                    height=video.height,
                    width=video.width,
                    source=row.source,
                )
            )
            videos.append(_video_entry(row, label, video, task.name))
            report(row.source, WRITTEN)
    return videos, refused


def _video_entry(
    row: index_videos.Row, label: int, video: DecodedVideo, shard: str
) -> records.VideoEntry:
    return records.VideoEntry(
        id=row.id,
        label=label,
        split=row.split,
        source=row.source,
        shard=shard,
        frames=len(video.frames),
        fps=video.fps,
        height=video.height,
        width=video.width,
        bytes=sum(map(len, video.frames)),
    )


def _shard_entry(task: ShardTask, path: str, num_videos: int) -> records.ShardEntry:
    return records.ShardEntry(
        name=task.name,
        split=task.rows[0].split,
        videos=num_videos,
        bytes=os.path.getsize(path),
        sha256=sha256_of(path),
    )


def _write_missing(
    tasks: Sequence[ShardTask], plan: Plan, config: ConversionConfig
) -> list[ShardFacts]:
    """Writes the shards that are not finished; returns the facts of all."""
    data_dir = config.output_dir
    on_disk = ShardFacts.load_all(data_dir)
    finished = {
        task.name: on_disk[task.name]
        for task in tasks
        if task.name in on_disk and on_disk[task.name].key == task.key()
    }
    with_videos = {name for name, facts in on_disk.items() if facts.videos}
    check_loses_nothing(data_dir, plan, outdated=with_videos - finished.keys())
    plan.save(data_dir)
    missing = [task for task in tasks if task.name not in finished]
    if not missing:
        print(f"Complete: all {len(tasks)} shards were finished before.")
        return list(finished.values())
    if finished:
        print(f"Going on: {len(finished)} of {len(tasks)} shards are finished.")
    # From here on an old manifest could disagree with the shards.
    with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(data_dir, records.MANIFEST_NAME))
    total = sum(len(task.rows) for task in tasks)
    to_do = sum(len(task.rows) for task in missing)
    with Progress("converting", total=total, already_done=total - to_do) as progress:

        def on_report(source: str, state: str) -> None:
            del source
            if state != worker_pool.STARTED:
                progress.advance(refused=state == REFUSED)

        results = worker_pool.run_tasks(
            write_shard,
            missing,
            num_processes=config.num_processes,
            on_report=on_report,
        )
        try:
            with contextlib.closing(results):
                return [*finished.values(), *results]
        finally:
            _remove_leftovers(data_dir)


def _remove_leftovers(data_dir: str) -> None:
    """Removes the unfinished files of stopped workers, of this run and of others."""
    for path in glob.glob(os.path.join(glob.escape(data_dir), STATE_DIR, "*.tmp")):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def _write_manifest(
    all_facts: Sequence[ShardFacts],
    class_names: tuple[str, ...],
    config: ConversionConfig,
) -> records.Manifest:
    videos = [video for facts in all_facts for video in facts.videos]
    refused = [video for facts in all_facts for video in facts.refused]
    shards = [facts.shard for facts in all_facts if facts.shard is not None]
    manifest = records.Manifest(
        class_names=class_names,
        videos=tuple(sorted(videos, key=lambda video: video.id)),
        shards=tuple(sorted(shards, key=lambda shard: shard.name)),
        refused=tuple(sorted(refused, key=lambda video: video.source)),
        settings=_settings(config),
    )
    _write_refused(manifest.refused, config.output_dir)
    if not manifest.videos:
        first = manifest.refused[0]
        raise ValueError(
            f"None of the {len(refused)} videos in {config.videos!r} could be"
            f" converted (such as {first.source}: {first.reason}); all reasons are in"
            f" {os.path.join(config.output_dir, REFUSED_NAME)}."
        )
    manifest.save(config.output_dir)
    return manifest


def _write_refused(refused: Sequence[records.RefusedEntry], data_dir: str) -> None:
    path = os.path.join(data_dir, REFUSED_NAME)
    if not refused:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["source", "reason"])
    writer.writerows((video.source, video.reason) for video in refused)
    records.write_atomically(path, text.getvalue())


def _check_folders(config: ConversionConfig) -> None:
    output_dir = config.output_dir
    if "://" in output_dir:
        raise ValueError(
            f"--output_dir={output_dir} is not a local folder; convert into one, and"
            " copy it when it is complete."
        )
    if os.path.exists(output_dir) and not os.path.isdir(output_dir):
        raise ValueError(f"--output_dir={output_dir} is a file; give a folder.")
    root = os.path.realpath(config.videos)
    if os.path.commonpath([root, os.path.realpath(output_dir)]) == root:
        raise ValueError(
            f"--output_dir={output_dir} lies in the folder of videos"
            f" {config.videos!r}, where it would pass for a class; choose one outside."
        )


def _plan(rows: Sequence[index_videos.Row], config: ConversionConfig) -> Plan:
    # A hash of the place, not the place: the folder may be given to others.
    return Plan(
        settings=_settings(config),
        rows=hash_of([(row.id, row.source, row.label, row.split) for row in rows]),
        root=hash_of(os.path.realpath(config.videos)),
    )


def _settings(config: ConversionConfig) -> dict[str, Any]:
    return {
        "videos": os.path.basename(os.path.abspath(config.videos)),
        "fps": config.fps,
        "shortest_side": config.shortest_side,
        "jpeg_quality": config.jpeg_quality,
        "min_frames": config.min_frames,
        "val_fraction": config.val_fraction,
        "videos_per_shard": config.videos_per_shard,
        "seed": config.seed,
    }


@contextlib.contextmanager
def _plain_errors(config: ConversionConfig) -> Iterator[None]:
    """Says what to do when the disk is full or a worker has died."""
    try:
        with tensorflow_errors_as_os_errors(config.output_dir):
            yield
    except worker_pool.WorkerDied as error:
        if error.was_killed:
            mend = "perhaps memory ran out: try a smaller --num_processes"
        else:
            mend = "to go on without that video, put an empty file in its place"
        raise ChildProcessError(
            f"{error} Finished shards are kept; {mend}, and run the same command again."
        ) from None
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        raise OSError(
            f"The disk that holds {config.output_dir!r} is full. Finished shards are"
            " kept; make room and run the same command again."
        ) from None
