"""What every world says of itself, so that one program can write all of them."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Callable, Protocol, Sequence

from data_prep.config import SynthesisConfig
from vie_tf.storage.errors import UserError


class Task(Protocol):
    """A file to be made; can be pickled, and names itself in messages by `str`."""

    @property
    def path(self) -> str:
        """Path of the file, in the folder of its class."""

    def write(self, path: str) -> None:
        """Makes the file, under another name.

        Raises:
          UserError: it cannot be written.
        """


@dataclasses.dataclass(frozen=True)
class World:
    """A kind of generated data.

    Attributes:
      classes: names of the classes in the order in which they are taken.
      num_classes: number of classes by default.
      task: returns the task of a class and a number within it.
      settings: names of the settings that change the contents of files.
      check: raises UserError if further settings contradict each other.
      tables: returns the names of further files of a set of tasks, with their rows.
      version: number that changes whenever the same settings make other files.
      unit: what a file is: video or picture.
      kind: what a class is: motion, action, or object.
    """

    classes: Sequence[str]
    num_classes: int
    task: Callable[[SynthesisConfig, str, int], Task]
    settings: tuple[str, ...]
    check: Callable[[SynthesisConfig], None]
    tables: Callable[[Sequence[Any]], dict[str, list[list[str]]]]
    unit: str
    kind: str
    version: int = 1

    def classes_of(self, config: SynthesisConfig) -> Sequence[str]:
        """Returns the classes that are asked for.

        Raises:
          UserError: there are not as many, or not a file for each, or files cannot
            have that size.
        """
        if config.size % 2 or config.size < 32:
            raise UserError(
                f"--size={config.size} must be even and at least 32 pixels."
            )
        number = config.num_classes or self.num_classes
        if number > len(self.classes):
            raise UserError(
                f"--num_classes={number} must lie in 1 to {len(self.classes)}, the"
                f" number of {self.kind}s: {', '.join(self.classes)}."
            )
        if config.num_videos < number:
            raise UserError(
                f"--num_videos={config.num_videos} must be at least"
                f" --num_classes={number}, for one of each."
            )
        return self.classes[:number]

    def tasks(self, config: SynthesisConfig) -> list[Task]:
        """Returns all files of a set; the classes take turns."""
        classes = self.classes_of(config)
        return [
            self.task(config, classes[index % len(classes)], index // len(classes))
            for index in range(config.num_videos)
        ]


def no_tables(tasks: Sequence[Any]) -> dict[str, list[list[str]]]:
    """Returns the tables of a world that has none."""
    return {}


def frame_size(config: SynthesisConfig) -> tuple[int, int]:
    """Returns width and height in pixels: 4:3, and even for the codec."""
    return 2 * round(config.size * 2 / 3), config.size


def relative(task: Task) -> str:
    """Returns the path of a file within the set, with `/`."""
    folder, name = os.path.split(task.path)
    return f"{os.path.basename(folder)}/{name}"
