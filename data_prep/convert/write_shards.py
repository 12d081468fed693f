"""Rows -> shard files with their facts -> manifest.

Comes in: the tasks of `plan_conversion`.  Goes out: `<split>-<number>.tfrecord` files
and the manifest of `vie_tf.storage.records`, which is the step after.  `write_shard`
makes one shard out of its task and depends on nothing else, so that any runner can call
it; `convert` runs it over processes.

A shard is finished when its facts are written.  They hold a key, the hash of
everything that the shard was made from: a run that was killed keeps the shards whose
key is still right, and makes the others.  A video that crashes the decoder, or keeps
it for too long, is refused like any other that cannot be read.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Iterator, Mapping, Sequence

from data_prep.config import ConversionConfig
from data_prep.convert import beam_runner, storage
from data_prep.convert.conversion_plan import Plan
from data_prep.convert.plan_conversion import plan_conversion
from data_prep.convert.retry_policy import RetryPolicy
from data_prep.convert.shard_state import ShardMetadata, lock
from data_prep.convert.shard_tasks import ShardTask, size_and_time
from data_prep.convert.write_manifest import write_manifest
from data_prep.decode.decode_frames import DecodedVideo, decode_video
from data_prep.decode.unreadable_video import UnreadableVideo
from data_prep.index import index_videos
from data_prep.index.found_video import Row
from data_prep.workers import worker_pool
from data_prep.workers.progress import Progress
from vie_tf.storage import remote_files, shard_index
from vie_tf.storage.files import file_errors, sha256_of
from vie_tf.storage.manifest import (
    MANIFEST_NAME,
    Manifest,
    RefusedEntry,
    ShardEntry,
    VideoEntry,
)
from vie_tf.storage.records import write_record

WRITTEN = "written"
REFUSED = "refused"

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def convert(config: ConversionConfig) -> Manifest:
    """Converts videos, or goes on where an earlier run has stopped, or adds new ones.

    Prints what it finds and how far it is.  The result is the same, byte by byte,
    for any number of processes and of interruptions.

    Args:
      config: what to convert, how, and where to.

    Returns:
      The manifest, which has been written as the last file.

    Raises:
      ValueError: the folders cannot be used, or no video could be read.
      OSError: disk full, or worker processes die by no video's fault; what is
        finished is kept.
    """
    _check_folders(config)
    if config.runner == "beam":
        beam_runner.check_installed()
    videos = index_videos.read(config)
    with lock(config.output_dir), _plain_errors(config):
        on_disk = ShardMetadata.load_all(config.output_dir)
        plan = plan_conversion(videos, config, on_disk)
        plan.save(config.output_dir)
        all_facts = _write_missing(plan, on_disk, config)
        # Closed before it is published: from then on it may be in use.
        plan.closed().save(config.output_dir)
        return write_manifest(all_facts, plan, config)


def write_shard(task: ShardTask, report: worker_pool.Report) -> ShardMetadata:
    """Writes one shard and then its facts.

    The file appears under its name only when it is whole and on the disk, or in the
    store.

    Args:
      task: what to write.
      report: told of every video, by source, when it is `STARTED` and when it is
        `WRITTEN` or `REFUSED`.

    Returns:
      The facts that were written.

    Raises:
      OSError: the shard cannot be written.
    """
    remote_files.connect(task.data_dir)
    final = os.path.join(task.data_dir, task.name)
    unfinished = storage.unfinished_path(task.data_dir, task.name)
    # Before decoding: a later change of a video must be noticed.
    key = task.key()
    files = {row.source: size_and_time(row.path) for row in task.rows}
    try:
        with file_errors(final):
            videos, refused = _write_records(task, unfinished, report)
            shard = None
            if videos:
                shard = _shard_entry(task, unfinished, len(videos))
                _place_with_index(task, unfinished, final)
            else:
                storage.remove(final)
                storage.remove(shard_index.index_path(final))
            refused_files = tuple(files[entry.source] for entry in refused)
            facts = ShardMetadata(
                key, shard, tuple(videos), tuple(refused), refused_files
            )
            facts.save(task.data_dir, task.name)
            return facts
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(unfinished)


def _place_with_index(task: ShardTask, unfinished: str, final: str) -> None:
    """Puts a shard into its place, and beside it the index of its frames."""
    unfinished_index = storage.unfinished_path(task.data_dir, task.name)
    try:
        shard_index.ShardIndex.from_shard(unfinished).save(unfinished_index)
        # First: an index of another shard is noticed by its size, and made anew.
        storage.place(unfinished_index, shard_index.index_path(final))
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(unfinished_index)
    storage.place(unfinished, final)


def _write_records(
    task: ShardTask, path: str, report: worker_pool.Report
) -> tuple[list[VideoEntry], list[RefusedEntry]]:
    videos, refused = [], []
    rejected = dict(task.rejected)
    with open(path, "wb") as file:
        for row, label in zip(task.rows, task.labels):
            report(row.source, worker_pool.STARTED)
            try:
                if row.source in rejected:
                    raise UnreadableVideo(rejected[row.source])
                video = decode_video(
                    row.path, task.settings, row.start_secs, row.end_secs
                )
            except UnreadableVideo as error:
                refused.append(RefusedEntry(row.source, error.reason))
                report(row.source, REFUSED)
                continue
            write_record(
                file,
                video.frames,
                video_id=row.id,
                label=label,
                fps=video.fps,
                height=video.height,
                width=video.width,
                source=row.source,
            )
            videos.append(_video_entry(row, label, video, task.name))
            report(row.source, WRITTEN)
    return videos, refused


def _video_entry(row: Row, label: int, video: DecodedVideo, shard: str) -> VideoEntry:
    return VideoEntry(
        id=row.id,
        label=label,
        split=row.split,
        source=row.source,
        shard=shard,
        frames=len(video.frames),
        fps=video.fps,
        height=video.height,
        width=video.width,
        bytes=sum(video.frames.sizes()),
    )


def _shard_entry(task: ShardTask, path: str, num_videos: int) -> ShardEntry:
    return ShardEntry(
        name=task.name,
        split=task.rows[0].split,
        videos=num_videos,
        bytes=os.path.getsize(path),
        sha256=sha256_of(path),
    )


def _write_missing(
    plan: Plan, on_disk: Mapping[str, ShardMetadata], config: ConversionConfig
) -> list[ShardMetadata]:
    """Writes the shards that are not finished; returns the facts of all."""
    closed, others = plan.tasks(config)
    closed_names = {task.name for task in closed}
    # Those of a closed generation stay, though their videos may have changed or gone.
    finished = {
        task.name: on_disk[task.name]
        for task in closed + others
        if task.name in on_disk
        and (task.name in closed_names or on_disk[task.name].key == task.key())
    }
    missing = [task for task in closed + others if task.name not in finished]
    num_tasks = len(closed) + len(others)
    if not missing:
        print(f"Complete: all {num_tasks} shards were finished before.")
        return list(finished.values())
    if finished:
        print(f"Going on: {len(finished)} of {num_tasks} shards are finished.")
    if not closed or missing[0].name in closed_names:
        # From here on an old manifest could disagree with the shards.
        storage.remove(os.path.join(config.output_dir, MANIFEST_NAME))
    total = sum(len(task.rows) for task in closed + others)
    if config.runner == "beam":
        return [*finished.values(), *_write_on_beam(missing, config)]
    to_do = sum(len(task.rows) for task in missing)
    with Progress("converting", total=total, already_done=total - to_do) as progress:
        return [*finished.values(), *_write(missing, progress, config)]


def _write(
    tasks: Sequence[ShardTask], progress: Progress, config: ConversionConfig
) -> list[ShardMetadata]:
    """Writes shards over processes, without the videos that workers die at."""
    blame = RetryPolicy(config.max_seconds)
    counted: set[str] = set()  # A shard that is begun again reports its videos again.

    def on_report(source: str, state: str) -> None:
        if state == worker_pool.STARTED or source in counted:
            return
        counted.add(source)
        progress.advance(refused=state == REFUSED)
        if state == WRITTEN:
            blame.video_written()

    def on_death(death: worker_pool.WorkerDied) -> ShardTask:
        task = blame.task_after(death)
        storage.remove_unfinished(config.output_dir, task.name)
        return task

    results = worker_pool.run_tasks(
        write_shard,
        tasks,
        num_processes=config.num_processes,
        on_report=on_report,
        on_death=on_death,
        time_limit_secs=config.max_seconds,
    )
    try:
        with contextlib.closing(results):
            return list(results)
    finally:
        storage.remove_unfinished(config.output_dir)


def _write_on_beam(
    tasks: Sequence[ShardTask], config: ConversionConfig
) -> list[ShardMetadata]:
    """Writes shards as a Beam pipeline, and reads back what became of them."""
    print(f"Beam is to write {len(tasks)} shards.", flush=True)
    try:
        beam_runner.run_tasks(
            _write_shard_of_text,
            [task.to_json() for task in tasks],
            options=config.beam_options,
            data_dir=config.output_dir,
        )
    finally:
        storage.remove_unfinished(config.output_dir)
    on_disk = ShardMetadata.load_all(config.output_dir)
    absent = [
        task.name
        for task in tasks
        if task.name not in on_disk or on_disk[task.name].key != task.key()
    ]
    if absent:
        raise ChildProcessError(
            f"The pipeline has ended, but {len(absent)} of {len(tasks)} shards are not"
            f" in {config.output_dir!r}, such as {absent[0]}. All workers must see"
            " --videos and --output_dir as this machine does, under the same paths."
        )
    return [on_disk[task.name] for task in tasks]


def _write_shard_of_text(text: str, report: worker_pool.Report) -> None:
    write_shard(ShardTask.from_json(text), report)


def _check_folders(config: ConversionConfig) -> None:
    output_dir = config.output_dir
    if remote_files.is_remote(output_dir):
        remote_files.connect(output_dir)
        return
    if os.path.exists(output_dir) and not os.path.isdir(output_dir):
        raise ValueError(f"--output_dir={output_dir} is a file; give a folder.")
    root = os.path.realpath(config.videos)
    if os.path.commonpath([root, os.path.realpath(output_dir)]) == root:
        raise ValueError(
            f"--output_dir={output_dir} lies in the folder of videos"
            f" {config.videos!r}, where it would pass for a class; choose one outside."
        )


@contextlib.contextmanager
def _plain_errors(config: ConversionConfig) -> Iterator[None]:
    """Says what to do when the disk is full or a worker has died."""
    try:
        with file_errors(config.output_dir):
            yield
    except worker_pool.WorkerDied as error:
        mends = ["Finished shards are kept, and the same command goes on"]
        if error.was_killed:
            mends.append("perhaps memory ran out: try a smaller --num_processes")
        if error.item is not None:
            mends.append("to do without that video, put an empty file in its place")
        raise ChildProcessError(f"{error} {'; '.join(mends)}.") from None
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        folder = os.path.dirname(storage.scratch_dir(config.output_dir))
        raise OSError(
            f"The disk that holds {folder!r} is full. Finished shards are kept; make"
            " room and run the same command again."
        ) from None
