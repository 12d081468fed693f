"""Writes one shard: decodes its videos into records, and records its metadata.

A shard is finished when its metadata is written.  `write_shard` depends on nothing but
its task, so that any runner can call it.
"""

from __future__ import annotations

import contextlib
import os

from data_prep.convert import data_folder
from data_prep.convert.shard_state import ShardMetadata
from data_prep.convert.shard_task import ShardTask, size_and_time
from data_prep.decode.decode_video import DecodedVideo, decode_video
from data_prep.decode.unreadable_video import UnreadableVideo
from data_prep.index.video_row import VideoRow
from data_prep.workers import worker_pool
from vie_tf.storage import files, shard_index
from vie_tf.storage.manifest import RefusedEntry, ShardEntry, VideoEntry
from vie_tf.storage.records import write_record

WRITTEN = "written"
REFUSED = "refused"


def write_shard(task: ShardTask, report: worker_pool.Report) -> ShardMetadata:
    """Writes one shard, the index of its frames, and its metadata.

    Every file appears under its name only when it is complete and on the disk, or in
    the store.

    Args:
      task: shard to be written.
      report: called for every video, by source, when it is `STARTED` and when it is
        `WRITTEN` or `REFUSED`.

    Raises:
      OSError: the shard cannot be written.
    """
    final = os.path.join(task.data_dir, task.name)
    unfinished = data_folder.unfinished_path(task.data_dir, task.name)
    # Before decoding, so that a later change of a video is noticed.
    key = task.key()
    sizes_and_times = {row.source: size_and_time(row.path) for row in task.rows}
    try:
        with files.file_errors(final):
            videos, refused, notes = _write_records(task, unfinished, report)
            shard = None
            if videos:
                shard = _shard_entry(task, unfinished, len(videos))
                _publish(task, unfinished, final)
            else:
                files.remove(final)
                files.remove(shard_index.index_path(final))
            refused_files = tuple(sizes_and_times[entry.source] for entry in refused)
            metadata = ShardMetadata(
                key, shard, tuple(videos), tuple(refused), refused_files, tuple(notes)
            )
            metadata.save(task.data_dir, task.name)
            return metadata
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(unfinished)


def _publish(task: ShardTask, unfinished: str, final: str) -> None:
    """Gives a shard and the index of its frames their names."""
    unfinished_index = data_folder.unfinished_path(task.data_dir, task.name)
    try:
        shard_index.ShardIndex.from_shard(unfinished, True).save(unfinished_index)
        # First: the index of another shard is detected by its size, and made again.
        files.publish(unfinished_index, shard_index.index_path(final))
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(unfinished_index)
    files.publish(unfinished, final)


def _write_records(
    task: ShardTask, path: str, report: worker_pool.Report
) -> tuple[list[VideoEntry], list[RefusedEntry], list[tuple[str, str]]]:
    videos, refused = [], []
    notes: list[tuple[str, str]] = []
    rejected = dict(task.rejected)
    with open(path, "wb") as file:
        for row, label in zip(task.rows, task.labels):
            report(row.source, worker_pool.STARTED)
            try:
                if row.source in rejected:
                    raise UnreadableVideo(rejected[row.source])
                video = decode_video(
                    *(row.path, task.settings, row.start_secs, row.end_secs),
                    *(task.max_megapixels, task.frames_read),
                )
            except UnreadableVideo as error:
                refused.append(RefusedEntry(row.source, error.reason))
                report(row.source, REFUSED)
                continue
            entry = _video_entry(row, label, video, task.name)
            write_record(file, video.frames, entry)
            videos.append(entry)
            notes.extend((row.source, note) for note in video.notes)
            report(row.source, WRITTEN)
    return videos, refused, notes


def _video_entry(
    row: VideoRow, label: int, video: DecodedVideo, shard: str
) -> VideoEntry:
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
        sha256=files.sha256_of(path),
    )
