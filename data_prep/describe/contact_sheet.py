"""Draws a contact sheet: the middle frame of each video of a sample."""

from __future__ import annotations

import collections
import math
import os
from typing import Callable, Sequence

import numpy as np

from data_prep.describe.statistics import class_name, seconds_of
from vie_tf.drawing.canvas import DARK, GRAY, Canvas, fitted
from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.manifest import Manifest, VideoEntry

_COLUMNS = 8
_CELL_WIDTH, _PICTURE_HEIGHT, _LINE_HEIGHT = 200, 150, 20
_MARGIN = 12
_CELL_HEIGHT = _PICTURE_HEIGHT + 3 * _LINE_HEIGHT + _MARGIN


def sample_videos(manifest: Manifest, num_shown: int) -> list[VideoEntry]:
    """Returns at most `num_shown` videos, in which the classes take turns.

    The sample is the same at every call.  If there are more classes than that, it has
    classes at equal distances.
    """
    by_class = collections.defaultdict(list)
    for video in manifest.videos:
        by_class[video.label].append(video)
    classes = [by_class[label] for label in sorted(by_class)]
    if len(classes) > num_shown:
        step = len(classes) / max(num_shown, 1)
        classes = [classes[int(step * number)] for number in range(num_shown)]
    sample: list[VideoEntry] = []
    for turn in range(max(map(len, classes), default=0)):
        if len(sample) >= num_shown:
            break
        sample.extend(videos[turn] for videos in classes if turn < len(videos))
    return sample[:num_shown]


def read_middle_frames(
    data_dir: str,
    manifest: Manifest,
    videos: Sequence[VideoEntry],
    on_unreadable: Callable[[VideoEntry], None],
) -> dict[int, np.ndarray]:
    """Reads the middle frame of each video; `on_unreadable` gets the unreadable ones.

    Returns:
      Frames [H, W, 3] uint8 RGB by the id of the video.
    """
    reader = FrameReader.open(data_dir, manifest, videos)
    frames = {}
    for video in videos:
        try:
            (frames[video.id],) = reader.read_images(video, [video.frames // 2])
        except OSError:
            on_unreadable(video)
    return frames


def draw_contact_sheet(
    manifest: Manifest,
    videos: Sequence[VideoEntry],
    frames: dict[int, np.ndarray],
) -> Canvas:
    """Draws frames in a grid, with class, name, id, split and length below each.

    Args:
      manifest: manifest of the data set.
      videos: at least one, in the order of the cells.
      frames: [H, W, 3] uint8 RGB by id; a video without one gets an empty cell.
    """
    columns = min(_COLUMNS, len(videos))
    num_rows = math.ceil(len(videos) / columns)
    canvas = Canvas(
        num_rows * (_CELL_HEIGHT + _MARGIN) + _MARGIN,
        columns * (_CELL_WIDTH + _MARGIN) + _MARGIN,
    )
    for number, video in enumerate(videos):
        row, column = divmod(number, columns)
        left = _MARGIN + column * (_CELL_WIDTH + _MARGIN)
        top = _MARGIN + row * (_CELL_HEIGHT + _MARGIN)
        if video.id in frames:
            frame = frames[video.id]
            canvas.paste(frame, left, top, _CELL_WIDTH, _PICTURE_HEIGHT)
        else:
            canvas.fill(left, top, _CELL_WIDTH, _PICTURE_HEIGHT)
            canvas.write("cannot be read", left + 40, top + _PICTURE_HEIGHT // 2, GRAY)
        top += _PICTURE_HEIGHT + 4
        details = f"{video.id}  {video.split}  {seconds_of(video):.1f} s"
        name = os.path.basename(video.source)
        lines = ((class_name(manifest, video), DARK), (name, DARK), (details, GRAY))
        for text, color in lines:
            canvas.write(fitted(text, _CELL_WIDTH), left, top, color)
            top += _LINE_HEIGHT
    return canvas
