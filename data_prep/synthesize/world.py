"""What every world says of itself, so that one program can write all of them."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Callable, ClassVar, Sequence

from data_prep.config import SynthesisConfig
from vie_tf.storage.errors import UserError


@dataclasses.dataclass(frozen=True)
class Task:
    """A file to be made; can be pickled, and names itself in messages by `str`.

    Attributes:
      config: settings of all files.
      label: its class.
      number: its number within the class.
      unit: what it is, video or picture.
    """

    config: SynthesisConfig
    label: str
    number: int
    unit: ClassVar[str] = "video"

    def __str__(self) -> str:
        return f"the {self.unit} {self.path}"

    @property
    def name(self) -> str:
        """Name of the file in the folder of its class."""
        raise NotImplementedError

    @property
    def path(self) -> str:
        """Path of the file."""
        return os.path.join(self.config.output_dir, self.label, self.name)

    @property
    def relative_path(self) -> str:
        """Path of the file within the set, with `/`."""
        return f"{self.label}/{self.name}"

    def write(self, path: str) -> None:
        """Makes the file, under another name.

        Raises:
          UserError: it cannot be written.
        """
        raise NotImplementedError


def no_tables(tasks: Sequence[Any]) -> dict[str, list[list[str]]]:
    """Returns the tables of a world that has none."""
    return {}


@dataclasses.dataclass(frozen=True)
class World:
    """A kind of generated data.

    Attributes:
      classes: names of the classes in the order in which they are taken.
      num_classes: number of classes by default.
      task: makes a file.
      settings: names of the settings that change the contents of files.
      kind: what a class is: motion, action, or object.
      check: raises UserError if further settings contradict each other.
      tables: returns the names of further files of a set of tasks, with their rows.
      files_per_process: files after which a process makes place for a new one, where a
        library keeps the memory of each; 0 where none does.
      version: number that changes whenever the same settings make other files.
    """

    classes: Sequence[str]
    num_classes: int
    task: type[Task]
    settings: tuple[str, ...]
    kind: str
    check: Callable[[SynthesisConfig], None]
    tables: Callable[[Sequence[Any]], dict[str, list[list[str]]]] = no_tables
    files_per_process: int = 0
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


def frame_size(config: SynthesisConfig) -> tuple[int, int]:
    """Returns width and height in pixels: 4:3, and even for the codec."""
    return 2 * round(config.size * 2 / 3), config.size
