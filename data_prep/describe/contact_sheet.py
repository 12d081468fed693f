"""Draws a contact sheet: the middle frame of each video of a sample."""

from __future__ import annotations

import collections
import math
import os
from typing import Callable, Iterable, Sequence

import numpy as np
import tensorflow as tf

from data_prep.describe.statistics import class_name, seconds_of
from vie_tf.storage import records
from vie_tf.storage.canvas import DARK, GRAY, Canvas, fitted

_COLUMNS = 8
_CELL_WIDTH, _PICTURE_HEIGHT, _LINE_HEIGHT = 200, 150, 20
_MARGIN = 12
_CELL_HEIGHT = _PICTURE_HEIGHT + 2 * _LINE_HEIGHT + _MARGIN


def sample_videos(
    manifest: records.Manifest, num_shown: int
) -> list[records.VideoEntry]:
    """Returns a sample in which the classes take turns, the same at every call.

    Args:
      manifest: manifest of the data set.
      num_shown: most videos; if there are more classes than that, classes at equal
        distances are chosen.
    """
    by_class = collections.defaultdict(list)
    for video in manifest.videos:
        by_class[video.label].append(video)
    classes = [by_class[label] for label in sorted(by_class)]
    if len(classes) > num_shown:
        step = len(classes) / max(num_shown, 1)
        classes = [classes[int(step * number)] for number in range(num_shown)]
    sample: list[records.VideoEntry] = []
    for turn in range(max(map(len, classes), default=0)):
        if len(sample) >= num_shown:
            break
        sample.extend(videos[turn] for videos in classes if turn < len(videos))
    return sample[:num_shown]


def read_middle_frames(
    data_dir: str,
    videos: Iterable[records.VideoEntry],
    on_unreadable: Callable[[records.VideoEntry], None],
) -> dict[int, np.ndarray]:
    """Reads the middle frame of each video, every shard once.

    Args:
      data_dir: folder of the shards.
      videos: entries of its manifest.
      on_unreadable: called with every video that cannot be read.

    Returns:
      Frames [H, W, 3] uint8 RGB by the id of the video.
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
                    jpeg = parsed["frames"][wanted.pop(video_id).frames // 2]
                    frames[video_id] = tf.io.decode_jpeg(jpeg, channels=3).numpy()
                if not wanted:
                    break
        except tf.errors.OpError:
            pass  # The videos that are missing are reported below.
        for video in by_shard[shard]:
            if video.id not in frames:
                on_unreadable(video)
    return frames


def draw_contact_sheet(
    manifest: records.Manifest,
    videos: Sequence[records.VideoEntry],
    frames: dict[int, np.ndarray],
) -> Canvas:
    """Draws frames in a grid, with class, id, split and length below each.

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
        for text, color in ((class_name(manifest, video), DARK), (details, GRAY)):
            canvas.write(fitted(text, _CELL_WIDTH), left, top, color)
            top += _LINE_HEIGHT
    return canvas
