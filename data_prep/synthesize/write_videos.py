"""Writes generated videos into a folder that `data_prep.convert` can read."""

from __future__ import annotations

import contextlib
import glob
import json
import os
from typing import Sequence

from data_prep.config import SynthesisConfig
from data_prep.synthesize.motion_world import MOTION_WORLD
from data_prep.synthesize.objects.world import OBJECTS
from data_prep.synthesize.people.world import PEOPLE
from data_prep.synthesize.world import Task, World
from data_prep.workers import worker_pool
from data_prep.workers.progress import Progress
from vie_tf.storage import files, small_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.printable import csv_text
from vie_tf.terminal.wording import counted

SETTINGS_NAME = ".synthesis.json"
WORLDS: dict[str, World] = {
    "motions": MOTION_WORLD,
    "people": PEOPLE,
    "objects": OBJECTS,
}


def synthesize(config: SynthesisConfig) -> Sequence[Task]:
    """Generates the videos, or pictures, that are missing in the folder.

    A file depends only on the seed, the settings, its class and its number, so that
    more can be added later.

    Returns:
      All files of the set.

    Raises:
      UserError: settings contradict each other, or the folder holds other files or
        cannot be written.
    """
    world = WORLDS[config.world]
    tasks = world.tasks(config)
    world.check(config)
    tables = {
        os.path.join(config.output_dir, name): rows
        for name, rows in world.tables(tasks).items()
    }
    _claim_folder(config, {task.path for task in tasks}, set(tables))
    missing = [task for task in tasks if not os.path.exists(task.path)]
    kept = len(tasks) - len(missing)
    if kept:
        print(f"Continuing: {kept} of {counted(len(tasks), world.task.unit)} finished.")
    with Progress(
        "making", total=len(tasks), already_done=kept, unit=world.task.unit
    ) as progress:
        results = worker_pool.run_tasks(
            write_file,
            missing,
            num_processes=config.num_processes,
            on_report=lambda item, state: None,
            tasks_per_process=world.files_per_process,
        )
        try:
            with contextlib.closing(results):
                for _ in results:
                    progress.advance()
        finally:
            _remove_leftovers(config.output_dir)
    for path, rows in tables.items():
        _write_table(path, rows)
    return tasks


def write_file(task: Task, report: worker_pool.Report) -> None:
    """Makes one file, which appears under its name only when it is complete.

    Raises:
      UserError: it cannot be written.
    """
    report(str(task), worker_pool.STARTED)
    folder, name = os.path.split(task.path)
    # Hidden, because it is incomplete; writers need the ending.
    temporary = os.path.join(folder, f".{os.getpid()}.{name}")
    try:
        task.write(temporary)
        os.replace(temporary, task.path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


def _write_table(path: str, rows: list[list[str]]) -> None:
    with files.full_disk_errors(os.path.dirname(path)):
        files.write_atomically(path, csv_text(rows))


def _claim_folder(config: SynthesisConfig, wanted: set[str], tables: set[str]) -> None:
    """Makes the folder, or checks that it holds only files of this set."""
    names = WORLDS[config.world].settings
    settings = {name: getattr(config, name) for name in names}
    if (version := WORLDS[config.world].version) > 1:
        settings["version"] = version
    path = os.path.join(config.output_dir, SETTINGS_NAME)
    if os.path.exists(path):
        advice = "Remove it, or choose another --output_dir."
        old = small_files.read_json(path, advice)
        if old != settings:
            raise UserError(
                f"{config.output_dir!r} holds files of other settings ({old}, now"
                f" {settings}); choose another --output_dir."
            )
    # A command that was killed may have left an unfinished table.
    own = tables | {f"{table}.tmp" for table in tables}
    present = {
        os.path.join(folder, name)
        for folder, _, names in os.walk(config.output_dir)
        for name in names
        if not name.startswith(".")
    }
    if others := sorted(present - wanted - own):
        raise UserError(
            f"{config.output_dir!r} holds"
            f" {counted(len(others), 'file')} of something else, such as"
            f" {others[0]!r}; choose another --output_dir."
        )
    try:
        for folder in {os.path.dirname(video) for video in wanted}:
            os.makedirs(folder, exist_ok=True)
        with open(f"{path}.tmp", "w") as file:
            json.dump(settings, file)
        os.replace(f"{path}.tmp", path)
    except OSError as error:
        raise UserError(
            f"{config.output_dir!r} cannot be written ({error.strerror}); choose"
            " another --output_dir."
        ) from error


def _remove_leftovers(output_dir: str) -> None:
    """Removes unfinished files of stopped workers, of this run and of others."""
    for path in glob.glob(os.path.join(glob.escape(output_dir), "*", ".*.*")):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
