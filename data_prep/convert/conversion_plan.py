"""The plan of a data set: every id, split, label and shard in it.

`plan_conversion` makes it; `write_shards` does its tasks.

A data set grows in generations: the first conversion, and one for each `--append`
that found new videos.  A generation never changes what was there: its ids lie above
all that were ever given, its class names come behind the earlier ones, its shards are
numbered on.  The plan holds the rows of all of them, so that a killed run goes on
with just the videos that it began with.
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any, Sequence

from data_prep.config import ConversionConfig
from data_prep.convert import storage
from data_prep.convert.shard_state import PLAN_NAME, STATE_DIR
from data_prep.convert.shard_tasks import ShardTask, plan_shards
from data_prep.index.found_video import Row
from vie_tf.storage import files


@dataclasses.dataclass(frozen=True)
class Generation:
    """What was added to a data set at one time.

    Attributes:
      class_names: those that no earlier generation has, sorted.
      rows: its videos, sorted by source.
    """

    class_names: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a data folder is made from and how.

    Attributes:
      settings: as in the manifest.
      root: hash of the place of the source folder.
      generations: at least one, in the order of their ids.
      num_closed: how many of them are complete, and may be in use.
    """

    settings: dict[str, Any]
    root: str
    generations: tuple[Generation, ...]
    num_closed: int = 0

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of all classes in the order of their label ids."""
        return tuple(n for one in self.generations for n in one.class_names)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all generations.

        A source is there twice if it was refused and then mended.
        """
        return tuple(row for one in self.generations for row in one.rows)

    def tasks(
        self, config: ConversionConfig
    ) -> tuple[list[ShardTask], list[ShardTask]]:
        """Returns the shards of the closed generations, and those of the others."""
        closed: list[ShardTask] = []
        others: list[ShardTask] = []
        for number, one in enumerate(self.generations):
            earlier = closed + others
            tasks = plan_shards(one.rows, self.class_names, config, earlier)
            (closed if number < self.num_closed else others).extend(tasks)
        return closed, others

    def closed(self) -> Plan:
        """Returns this plan with all generations complete."""
        return dataclasses.replace(self, num_closed=len(self.generations))

    def history(self) -> list[dict[str, int]]:
        """Returns, for every generation, its first id and the classes up to it.

        With these, the data set as it was before a generation can be told from the
        manifest: the videos with smaller ids, and so many of the class names.
        """
        counts = [len(one.class_names) for one in self.generations]
        return [
            {
                "first_id": min(row.id for row in one.rows),
                "num_classes": sum(counts[: number + 1]),
            }
            for number, one in enumerate(self.generations)
        ]

    def save(self, data_dir: str) -> None:
        """Makes this the plan of a data folder."""
        content = {
            "settings": self.settings,
            "root": self.root,
            "num_closed": self.num_closed,
            "generations": [
                {"class_names": one.class_names, "rows": without_paths(one.rows)}
                for one in self.generations
            ],
        }
        files.write_atomically(
            os.path.join(data_dir, STATE_DIR, PLAN_NAME), json.dumps(content) + "\n"
        )

    @classmethod
    def load(cls, config: ConversionConfig) -> Plan | None:
        """Reads the plan of the data folder of `config`; None if there is none."""
        try:
            path = os.path.join(config.output_dir, STATE_DIR, PLAN_NAME)
            content = json.loads(storage.read_text(path))
            return cls(
                settings=content["settings"],
                root=content["root"],
                num_closed=content["num_closed"],
                generations=tuple(
                    Generation(
                        class_names=tuple(one["class_names"]),
                        rows=_with_paths(one["rows"], config.videos),
                    )
                    for one in content["generations"]
                ),
            )
        # Half-written at a power cut, or by another version.
        except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
            return None


def without_paths(rows: Sequence[Row]) -> list[list[Any]]:
    """Returns all of the rows but the place that the videos lie at, as for JSON."""
    return [
        [row.id, row.source, row.label, row.split, row.start_secs, row.end_secs]
        for row in rows
    ]


def _with_paths(rows: Sequence[Sequence[Any]], root: str) -> tuple[Row, ...]:
    return tuple(
        Row(
            id=video_id,
            path=_path(root, source, is_segment=(start, end) != (None, None)),
            source=source,
            label=label,
            split=split,
            start_secs=start,
            end_secs=end,
        )
        for video_id, source, label, split, start, end in rows
    )


def _path(root: str, source: str, is_segment: bool) -> str:
    if is_segment:
        source = source.rpartition("#t=")[0]
    return os.path.join(os.path.abspath(root), *source.split("/"))
