"""Rows -> shard tasks: which video goes to which shard.

Comes in: the rows of `index_videos`.  Goes out: the tasks that `write_shards` does,
each of which stands for itself.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Sequence

from data_prep import index_videos
from data_prep.config import ConversionConfig
from data_prep.shard_state import hash_of
from vie_tf import records

# To be raised when the same rows and settings no longer give the same shards.
_FORMAT_VERSION = 1


@dataclasses.dataclass(frozen=True)
class FrameSettings:
    """The settings that decide what is in a record; see `ConversionConfig`."""

    fps: float
    shortest_side: int
    jpeg_quality: int
    min_frames: int


@dataclasses.dataclass(frozen=True)
class ShardTask:
    """One shard to be written.

    Attributes:
      name: its file name.
      data_dir: local folder that it goes to.
      rows: its videos, all of one split, in their order in the shard.
      labels: index of the class of each row, or `NO_LABEL`.
      settings: of the frames.
    """

    name: str
    data_dir: str
    rows: tuple[index_videos.Row, ...]
    labels: tuple[int, ...]
    settings: FrameSettings

    def __str__(self) -> str:
        return f"the shard {self.name}"

    def key(self) -> str:
        """Returns the hash of everything that the shard depends on.

        The contents of the videos are stood for by size and time of change.
        """
        videos = [
            (row.id, row.source, row.split, label, *_size_and_time(row.path))
            for row, label in zip(self.rows, self.labels)
        ]
        versions = [_FORMAT_VERSION, records.SCHEMA_VERSION]
        return hash_of([versions, dataclasses.asdict(self.settings), videos])


def plan_shards(
    rows: Sequence[index_videos.Row],
    class_names: Sequence[str],
    config: ConversionConfig,
) -> list[ShardTask]:
    """Returns the shards of a data set, each of one split, in the order of the ids.

    Args:
      rows: all videos.
      class_names: of all splits, sorted; empty without labels.
      config: as for `convert`.
    """
    settings = FrameSettings(
        fps=config.fps,
        shortest_side=config.shortest_side,
        jpeg_quality=config.jpeg_quality,
        min_frames=config.min_frames,
    )
    label_ids = {name: index for index, name in enumerate(class_names)}
    tasks = []
    for split in (records.TRAIN_SPLIT, records.VAL_SPLIT):
        members = sorted((r for r in rows if r.split == split), key=lambda row: row.id)
        for number, start in enumerate(range(0, len(members), config.videos_per_shard)):
            chosen = tuple(members[start : start + config.videos_per_shard])
            tasks.append(
                ShardTask(
                    name=f"{split}-{number:05d}.tfrecord",
                    data_dir=config.output_dir,
                    rows=chosen,
                    labels=tuple(
                        records.NO_LABEL if row.label is None else label_ids[row.label]
                        for row in chosen
                    ),
                    settings=settings,
                )
            )
    return tasks


def _size_and_time(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:  # Decoding will say what is wrong with it.
        return -1, -1
    return status.st_size, status.st_mtime_ns
