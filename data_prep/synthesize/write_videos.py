"""Writes generated videos into a folder that `data_prep.convert` can read."""

from __future__ import annotations

import contextlib
import glob
import json
import math
import os
from typing import Iterator

from data_prep.config import SynthesisConfig
from data_prep.decode.opencv import cv2
from data_prep.synthesize.motions import MOTIONS
from data_prep.synthesize.render import (
    FPS,
    VideoTask,
    frame_size,
    num_frames,
    render,
)
from data_prep.workers import worker_pool
from data_prep.workers.progress import Progress
from vie_tf.storage import small_files
from vie_tf.storage.errors import UserError
from vie_tf.terminal.wording import counted

SETTINGS_NAME = ".synthesis.json"

# A longer zoom would end in blur or in a repeating pattern.
_LONGEST_SCENE_SECS = 1.5


def synthesize(config: SynthesisConfig) -> list[VideoTask]:
    """Generates the videos that are missing in the folder.

    A video depends only on the seed, the settings, its class and its number, so that
    more videos can be added later.

    Returns:
      All videos of the set.

    Raises:
      UserError: settings contradict each other, or the folder holds other videos or
        cannot be written.
    """
    _check(config)
    tasks = _tasks(config)
    _claim_folder(config, {task.path for task in tasks})
    missing = [task for task in tasks if not os.path.exists(task.path)]
    kept = len(tasks) - len(missing)
    if kept:
        print(f"Continuing: {kept} of {counted(len(tasks), 'video')} finished.")
    with Progress("making", total=len(tasks), already_done=kept) as progress:
        results = worker_pool.run_tasks(
            write_video,
            missing,
            num_processes=config.num_processes,
            on_report=lambda item, state: None,
        )
        try:
            with contextlib.closing(results):
                for _ in results:
                    progress.advance()
        finally:
            _remove_leftovers(config.output_dir)
    return tasks


def write_video(task: VideoTask, report: worker_pool.Report) -> None:
    """Writes one video, which appears under its name only when it is complete.

    Raises:
      UserError: it cannot be written.
    """
    report(task.path, worker_pool.STARTED)
    folder, name = os.path.split(task.path)
    # Hidden, because it is incomplete; the writer needs the extension .mp4.
    temporary = os.path.join(folder, f".{os.getpid()}.{name}")
    try:
        # Every frame is encoded independently: codecs that predict frames from others
        # leave traces of the motion in single frames (with mp4v, the spectrum alone
        # classifies 43% correctly among 8 classes).
        with _silent_stderr():
            writer = cv2.VideoWriter(
                temporary,
                cv2.CAP_FFMPEG,
                cv2.VideoWriter.fourcc(*"MJPG"),
                FPS,
                frame_size(task.config),
            )
        for frame in render(task):
            writer.write(frame)
        writer.release()
        # The writer does not report a full disk.
        if _num_frames_in(temporary) != num_frames(task.config):
            raise UserError(
                f"The video {task.path!r} cannot be written: is the disk full? Finished"
                " videos are kept; run the same command again."
            )
        os.replace(temporary, task.path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


def _tasks(config: SynthesisConfig) -> list[VideoTask]:
    """Returns all videos; the classes take turns."""
    classes = list(MOTIONS)[: config.num_classes]
    return [
        VideoTask(classes[index % len(classes)], index // len(classes), config)
        for index in range(config.num_videos)
    ]


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """Hides a warning of C code: that MJPG gets the tag mp4v in .mp4 files."""
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def _num_frames_in(path: str) -> int:
    one_thread = [cv2.CAP_PROP_N_THREADS, 1]
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, one_thread)
    count = 0
    while capture.grab():
        count += 1
    capture.release()
    return count


def _check(config: SynthesisConfig) -> None:
    if not 1 <= config.num_classes <= len(MOTIONS):
        raise UserError(
            f"--num_classes={config.num_classes} must lie in 1 to {len(MOTIONS)}, the"
            f" number of motions: {', '.join(MOTIONS)}."
        )
    if config.num_videos < config.num_classes:
        raise UserError(
            f"--num_videos={config.num_videos} must be at least"
            f" --num_classes={config.num_classes}, for one of each."
        )
    if config.size % 2 or config.size < 32:
        raise UserError(f"--size={config.size} must be even and at least 32 pixels.")
    if config.seconds / config.scenes > _LONGEST_SCENE_SECS:
        least = math.ceil(config.seconds / _LONGEST_SCENE_SECS)
        raise UserError(
            f"--seconds={config.seconds:g} in --scenes={config.scenes} gives scenes of"
            f" more than {_LONGEST_SCENE_SECS} s, too long for a zoom; use"
            f" --scenes={least}."
        )


def _claim_folder(config: SynthesisConfig, wanted: set[str]) -> None:
    """Makes the folder, or checks that it holds only videos of this set."""
    settings = {
        name: getattr(config, name) for name in ("size", "seconds", "scenes", "seed")
    }
    path = os.path.join(config.output_dir, SETTINGS_NAME)
    if os.path.exists(path):
        advice = "Remove it, or choose another --output_dir."
        old = small_files.read_json(path, advice)
        if old != settings:
            raise UserError(
                f"{config.output_dir!r} holds videos of other settings ({old}, now"
                f" {settings}); choose another --output_dir."
            )
    present = {
        os.path.join(folder, name)
        for folder, _, names in os.walk(config.output_dir)
        for name in names
        if not name.startswith(".")
    }
    if others := sorted(present - wanted):
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
    for path in glob.glob(os.path.join(glob.escape(output_dir), "*", ".*.mp4")):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
