"""The world of people: its videos, and the tables that say what is in them."""

from __future__ import annotations

from typing import Sequence

from data_prep.config import SynthesisConfig
from data_prep.synthesize import video_file
from data_prep.synthesize.people import plan, renderer
from data_prep.synthesize.rendering import pybullet_session
from data_prep.synthesize.world import Task, World, frame_size


class PeopleTask(Task):
    """A video of people that is to be made; its class is one of `plan.ACTIONS`."""

    @property
    def name(self) -> str:
        """Name of the file in the folder of its class."""
        return f"{self.number:05d}.mp4"

    @property
    def plan(self) -> plan.VideoPlan:
        """What the video shows."""
        frames = num_frames(self.config)
        return plan.draw(self.config.seed, self.label, self.number, frames)

    def write(self, path: str) -> None:
        """Renders the video into a file.

        Raises:
          UserError: it cannot be written.
        """
        size = frame_size(self.config)
        frames = renderer.render(self.plan, num_frames(self.config), size)
        video_file.write(path, frames, plan.FPS, size)


def num_frames(config: SynthesisConfig) -> int:
    """Returns the number of frames of a video."""
    return max(2, round(config.seconds * plan.FPS))


def _tables(tasks: Sequence[PeopleTask]) -> dict[str, list[list[str]]]:
    """Returns `world.csv` with all that is known, and lists with other labels.

    Each can be the --list of data_prep.convert.  All have the same splits, so that
    results for actions, scenes and persons are of the same videos.
    """
    world = [
        "file action scene second_scene person camera second_camera passers_by"
        " mirrored speed split".split()
    ]
    by_scene, by_person = [["file", "label", "split"]], [["file", "label", "split"]]
    for task in tasks:
        video, file = task.plan, task.relative_path
        first, *second = video.shots
        row = [file, video.action, first.scene]
        row += [second[0].scene if second else "", video.person, first.camera]
        row += [second[0].camera if second else "", str(len(video.passers))]
        world.append([*row, f"{video.mirrored:d}", f"{video.speed:.3f}", video.split])
        by_scene.append([file, first.scene, video.split])
        by_person.append([file, video.person, video.split])
    return {"world.csv": world, "scenes.csv": by_scene, "persons.csv": by_person}


def _check(config: SynthesisConfig) -> None:
    pybullet_session.load()


PEOPLE = World(
    classes=plan.ACTIONS,
    num_classes=len(plan.ACTIONS),
    task=PeopleTask,
    settings=("world", "size", "seconds", "seed"),
    kind="action",
    check=_check,
    tables=_tables,
    files_per_process=pybullet_session.FILES_PER_PROCESS,
    version=2,
)
