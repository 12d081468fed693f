"""The rows of one shard, which `write_shard` writes independently of other shards."""

from __future__ import annotations

import collections
import dataclasses
import os
from typing import Any, Sequence

from data_prep.config import ConversionConfig, FrameSettings
from data_prep.convert.shard_state import ShardMetadata, hash_of
from data_prep.index.video_row import VideoRow
from vie_tf.storage.frame_spool import FramesRead
from vie_tf.storage.manifest import NO_LABEL, SCHEMA_VERSION, SPLITS

# To be raised when the same rows and settings no longer give the same shards.
_FORMAT_VERSION = 2


@dataclasses.dataclass(frozen=True)
class ShardTask:
    """One shard to be written.

    Attributes:
      name: file name of the shard.
      data_dir: folder of the data set.
      rows: its videos, all of one split, in the order of the shard.
      labels: index of the class of each row, or `NO_LABEL`.
      settings: settings of the frames.
      rejected: sources and reasons of videos that have ended a worker.  They are not
        opened again, and not part of the key.
      max_megapixels: largest picture that is decoded, in millions of pixels.
      frames_read: see `decode_video`; for a block that one program reads, and so not
        part of the key.
    """

    name: str
    data_dir: str
    rows: tuple[VideoRow, ...]
    labels: tuple[int, ...]
    settings: FrameSettings
    rejected: tuple[tuple[str, str], ...] = ()
    max_megapixels: float = ConversionConfig.max_megapixels
    frames_read: FramesRead | None = None

    def __str__(self) -> str:
        return f"the shard {self.name}"

    def key(self) -> str:
        """Returns the hash of everything that the shard depends on.

        Size and modification time stand for the contents of the videos.
        """
        videos = [
            (
                *(row.id, row.source, row.split, label),
                *(row.start_secs, row.end_secs, *size_and_time(row.path)),
            )
            for row, label in zip(self.rows, self.labels)
        ]
        versions = [_FORMAT_VERSION, SCHEMA_VERSION]
        content: list[Any] = [versions, dataclasses.asdict(self.settings), videos]
        if self.max_megapixels != ConversionConfig.max_megapixels:
            content.append(self.max_megapixels)  # earlier versions had no limit
        return hash_of(content)

    def made(self, metadata: ShardMetadata) -> bool:
        """Whether the metadata of a shard, perhaps damaged, can be of this task."""
        wanted = {
            row.id: (row.source, row.split, label, self.settings.fps)
            for row, label in zip(self.rows, self.labels)
        }
        videos = metadata.videos
        return len(videos) + len(metadata.refused) == len(wanted) and all(
            wanted.get(v.id) == (v.source, v.split, v.label, v.fps) for v in videos
        )

    def without(self, source: str, reason: str) -> ShardTask:
        """Returns this task with one video rejected."""
        return dataclasses.replace(self, rejected=(*self.rejected, (source, reason)))


def make_tasks(
    rows: Sequence[VideoRow],
    class_names: Sequence[str],
    config: ConversionConfig,
    earlier: Sequence[ShardTask] = (),
) -> list[ShardTask]:
    """Distributes rows over shards of one split each, in the order of their ids.

    Args:
      rows: videos of the shards.
      class_names: names of all classes in the order of their label ids.
      config: settings of the conversion.
      earlier: existing shards, after which the numbering continues.
    """
    numbers = collections.Counter(task.rows[0].split for task in earlier)
    settings = config.frame_settings()
    label_ids = {name: index for index, name in enumerate(class_names)}
    tasks = []
    for split in SPLITS:
        members = sorted((r for r in rows if r.split == split), key=lambda row: row.id)
        starts = range(0, len(members), config.videos_per_shard)
        for number, start in enumerate(starts, numbers[split]):
            chosen = tuple(members[start : start + config.videos_per_shard])
            labels = tuple(label_id(row.label, label_ids) for row in chosen)
            name = f"{split}-{number:05d}.tfrecord"
            task = ShardTask(name, config.output_dir, chosen, labels, settings)
            limit = config.max_megapixels
            tasks.append(dataclasses.replace(task, max_megapixels=limit))
    return tasks


def label_id(label: str | None, label_ids: dict[str, int]) -> int:
    """Returns the index of a class, `NO_LABEL` for None."""
    return NO_LABEL if label is None else label_ids[label]


def size_and_time(path: str) -> tuple[int, int]:
    """Returns the size in bytes and the modification time in ns; -1 if unreadable."""
    try:
        status = os.stat(path)
    except OSError:  # Decoding reports the reason.
        return -1, -1
    return status.st_size, status.st_mtime_ns
