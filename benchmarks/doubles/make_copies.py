"""Makes copies of videos that people make: re-encoded, cropped, brighter, cut.

How much a copy is changed is drawn at random, another way for each seed.
"""

from __future__ import annotations

import os
import pathlib
from typing import Callable, Sequence

import cv2
import numpy as np

COPIES = ("reencoded", "cropped", "brighter", "cut")
_SCALES = (0.5, 0.8)  # of height and width
_FRAME_RATES = (15.0, 20.0, 25.0)
_CODECS = ("XVID", "mp4v", "MJPG")
_KEPT = (0.7, 0.9)  # of height and of width
_GAINS, _OFFSETS = (0.75, 1.3), (-10.0, 15.0)  # offsets in gray levels
_CUT = (0.4, 0.7)  # of the duration


def read_pictures(path: pathlib.Path) -> tuple[list[np.ndarray], float]:
    """Returns all pictures [H, W, 3] uint8 BGR and the frame rate of a video."""
    capture = cv2.VideoCapture(str(path))
    fps = capture.get(cv2.CAP_PROP_FPS)
    pictures = []
    while True:
        read, picture = capture.read()
        if not read:
            return pictures, fps
        pictures.append(picture)


def write_copy(
    kind: str, path: pathlib.Path, output: pathlib.Path, seed: int = 0
) -> None:
    """Writes a copy of a video.

    Args:
      kind: `reencoded` (50% to 80% of the size, 15 to 25 frames per second, another
        codec), `cropped` to 70% to 90% of height and width, `brighter` (or darker: 0.75
        to 1.3 times as bright), or `cut` to 40% to 70% of the duration.
      path: original video.
      output: .avi file.
      seed: what is drawn at random.
    """
    rng = np.random.default_rng(seed)
    pictures, fps = read_pictures(path)
    codec = "MJPG"
    if kind == "cut":
        count = round(rng.uniform(*_CUT) * len(pictures))
        first = rng.integers(0, len(pictures) - count + 1)
        pictures = pictures[first : first + count]
    elif kind == "reencoded":
        slower = min(float(rng.choice(_FRAME_RATES)), fps)
        kept = np.arange(0, len(pictures), fps / slower).astype(int)
        pictures, fps = [pictures[number] for number in kept], slower
        codec = str(rng.choice(_CODECS))
    change = _change(kind, rng, *pictures[0].shape[:2])
    output.parent.mkdir(parents=True, exist_ok=True)
    changed = [change(picture) for picture in pictures]
    height, width = changed[0].shape[:2]
    writer = cv2.VideoWriter(
        str(output), cv2.VideoWriter.fourcc(*codec), fps, (width, height)
    )
    for picture in changed:
        writer.write(picture)
    writer.release()


def write_all(
    folder: str, output: str, every: int = 3, seed: int = 0
) -> list[tuple[str, str, str]]:
    """Links all videos of a folder into a new one, with copies of every third.

    Returns:
      Name of the original, name of the copy, and its kind, for each copy.
    """
    root, target = pathlib.Path(folder).resolve(), pathlib.Path(output)
    originals: Sequence[pathlib.Path] = sorted(
        path for path in root.rglob("*") if path.suffix in (".mp4", ".avi")
    )
    made = []
    for number, path in enumerate(originals):
        name = path.relative_to(root)
        link = target / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            os.symlink(path, link)
        if number % every == seed % every:
            kind = COPIES[(number // every + seed) % len(COPIES)]
            copy = name.with_name(f"{name.stem}_{kind}.avi")
            if not (target / copy).exists():
                write_copy(kind, path, target / copy, 1000 * seed + number)
            made.append((str(name), str(copy), kind))
    return made


def _change(
    kind: str, rng: np.random.Generator, height: int, width: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Returns what is done to each picture."""
    if kind == "reencoded":
        scale = rng.uniform(*_SCALES)
        size = round(scale * width), round(scale * height)
        return lambda picture: cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    if kind == "cropped":
        high, wide = (round(rng.uniform(*_KEPT) * side) for side in (height, width))
        top, left = (
            rng.integers(0, height - high + 1),
            rng.integers(0, width - wide + 1),
        )
        return lambda picture: picture[top : top + high, left : left + wide]
    if kind == "brighter":
        gain, offset = rng.uniform(*_GAINS), rng.uniform(*_OFFSETS)
        return lambda picture: np.clip(gain * picture + offset, 0, 255).astype(np.uint8)
    return lambda picture: picture
