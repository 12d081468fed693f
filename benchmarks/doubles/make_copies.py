"""Makes copies of videos that people make: re-encoded, cropped, brighter, cut."""

from __future__ import annotations

import os
import pathlib
from typing import Callable, Sequence

import cv2
import numpy as np

COPIES = ("reencoded", "cropped", "brighter", "cut")
_KEPT = 0.8  # of height and width, off the middle
_GAIN, _BIAS = 1.25, 12.0
_SMALLER = 0.6


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


def write_copy(kind: str, path: pathlib.Path, output: pathlib.Path) -> None:
    """Writes a copy of a video.

    Args:
      kind: `reencoded` (smaller, 20 frames per second, another codec), `cropped` to 80%
        of height and width, `brighter`, or `cut` to the middle half.
      path: original video.
      output: .avi file.
    """
    pictures, fps = read_pictures(path)
    change: Callable[[np.ndarray], np.ndarray] = {
        "reencoded": lambda p: cv2.resize(
            p, None, fx=_SMALLER, fy=_SMALLER, interpolation=cv2.INTER_AREA
        ),
        "cropped": _crop,
        "brighter": lambda p: cv2.convertScaleAbs(p, alpha=_GAIN, beta=_BIAS),
        "cut": lambda p: p,
    }[kind]
    if kind == "cut":
        quarter = len(pictures) // 4
        pictures = pictures[quarter : len(pictures) - quarter]
    elif kind == "reencoded":
        kept = np.arange(0, len(pictures), fps / 20).astype(int)
        pictures, fps = [pictures[number] for number in kept], 20.0
    output.parent.mkdir(parents=True, exist_ok=True)
    changed = [change(picture) for picture in pictures]
    height, width = changed[0].shape[:2]
    codec = "XVID" if kind == "reencoded" else "MJPG"
    writer = cv2.VideoWriter(
        str(output), cv2.VideoWriter.fourcc(*codec), fps, (width, height)
    )
    for picture in changed:
        writer.write(picture)
    writer.release()


def write_all(folder: str, output: str, every: int = 3) -> list[tuple[str, str, str]]:
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
        if number % every == 0:
            kind = COPIES[number // every % len(COPIES)]
            copy = name.with_name(f"{name.stem}_{kind}.avi")
            if not (target / copy).exists():
                write_copy(kind, path, target / copy)
            made.append((str(name), str(copy), kind))
    return made


def _crop(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    top, left = round(0.05 * height), round(0.15 * width)
    return picture[
        top : top + round(_KEPT * height), left : left + round(_KEPT * width)
    ]
