"""The world of objects: its pictures."""

from __future__ import annotations

import dataclasses
import os
from typing import Sequence

from data_prep.config import SynthesisConfig
from data_prep.decode.opencv import cv2
from data_prep.synthesize.objects import plan, renderer
from data_prep.synthesize.rendering import pybullet_session
from data_prep.synthesize.world import World, frame_size, relative
from vie_tf.storage.errors import UserError


@dataclasses.dataclass(frozen=True)
class ObjectTask:
    """A picture of an object that is to be made.

    Attributes:
      name: its class, an item of `plan.OBJECTS`.
      number: its number within the class.
      config: settings of all pictures.
    """

    name: str
    number: int
    config: SynthesisConfig

    def __str__(self) -> str:
        return f"the picture {self.path}"

    @property
    def path(self) -> str:
        """Path of the picture."""
        return os.path.join(self.config.output_dir, self.name, f"{self.number:03d}.png")

    @property
    def plan(self) -> plan.PicturePlan:
        """What the picture shows."""
        number = plan.OBJECTS.index(self.name)
        return plan.draw(self.config.seed, number, self.number)

    def write(self, path: str) -> None:
        """Renders the picture into a file.

        Raises:
          UserError: it cannot be written.
        """
        picture = renderer.render(self.plan, frame_size(self.config))
        if not cv2.imwrite(path, picture):
            raise UserError(
                f"The picture {path!r} cannot be written: is the disk full? Finished"
                " pictures are kept; run the same command again."
            )


def _tables(tasks: Sequence[ObjectTask]) -> dict[str, list[list[str]]]:
    """Returns `world.csv`: which object and scene each picture shows."""
    rows = [["file", "object", "scene"]]
    rows += [[relative(task), task.name, task.plan.scene] for task in tasks]
    return {"world.csv": rows}


def _check(config: SynthesisConfig) -> None:
    pybullet_session.load()


def _task(config: SynthesisConfig, name: str, number: int) -> ObjectTask:
    return ObjectTask(name, number, config)


OBJECTS = World(
    classes=plan.OBJECTS,
    num_classes=len(plan.OBJECTS),
    task=_task,
    settings=("world", "size", "seed"),
    check=_check,
    tables=_tables,
    unit="picture",
    kind="object",
)
