"""Generated videos whose class is a motion.

Comes in: the configuration.  Goes out: a folder of .mp4 files that
`data_prep.convert` takes like any other.  The appearance changes at every cut of a
video and says nothing about its class; only the motion stays.
"""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import json
import math
import os
from typing import Iterator

import numpy as np

from data_prep.config import SynthesisConfig
from data_prep.decode.opencv import cv2
from data_prep.synthesize.motions import MOTIONS, ZOOM_LOG, Draw
from data_prep.synthesize.textures import random_texture, texture_side
from data_prep.workers import worker_pool
from data_prep.workers.progress import Progress

FPS = 25
SETTINGS_NAME = ".synthesis.json"

# Of the textures about their own size, as the logarithm of the factor.
_SCALE_LOG = 0.25
# A zoom through a longer scene would end in blur or in a repeating pattern.
_LONGEST_SCENE_SECS = 1.5


@dataclasses.dataclass(frozen=True)
class VideoTask:
    """One video to be made.

    Attributes:
      motion: its class, a key of `MOTIONS`.
      number: within the class.
      config: of the whole set.
    """

    motion: str
    number: int
    config: SynthesisConfig

    def __str__(self) -> str:
        return f"the video {self.path}"

    @property
    def path(self) -> str:
        """Where the video goes."""
        name = f"{self.motion}_{self.number:05d}.mp4"
        return os.path.join(self.config.output_dir, self.motion, name)


def synthesize(config: SynthesisConfig) -> list[VideoTask]:
    """Makes the videos that are not there yet.

    A video depends on nothing but the seed, the settings, its class and its number,
    so that more can be asked for later.

    Args:
      config: what to make.

    Returns:
      All videos of the set.

    Raises:
      ValueError: settings that do not go together, or a folder that holds other
        videos.
      OSError: the videos cannot be written.
    """
    _check(config)
    tasks = _tasks(config)
    _claim_folder(config, {task.path for task in tasks})
    missing = [task for task in tasks if not os.path.exists(task.path)]
    kept = len(tasks) - len(missing)
    if kept:
        print(f"Keeping {kept} of {len(tasks)} videos that are there already.")
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
    """Writes one video, which appears under its name only when it is whole.

    Raises:
      OSError: it cannot be written.
    """
    report(task.path, worker_pool.STARTED)
    folder, name = os.path.split(task.path)
    # Hidden, so that nobody takes it for whole; the writer wants the ending .mp4.
    temporary = os.path.join(folder, f".{os.getpid()}.{name}")
    try:
        # Every frame by itself: codecs that predict frames from others leave traces
        # by which a single frame tells how it moved (43% right with mp4v, among 8
        # classes, by the spectrum alone).
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
        # The writer says nothing of a full disk.
        if _num_frames_in(temporary) != num_frames(task.config):
            raise OSError(
                f"The video {task.path!r} cannot be written: is the disk full? Videos"
                " that are whole are kept; run the same command again."
            )
        os.replace(temporary, task.path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


def render(task: VideoTask) -> Iterator[np.ndarray]:
    """Yields the frames of a video.

    Cuts come every `seconds / scenes` seconds, the first at a random time: so no
    frame number is always at the start of a zoom, whose scale would give it away.

    Yields:
      [H, W, 3] uint8 BGR.
    """
    config = task.config
    classes = list(MOTIONS)
    rng = np.random.default_rng([config.seed, classes.index(task.motion), task.number])
    width, height = frame_size(config)
    pixel = config.size / 96
    move = MOTIONS[task.motion]
    draw = Draw.random(rng, pixel)
    centerd = _square(np.array([[1, 0, -width / 2], [0, 1, -height / 2]]))
    scene_frames = num_frames(config) / config.scenes
    scene_start = -rng.uniform(0, scene_frames)
    scene = None
    for frame in range(num_frames(config)):
        if scene is None or frame >= scene_start + scene_frames:
            if scene is not None:
                scene_start += scene_frames
            scene = random_texture(rng, texture_side(config.size), pixel)
            lie = random_lie(task.motion, rng, scene_frames, scene.shape[0])
            # The motion goes on through the cut; only the picture that it moves is
            # laid down anew, with the middle of the scene as its resting place.
            middle = _square(move(draw, scene_start + scene_frames / 2))
        # From a pixel, counted from the center, back along the motion to the middle
        # of the scene, and to the place in the texture.  OpenCV inverts 2x3 matrices
        # without starting the threads of numpy.linalg.
        back = middle @ _square(cv2.invertAffineTransform(move(draw, frame)))
        lookup = (lie @ back @ centerd)[:2]
        yield cv2.warpAffine(
            scene,
            lookup,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_WRAP,
        )


def frame_size(config: SynthesisConfig) -> tuple[int, int]:
    """Returns width and height in pixels: 4:3, and even as the codec needs it."""
    return 2 * round(config.size * 2 / 3), config.size


def num_frames(config: SynthesisConfig) -> int:
    """Returns the number of frames of a video."""
    return round(config.seconds * FPS)


def random_lie(
    motion: str, rng: np.random.Generator, scene_frames: float, side: int
) -> np.ndarray:
    """Draws how a texture lies in the frame: [3, 3], frame to texture.

    The scale has the same distribution in all classes at any single moment: where
    the motion does not zoom, it is that of a random moment of a zoom.
    """
    log_scale = rng.uniform(-_SCALE_LOG, _SCALE_LOG)
    zoomed = rng.uniform(*ZOOM_LOG) * scene_frames * rng.uniform(-0.5, 0.5)
    if not motion.startswith("zoom"):
        log_scale += zoomed
    angle = rng.uniform(0, 2 * math.pi)
    cos, sin = math.cos(angle), math.sin(angle)
    lie = math.exp(-log_scale) * np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
    lie[:, 2] = rng.uniform(0, side, size=2)
    return _square(lie)


def _square(affine: np.ndarray) -> np.ndarray:
    return np.vstack([affine, [0.0, 0.0, 1.0]])  # [3, 3]


def _tasks(config: SynthesisConfig) -> list[VideoTask]:
    """All videos, number by number, so that a stopped run has some of each class."""
    classes = list(MOTIONS)[: config.num_classes]
    return [
        VideoTask(classes[index % len(classes)], index // len(classes), config)
        for index in range(config.num_videos)
    ]


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """Keeps two lines of C code back: that MJPG gets the tag mp4v in .mp4 files."""
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
        raise ValueError(
            f"num_classes={config.num_classes} must lie in 1 to {len(MOTIONS)}, the"
            f" number of motions: {', '.join(MOTIONS)}."
        )
    if config.num_videos < config.num_classes:
        raise ValueError(
            f"num_videos={config.num_videos} must be at least"
            f" num_classes={config.num_classes}, for one of each."
        )
    if config.size % 2 or config.size < 32:
        raise ValueError(f"size={config.size} must be even and at least 32 pixels.")
    if config.seconds / config.scenes > _LONGEST_SCENE_SECS:
        least = math.ceil(config.seconds / _LONGEST_SCENE_SECS)
        raise ValueError(
            f"seconds={config.seconds:g} in scenes={config.scenes} gives scenes of more"
            f" than {_LONGEST_SCENE_SECS} s, too long for a zoom; use scenes={least}."
        )


def _claim_folder(config: SynthesisConfig, wanted: set[str]) -> None:
    """Makes the folder, or checks that it holds nothing but videos of this set."""
    settings = {
        name: getattr(config, name) for name in ("size", "seconds", "scenes", "seed")
    }
    path = os.path.join(config.output_dir, SETTINGS_NAME)
    if os.path.exists(path):
        with open(path) as file:
            old = json.load(file)
        if old != settings:
            raise ValueError(
                f"{config.output_dir!r} holds videos of other settings ({old}, now"
                f" {settings}); choose another --output_dir."
            )
    present = {
        os.path.join(folder, name)
        for folder, _, names in os.walk(config.output_dir)
        for name in names
        if not name.startswith(".")
    }
    if strangers := sorted(present - wanted):
        raise ValueError(
            f"{config.output_dir!r} holds {len(strangers)} files that are not of this"
            f" set, such as {strangers[0]!r}; choose another --output_dir."
        )
    for folder in {os.path.dirname(video) for video in wanted}:
        os.makedirs(folder, exist_ok=True)
    with open(f"{path}.tmp", "w") as file:
        json.dump(settings, file)
    os.replace(f"{path}.tmp", path)


def _remove_leftovers(output_dir: str) -> None:
    """Removes the unfinished files of stopped workers, of this run and of others."""
    for path in glob.glob(os.path.join(glob.escape(output_dir), "*", ".*.mp4")):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
