"""Checks one record against the manifest, and measures what its frames show."""

from __future__ import annotations

import hashlib
from typing import Sequence

import numpy as np
import tensorflow as tf

from data_prep.decode.opencv import cv2
from data_prep.describe.statistics import VideoContent
from vie_tf.storage.manifest import VideoEntry

_TILES = (16, 16)  # Changes in a frame are measured in the means of these.


def check_video(
    record: dict[str, tf.Tensor], video: VideoEntry
) -> tuple[list[str], VideoContent | None]:
    """Compares a record with its entry in the manifest and decodes all its frames.

    The decoder is that of training, which rejects incomplete JPEG strings, too.

    Returns:
      Descriptions of all faults, and the statistics of the frames (None if any frame is
      damaged).
    """
    jpegs = list(record["frames"].numpy())
    faults = _wrong_metadata(record, jpegs, video)
    damaged: list[str] = []
    tiles = []
    for number, jpeg in enumerate(jpegs):
        try:
            frame = tf.io.decode_jpeg(jpeg, channels=3).numpy()  # [H, W, 3]
        except tf.errors.InvalidArgumentError:
            damaged.append(f"frame {number} does not decode")
            continue
        height, width = frame.shape[:2]
        if (height, width) != (video.height, video.width):
            damaged.append(
                f"frame {number} is {height} x {width}, not {video.height} x"
                f" {video.width}"
            )
            continue
        tiles.append(_tiles_of(frame))
    if damaged:
        more = f" (and {len(damaged) - 1} more frames)" if len(damaged) > 1 else ""
        return [*faults, damaged[0] + more], None
    if not tiles:
        return [*faults, "it has no frames"], None
    return faults, _content(video.id, jpegs, tiles)


def _wrong_metadata(
    record: dict[str, tf.Tensor], jpegs: Sequence[bytes], video: VideoEntry
) -> list[str]:
    stored = {
        "label": int(record["label"]),
        "source": record["source"].numpy().decode(errors="replace"),
        "frames": len(jpegs),
        "fps": float(record["fps"]),
        "height": int(record["height"]),
        "width": int(record["width"]),
        "bytes": sum(map(len, jpegs)),
    }
    listed = {name: getattr(video, name) for name in stored}
    listed["fps"] = float(np.float32(video.fps))  # Records have single precision.
    return [
        f"{name} is {stored[name]!r}, the manifest says {listed[name]!r}"
        for name in stored
        if stored[name] != listed[name]
    ]


def _tiles_of(frame: np.ndarray) -> np.ndarray:
    gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return cv2.resize(gray.astype(np.float32), _TILES, interpolation=cv2.INTER_AREA)


def _content(
    video_id: int, jpegs: Sequence[bytes], tiles: Sequence[np.ndarray]
) -> VideoContent:
    digest = hashlib.sha256()
    for jpeg in jpegs:
        digest.update(hashlib.sha256(jpeg).digest())
    return VideoContent(
        id=video_id,
        digest=digest.hexdigest(),
        change=max(float(np.abs(tile - tiles[0]).max()) for tile in tiles),
        brightness=max(float(tile.max()) for tile in tiles),
    )
