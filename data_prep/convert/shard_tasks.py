"""Rows -> shard tasks: which video goes to which shard.

Comes in: the rows of `index_videos`.  Goes out: the tasks that `write_shards` does,
each of which stands for itself.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import os
from typing import Sequence

from data_prep.config import ConversionConfig, FrameSettings
from data_prep.convert.shard_state import hash_of
from data_prep.index.found_video import Row
from vie_tf.storage.manifest import NO_LABEL, SCHEMA_VERSION, SPLITS

# To be raised when the same rows and settings no longer give the same shards.
_FORMAT_VERSION = 2


@dataclasses.dataclass(frozen=True)
class ShardTask:
    """One shard to be written.

    Attributes:
      name: its file name.
      data_dir: folder that it goes to.
      rows: its videos, all of one split, in their order in the shard.
      labels: index of the class of each row, or `NO_LABEL`.
      settings: of the frames.
      rejected: sources of the videos that are not even opened, because they have ended
        a worker, each with the reason for its refusal.  Not known beforehand, and so
        no part of the key.
    """

    name: str
    data_dir: str
    rows: tuple[Row, ...]
    labels: tuple[int, ...]
    settings: FrameSettings
    rejected: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"the shard {self.name}"

    def key(self) -> str:
        """Returns the hash of everything that the shard depends on.

        The contents of the videos are stood for by size and time of change.
        """
        videos = [
            (
                *(row.id, row.source, row.split, label),
                *(row.start_secs, row.end_secs, *size_and_time(row.path)),
            )
            for row, label in zip(self.rows, self.labels)
        ]
        versions = [_FORMAT_VERSION, SCHEMA_VERSION]
        return hash_of([versions, dataclasses.asdict(self.settings), videos])

    def without(self, source: str, reason: str) -> ShardTask:
        """Returns this task with one video refused in advance."""
        return dataclasses.replace(self, rejected=(*self.rejected, (source, reason)))

    def to_json(self) -> str:
        """Returns the task as a text, for workers elsewhere."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ShardTask:
        """Reads what `to_json` has written."""
        content = json.loads(text)
        return cls(
            name=content["name"],
            data_dir=content["data_dir"],
            rows=tuple(Row(**row) for row in content["rows"]),
            labels=tuple(content["labels"]),
            settings=FrameSettings(**content["settings"]),
            rejected=tuple((source, reason) for source, reason in content["rejected"]),
        )


def plan_shards(
    rows: Sequence[Row],
    class_names: Sequence[str],
    config: ConversionConfig,
    earlier: Sequence[ShardTask] = (),
) -> list[ShardTask]:
    """Returns the shards of a data set, each of one split, in the order of the ids.

    Args:
      rows: all videos, or those that are added.
      class_names: of all splits, in the order of the label ids; empty without labels.
      config: as for `convert`.
      earlier: the shards that there are already; the numbers go on from theirs.
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
            tasks.append(
                ShardTask(
                    name=f"{split}-{number:05d}.tfrecord",
                    data_dir=config.output_dir,
                    rows=chosen,
                    labels=tuple(
                        NO_LABEL if row.label is None else label_ids[row.label]
                        for row in chosen
                    ),
                    settings=settings,
                )
            )
    return tasks


def size_and_time(path: str) -> tuple[int, int]:
    """Returns what tells that a file was changed: bytes and nanoseconds; -1 if none."""
    try:
        status = os.stat(path)
    except OSError:  # Decoding will say what is wrong with it.
        return -1, -1
    return status.st_size, status.st_mtime_ns
