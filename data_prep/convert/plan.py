"""The plan of a data set: the id, split, label and shard of every video.

A data set grows by a generation with every `--append` that finds new videos.  It never
changes earlier ones: its ids are larger, its class names come after theirs, and its
shards have higher numbers.  The plan holds the rows of all generations, so that an
interrupted conversion continues with the same videos.
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any, Sequence

from data_prep.config import ConversionConfig
from data_prep.convert.data_folder import STATE_DIR
from data_prep.convert.shard_task import ShardTask, make_tasks
from data_prep.index.video_row import VideoRow
from vie_tf.storage import files, small_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import SPLITS

PLAN_NAME = "plan.json"
_FIELDS = {
    **{"settings": "dict", "root": "str"},
    **{"generations": "list", "num_closed": "int"},
}


@dataclasses.dataclass(frozen=True)
class Generation:
    """The videos that were added to a data set at one time.

    Attributes:
      class_names: names of the classes that no earlier generation has, in the order of
        their ids.
      rows: its videos, sorted by source.
    """

    class_names: tuple[str, ...]
    rows: tuple[VideoRow, ...]


@dataclasses.dataclass(frozen=True)
class Plan:
    """The videos and the settings of a data set.

    Attributes:
      settings: settings of the conversion, as in the manifest.
      root: hash of the path of the folder of videos.
      generations: at least one, in the order of their ids.
      num_closed: number of generations that are complete, and may be in use.
    """

    settings: dict[str, Any]
    root: str
    generations: tuple[Generation, ...]
    num_closed: int = 0

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of all classes in the order of their label ids."""
        return tuple(name for one in self.generations for name in one.class_names)

    @property
    def rows(self) -> tuple[VideoRow, ...]:
        """Rows of all generations; a refused video that was repaired has two rows."""
        return tuple(row for one in self.generations for row in one.rows)

    def tasks(
        self, config: ConversionConfig
    ) -> tuple[list[ShardTask], list[ShardTask]]:
        """Returns the shards of the closed generations, and those of the others."""
        closed: list[ShardTask] = []
        others: list[ShardTask] = []
        for number, one in enumerate(self.generations):
            tasks = make_tasks(one.rows, self.class_names, config, closed + others)
            (closed if number < self.num_closed else others).extend(tasks)
        return closed, others

    def closed(self) -> Plan:
        """Returns this plan with all generations complete."""
        return dataclasses.replace(self, num_closed=len(self.generations))

    def history(self) -> list[dict[str, int]]:
        """Returns first id, and number of classes so far, of every generation.

        Before a generation, the data set had the videos with smaller ids and the class
        names of earlier generations.
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
        """Reads the plan of the data folder of `config`.

        None if there is none, or if it is damaged, which is printed.

        Raises:
          UserError: another version has written it.
        """
        path = os.path.join(config.output_dir, STATE_DIR, PLAN_NAME)
        if not files.exists(path):
            return None
        try:
            content = small_files.read_json(path)
        except small_files.DamagedFile as error:
            print(error, flush=True)
            return None
        fault = small_files.fault_of_fields(content, _FIELDS)
        try:
            if fault:
                raise ValueError(fault)
            generations = tuple(
                Generation(
                    tuple(one["class_names"]),
                    tuple(_row(config.videos, *row) for row in one["rows"]),
                )
                for one in content["generations"]
            )
            if not 0 <= content["num_closed"] <= len(generations):
                raise ValueError(f"num_closed is {content['num_closed']}")
            return cls(
                content["settings"], content["root"], generations, content["num_closed"]
            )
        except (LookupError, TypeError, ValueError) as error:
            raise UserError(
                f"{path} is damaged or of another version ({error}), so nothing can be"
                " added to its data set; choose another --output_dir."
            ) from error


def without_paths(rows: Sequence[VideoRow]) -> list[list[Any]]:
    """Returns rows as JSON, without the paths of the videos."""
    return [
        [row.id, row.source, row.label, row.split, row.start_secs, row.end_secs]
        for row in rows
    ]


def _row(
    root: str,
    video_id: int,
    source: str,
    label: str | None,
    split: str,
    start: float | None,
    end: float | None,
) -> VideoRow:
    """Returns a row that `without_paths` has written.

    Raises:
      TypeError: a value has another type.
      ValueError: it leads out of the folder of videos.
    """
    texts = (source, split) if label is None else (source, split, label)
    if type(video_id) is not int or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"the row of {source!r} has a value of another type")
    if not {type(start), type(end)} <= {int, float, type(None)}:
        raise TypeError(f"the segment of {source!r} is from {start!r} to {end!r}")
    if split not in SPLITS or ".." in source.split("/") or source.startswith("/"):
        raise ValueError(f"{source!r} is no video of the {split!r} split")
    is_segment = (start, end) != (None, None)
    name = source.rpartition("#t=")[0] if is_segment else source
    path = os.path.join(os.path.abspath(root), *name.split("/"))
    return VideoRow(path, source, label, split, start, end, video_id)
