"""Sheets of thumbnails, as a page shows them: JPEG files of many small pictures.

A still of every video is on a sheet of many, for the map.  Its strip of frames is a row
of a sheet of few, which a browser loads when the strip is played.
"""

from __future__ import annotations

import dataclasses
import math
import os
from typing import Any, Callable

import cv2
import numpy as np

from vie_tf.drawing.thumbnails import FrameRequest, Thumbnails, without_frames
from vie_tf.storage import files

REQUEST = FrameRequest(per_second=4.0, most=8, height=120, width=160, from_middle=True)
_BACKGROUND = (34, 37, 42)  # beside a picture of other proportions
_JPEG_QUALITY = 72


@dataclasses.dataclass(frozen=True)
class SheetKind:
    """How the pictures of a kind of sheet are arranged.

    Attributes:
      folder: folder of the sheets, in that of the page.
      each: videos of a sheet.
      columns: pictures in a row.
      width: width of a picture in pixels.
      height: height of a picture in pixels.
    """

    folder: str
    each: int
    columns: int
    width: int
    height: int

    def describe(self) -> dict[str, Any]:
        """Returns what the page has to know."""
        return dataclasses.asdict(self)


STILLS = SheetKind("stills", each=400, columns=20, width=96, height=72)
STRIPS = SheetKind(
    "strips", each=16, columns=REQUEST.most, width=REQUEST.width, height=REQUEST.height
)


class SheetWriter:
    """Collects thumbnails, which come in any order, and writes a sheet once it is full.

    Args:
      folder: folder of the page.
      num_videos: number of videos of the collection.

    Attributes:
      num_frames: frames of each video's strip, [V] int.
      sizes: width and height of the frame within its place in a strip, [V, 2] int.
      durations: seconds of each video, 0 where it is not known, [V] float.
      faults: reasons why videos have no picture, by position.
    """

    def __init__(self, folder: str, num_videos: int) -> None:
        self._folder, self._num_videos = folder, num_videos
        self.num_frames = np.zeros(num_videos, int)
        self.sizes = np.full([num_videos, 2], (STRIPS.width, STRIPS.height))
        self.durations = np.zeros(num_videos)
        self.faults: dict[int, str] = {}
        self._waiting: dict[tuple[str, int], dict[int, np.ndarray]] = {}
        for kind in (STILLS, STRIPS):
            files.make_folder(os.path.join(folder, kind.folder))

    def add(self, video: int, thumbnails: Thumbnails) -> None:
        """Adds the thumbnails of a video."""
        if not len(thumbnails.frames) and not thumbnails.fault:
            thumbnails = without_frames("it has no picture")
        frames = thumbnails.frames[: STRIPS.columns]
        self.num_frames[video] = len(frames)
        self.durations[video] = thumbnails.duration
        if thumbnails.fault:
            self.faults[video] = thumbnails.fault
        strip = _blank(STRIPS.height, STRIPS.columns * STRIPS.width)
        for number, frame in enumerate(frames):
            left = number * STRIPS.width
            strip[:, left : left + STRIPS.width] = contained(frame)
        if len(frames):
            self.sizes[video] = size_within(frames[0], STRIPS, min)
        still = _blank(STILLS.height, STILLS.width)
        if len(frames):
            still = _covered(frames[len(frames) // 2], STILLS)
        self._place(STILLS, video, still)
        self._place(STRIPS, video, strip)

    def _place(self, kind: SheetKind, video: int, picture: np.ndarray) -> None:
        number = video // kind.each
        sheet = self._waiting.setdefault((kind.folder, number), {})
        sheet[video % kind.each] = picture
        count = min(kind.each, self._num_videos - number * kind.each)
        if len(sheet) == count:
            pictures = [sheet[place] for place in range(count)]
            columns = 1 if kind is STRIPS else min(kind.columns, count)
            path = os.path.join(self._folder, kind.folder, f"{number:04d}.jpg")
            files.write_atomically(path, jpeg(_grid(pictures, columns)))
            del self._waiting[kind.folder, number]


def _grid(pictures: list[np.ndarray], columns: int) -> np.ndarray:
    height, width = pictures[0].shape[:2]
    rows = math.ceil(len(pictures) / columns)
    grid = _blank(rows * height, columns * width)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        top, left = row * height, column * width
        grid[top : top + height, left : left + width] = picture
    return grid


def _blank(height: int, width: int) -> np.ndarray:
    # Row by row, as NumPy takes long to repeat three numbers.
    row = np.full([1, width, 3], _BACKGROUND, np.uint8)
    return np.repeat(row, height, axis=0)


def jpeg(pixels: np.ndarray) -> bytes:
    """Encodes [H, W, 3] uint8 RGB."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", bgr, quality)[1].tobytes())


def contained(frame: np.ndarray, kind: SheetKind = STRIPS) -> np.ndarray:
    """Fits a whole frame [H, W, 3] into the middle of a picture."""
    return _placed(frame, kind, min)


def _covered(frame: np.ndarray, kind: SheetKind) -> np.ndarray:
    """Fills a picture with the middle of a frame."""
    return _placed(frame, kind, max)


def size_within(
    frame: np.ndarray, kind: SheetKind, choose: Callable[..., float]
) -> tuple[int, int]:
    """Returns width and height of a frame that fits into, or fills, its place."""
    height, width = frame.shape[:2]
    scale = choose(kind.height / height, kind.width / width)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _placed(
    frame: np.ndarray, kind: SheetKind, choose: Callable[..., float]
) -> np.ndarray:
    size = size_within(frame, kind, choose)
    way = cv2.INTER_AREA if size[0] < frame.shape[1] else cv2.INTER_LINEAR
    scaled = cv2.resize(frame, size, interpolation=way)
    wide, high = min(size[0], kind.width), min(size[1], kind.height)
    from_left, from_top = (size[0] - wide) // 2, (size[1] - high) // 2
    left, top = (kind.width - wide) // 2, (kind.height - high) // 2
    picture = _blank(kind.height, kind.width)
    picture[top : top + high, left : left + wide] = scaled[
        from_top : from_top + high, from_left : from_left + wide
    ]
    return picture
