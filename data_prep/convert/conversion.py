"""Converts videos into a data set: index, plan, shards, manifest.

After a kill, a conversion keeps the finished shards whose key (see `ShardTask.key`) is
still right.  A video that crashes or blocks the decoder is refused like any other that
cannot be read.
"""

from __future__ import annotations

import contextlib
import os
from typing import Mapping, Sequence

from data_prep.config import ConversionConfig
from data_prep.convert import data_folder, notes
from data_prep.convert.check_finished import without_damaged
from data_prep.convert.make_plan import make_plan
from data_prep.convert.manifest import write_manifest
from data_prep.convert.plan import Plan
from data_prep.convert.shard_state import ShardMetadata
from data_prep.convert.shard_task import ShardTask
from data_prep.convert.write_shard import REFUSED, WRITTEN, write_shard
from data_prep.index import index_videos, left_out
from data_prep.index.video_row import FoundVideo
from data_prep.workers import beam_runner, worker_pool
from data_prep.workers.progress import Progress
from data_prep.workers.retry_policy import RetryPolicy
from vie_tf.storage import files, remote_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import MANIFEST_NAME, Manifest
from vie_tf.terminal.heartbeat import doing
from vie_tf.terminal.wording import counted


def convert(config: ConversionConfig) -> Manifest:
    """Converts videos, continues an earlier conversion, or adds new videos.

    The result is the same, byte by byte, for any number of processes and interruptions.

    Returns:
      The manifest, which is the last file to be written.

    Raises:
      UserError: the folders cannot be used, no video can be read, the disk is full, or
        workers die for other reasons than a video.  Finished shards are kept.
    """
    _check_folders(config)
    if config.runner == "beam":
        beam_runner.check_installed()
    doing("finding the videos")
    videos, not_videos = index_videos.read_all(config)
    _check_missing(videos, config)
    if not_videos:
        print(left_out.summary(not_videos, config.media), flush=True)
    data_dir = config.output_dir
    with data_folder.lock(data_dir), data_folder.user_errors(data_dir):
        doing("checking the shards that are there")
        on_disk = without_damaged(data_dir, ShardMetadata.load_all(data_dir))
        plan = make_plan(videos, config, on_disk)
        plan.save(data_dir)
        doing("decoding videos")
        shards = _write_missing(plan, on_disk, config)
        doing("writing the manifest")
        # Closed before it is published: from then on it may be in use.
        plan.closed().save(data_dir)
        noted = [note for shard in shards for note in shard.notes]
        notes.write(noted, data_dir)
        for line in notes.summary(noted):
            print(line)
        others = left_out.entries(not_videos, config.media)
        return write_manifest(shards, plan, config, others)


def _check_folders(config: ConversionConfig) -> None:
    output_dir = config.output_dir
    if remote_files.is_remote(output_dir):
        return
    if os.path.exists(output_dir) and not os.path.isdir(output_dir):
        raise UserError(f"--output_dir={output_dir} is a file; give a folder.")
    root = os.path.realpath(config.videos)
    if os.path.commonpath([root, os.path.realpath(output_dir)]) == root:
        raise UserError(
            f"--output_dir={output_dir} lies in the folder of videos"
            f" {config.videos!r}, in which folders are classes; choose one outside."
        )


def _check_missing(videos: Sequence[FoundVideo], config: ConversionConfig) -> None:
    if not config.list_path:
        return
    missing = [video for video in videos if not os.path.exists(video.path)]
    if len(missing) > config.max_missing_rows * len(videos):
        raise UserError(
            f"{len(missing)} of the {counted(len(videos), 'video')} of"
            f" --list={config.list_path} cannot be found, such as {missing[0].path!r};"
            " give the folder that its"
            " paths are relative to as --videos. To convert the others alone, allow a"
            " larger fraction by --max_missing_rows=1."
        )


def _write_missing(
    plan: Plan, on_disk: Mapping[str, ShardMetadata], config: ConversionConfig
) -> list[ShardMetadata]:
    """Writes the shards that are not finished; returns the metadata of all."""
    closed, others = plan.tasks(config)
    closed_names = {task.name for task in closed}
    # Shards of a closed generation stay, even if their videos have changed.
    finished = {
        task.name: on_disk[task.name]
        for task in closed + others
        if task.name in on_disk
        and task.made(on_disk[task.name])
        and (task.name in closed_names or on_disk[task.name].key == task.key())
    }
    missing = [task for task in closed + others if task.name not in finished]
    num_tasks = len(closed) + len(others)
    if not missing:
        print(f"Complete: {counted(num_tasks, 'shard')}, all finished before.")
        return list(finished.values())
    if finished:
        print(f"Continuing: {len(finished)} of {counted(num_tasks, 'shard')} finished.")
    if not closed or missing[0].name in closed_names:
        # From here on, an old manifest could contradict the shards.
        files.remove(os.path.join(config.output_dir, MANIFEST_NAME))
    total = sum(len(task.rows) for task in closed + others)
    if config.runner == "beam":
        return [*finished.values(), *_write_on_beam(missing, config)]
    to_do = sum(len(task.rows) for task in missing)
    with Progress("converting", total=total, already_done=total - to_do) as progress:
        return [*finished.values(), *_write(missing, progress, config)]


def _write(
    tasks: Sequence[ShardTask], progress: Progress, config: ConversionConfig
) -> list[ShardMetadata]:
    """Writes shards over processes, without the videos that end workers."""
    retry_policy = RetryPolicy(config.max_seconds)
    counted: set[str] = set()  # A shard that is restarted reports its videos again.

    def on_report(source: str, state: str) -> None:
        if state == worker_pool.STARTED or source in counted:
            return
        counted.add(source)
        progress.advance(refused=state == REFUSED)
        if state == WRITTEN:
            retry_policy.item_done()

    def on_death(death: worker_pool.WorkerDied) -> ShardTask:
        task = retry_policy.next_task(death)
        data_folder.remove_unfinished(config.output_dir, task.name)
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
        data_folder.remove_unfinished(config.output_dir)


def _write_on_beam(
    tasks: Sequence[ShardTask], config: ConversionConfig
) -> list[ShardMetadata]:
    """Writes shards as a Beam pipeline, and reads back their metadata."""
    print(f"Beam writes {counted(len(tasks), 'shard')}.", flush=True)
    data_folder.scratch_dir(config.output_dir)  # Makes the folder.
    try:
        beam_runner.run_tasks(
            write_shard,
            tasks,
            options=config.beam_options,
            shared_dir=os.path.join(config.output_dir, data_folder.STATE_DIR),
        )
    finally:
        data_folder.remove_unfinished(config.output_dir)
    on_disk = ShardMetadata.load_all(config.output_dir)
    absent = [
        task.name
        for task in tasks
        if task.name not in on_disk or on_disk[task.name].key != task.key()
    ]
    if absent:
        raise UserError(
            f"The pipeline has ended, but {len(absent)} of {len(tasks)} shards are not"
            f" in {config.output_dir!r}, such as {absent[0]}. All workers must see"
            " --videos and --output_dir as this machine does, under the same paths."
        )
    return [on_disk[task.name] for task in tasks]
