"""Renders a video whose class is a motion.

The appearance changes at every cut and is independent of the class, unlike the motion.
"""

from __future__ import annotations

import math
from typing import Iterator

import numpy as np

from data_prep.config import SynthesisConfig
from data_prep.decode.opencv import cv2
from data_prep.synthesize import video_file
from data_prep.synthesize.motions import MOTIONS, ZOOM_LOG, Draw
from data_prep.synthesize.textures import random_texture, texture_side
from data_prep.synthesize.world import Task, frame_size

FPS = 25
# Range of the scale of the textures, as a logarithm.
_SCALE_LOG = 0.25


class VideoTask(Task):
    """A video to be generated; its class is a key of `MOTIONS`."""

    @property
    def name(self) -> str:
        """Name of the file in the folder of its class."""
        return f"{self.label}_{self.number:05d}.mp4"

    def write(self, path: str) -> None:
        """Renders the video into a file.

        Raises:
          UserError: it cannot be written.
        """
        video_file.write(path, render(self), FPS, frame_size(self.config))


def render(task: VideoTask) -> Iterator[np.ndarray]:
    """Yields the frames of a video.

    Cuts follow every `seconds / scenes` seconds after a random time.  Otherwise a zoom
    would always start at the same frame, whose scale would reveal the class.

    Yields:
      [H, W, 3] uint8 BGR.
    """
    config = task.config
    classes = list(MOTIONS)
    rng = np.random.default_rng([config.seed, classes.index(task.label), task.number])
    width, height = frame_size(config)
    pixel = config.size / 96
    move = MOTIONS[task.label]
    draw = Draw.random(rng, pixel)
    centered = _square(np.array([[1, 0, -width / 2], [0, 1, -height / 2]]))
    scene_frames = num_frames(config) / config.scenes
    scene_start = -rng.uniform(0, scene_frames)
    scene = None
    for frame in range(num_frames(config)):
        if scene is None or frame >= scene_start + scene_frames:
            if scene is not None:
                scene_start += scene_frames
            scene = random_texture(rng, texture_side(config.size), pixel)
            placement = random_placement(task.label, rng, scene_frames, scene.shape[0])
            # The motion continues through the cut; the new texture is placed so that
            # it is at rest in the middle of the scene.
            middle = _square(move(draw, scene_start + scene_frames / 2))
        # From a pixel, relative to the center, back along the motion to the middle of
        # the scene, and to a position in the texture.  OpenCV inverts 2x3 matrices
        # without starting the threads of numpy.linalg.
        back = middle @ _square(cv2.invertAffineTransform(move(draw, frame)))
        lookup = (placement @ back @ centered)[:2]
        yield cv2.warpAffine(
            scene,
            lookup,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_WRAP,
        )


def num_frames(config: SynthesisConfig) -> int:
    """Returns the number of frames of a video."""
    return round(config.seconds * FPS)


def random_placement(
    motion: str, rng: np.random.Generator, scene_frames: float, side: int
) -> np.ndarray:
    """Draws the placement of a texture: [3, 3], frame to texture.

    The scale at any moment has the same distribution in all classes: without a zoom, it
    is the scale at a random moment of a zoom.
    """
    log_scale = rng.uniform(-_SCALE_LOG, _SCALE_LOG)
    zoomed = rng.uniform(*ZOOM_LOG) * scene_frames * rng.uniform(-0.5, 0.5)
    if not motion.startswith("zoom"):
        log_scale += zoomed
    angle = rng.uniform(0, 2 * math.pi)
    cos, sin = math.cos(angle), math.sin(angle)
    placement = math.exp(-log_scale) * np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
    placement[:, 2] = rng.uniform(0, side, size=2)
    return _square(placement)


def _square(affine: np.ndarray) -> np.ndarray:
    return np.vstack([affine, [0.0, 0.0, 1.0]])  # [3, 3]
