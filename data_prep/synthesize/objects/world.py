"""The world of objects: its pictures."""

from __future__ import annotations

from typing import Sequence

from data_prep.config import SynthesisConfig
from data_prep.decode.opencv import cv2
from data_prep.synthesize.objects import plan, renderer
from data_prep.synthesize.rendering import pybullet_session
from data_prep.synthesize.world import Task, World, frame_size
from vie_tf.storage.errors import UserError


class ObjectTask(Task):
    """A picture of an object, an item of `plan.OBJECTS`, that is to be made."""

    unit = "picture"

    @property
    def name(self) -> str:
        """Name of the file in the folder of its class."""
        return f"{self.number:03d}.png"

    @property
    def plan(self) -> plan.PicturePlan:
        """What the picture shows."""
        number = plan.OBJECTS.index(self.label)
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
    rows += [[task.relative_path, task.label, task.plan.scene] for task in tasks]
    return {"world.csv": rows}


def _check(config: SynthesisConfig) -> None:
    pybullet_session.load()


OBJECTS = World(
    classes=plan.OBJECTS,
    num_classes=len(plan.OBJECTS),
    task=ObjectTask,
    settings=("world", "size", "seed"),
    kind="object",
    version=2,
    check=_check,
    tables=_tables,
    files_per_process=pybullet_session.FILES_PER_PROCESS,
)
