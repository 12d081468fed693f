"""A sample of the videos -> one picture with the middle frame of each."""

from __future__ import annotations

import collections
import math
import os
from typing import Callable, Iterable, Sequence

import numpy as np
import tensorflow as tf

from data_prep.decode.opencv import cv2
from data_prep.describe.canvas import DARK, GRAY, LIGHT, Canvas, fitted
from data_prep.describe.statistics import class_name, seconds_of
from vie_tf.storage import records

_COLUMNS = 8
_CELL_WIDTH, _PICTURE_HEIGHT = 200, 150
_CELL_HEIGHT = _PICTURE_HEIGHT + 50
_MARGIN = 12
_TEXT_SIZE = 15


def chosen_videos(
    manifest: records.Manifest, num_shown: int
) -> list[records.VideoEntry]:
    """Returns a sample in which the classes take turns, the same at every call.

    Args:
      manifest: of the data set.
      num_shown: most videos; with fewer than there are classes, these are spread over
        all of them.
    """
    by_class = collections.defaultdict(list)
    for video in manifest.videos:
        by_class[video.label].append(video)
    classes = [by_class[label] for label in sorted(by_class)]
    if len(classes) > num_shown:
        step = len(classes) / max(num_shown, 1)
        classes = [classes[int(step * number)] for number in range(num_shown)]
    chosen: list[records.VideoEntry] = []
    for turn in range(max(map(len, classes), default=0)):
        if len(chosen) >= num_shown:
            break
        chosen.extend(videos[turn] for videos in classes if turn < len(videos))
    return chosen[:num_shown]


def middle_frames(
    data_dir: str,
    videos: Iterable[records.VideoEntry],
    complain: Callable[[records.VideoEntry], None],
) -> dict[int, np.ndarray]:
    """Reads the middle frame of each video, every shard once.

    Args:
      data_dir: folder of the shards.
      videos: of its manifest.
      complain: called with every video that cannot be read.

    Returns:
      Frames [H, W, 3] uint8 BGR by the id of the video.
    """
    by_shard = collections.defaultdict(list)
    for video in videos:
        by_shard[video.shard].append(video)
    frames = {}
    for shard in sorted(by_shard):
        wanted = {video.id: video for video in by_shard[shard]}
        try:
            for record in tf.data.TFRecordDataset(os.path.join(data_dir, shard)):
                parsed = records.parse(record)
                video_id = int(parsed["id"])
                if video_id in wanted:
                    jpeg = parsed["frames"][wanted[video_id].frames // 2]
                    rgb = tf.io.decode_jpeg(jpeg, channels=3).numpy()
                    frames[video_id] = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
                    del wanted[video_id]
                if not wanted:
                    break
        except tf.errors.OpError:
            pass  # Whatever it is: what was not read is complained of below.
        for video in wanted.values():
            complain(video)
    return frames


def draw_contact_sheet(
    manifest: records.Manifest,
    videos: Sequence[records.VideoEntry],
    frames: dict[int, np.ndarray],
) -> Canvas:
    """Draws the frames in a grid, with class, split, length and id below.

    Args:
      manifest: of the data set.
      videos: in the order of the cells, at least one.
      frames: [H, W, 3] uint8 BGR by id; a video without one gets an empty cell.
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
        _draw_picture(canvas, frames.get(video.id), left, top)
        name = class_name(manifest, video)
        facts = f"{video.id}  {video.split}  {seconds_of(video):.1f} s"
        baseline = top + _PICTURE_HEIGHT + 19
        for text, color in ((name, DARK), (facts, GRAY)):
            text = fitted(text, _TEXT_SIZE, _CELL_WIDTH)
            canvas.write(text, left, baseline, _TEXT_SIZE, color)
            baseline += 20
    return canvas


def _draw_picture(
    canvas: Canvas, frame: np.ndarray | None, left: int, top: int
) -> None:
    """Draws a frame as large as it fits, in the middle of its cell."""
    canvas.fill(left, top, left + _CELL_WIDTH, top + _PICTURE_HEIGHT, LIGHT)
    if frame is None:
        middle = top + _PICTURE_HEIGHT // 2
        canvas.write("cannot be read", left + 40, middle, _TEXT_SIZE, GRAY)
        return
    height, width = frame.shape[:2]
    scale = min(_CELL_WIDTH / width, _PICTURE_HEIGHT / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    shown = cv2.resize(frame, size, interpolation=way)
    top += (_PICTURE_HEIGHT - size[1]) // 2
    left += (_CELL_WIDTH - size[0]) // 2
    canvas.pixels[top : top + size[1], left : left + size[0]] = shown
