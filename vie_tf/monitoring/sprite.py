"""A sprite: one picture of many thumbnails, for TensorBoard's projector.

Letters: P points, S side of a tile in pixels.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from concurrent import futures
from typing import Callable

import cv2
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from vie_tf.storage.errors import error_line

_MAX_SIDE = 8192  # browsers refuse larger textures
_LARGEST_TILE = 64
_GRAY = 128
_THREADS = 16  # a store answers slowly, but many requests at a time
_SLOW_SECONDS = 2.0  # before progress is shown


@dataclasses.dataclass(frozen=True)
class Sprite:
    """Tiles of all points, in rows from left to right.

    Attributes:
      pixels: [H, W, 3] uint8.
      tile: S.
      faults: point -> why its frame cannot be read; its tile is gray.
    """

    pixels: np.ndarray
    tile: int
    faults: dict[int, str]


def tile_side(num_points: int) -> int:
    """Returns S: as large as the limit of the sprite allows, at most 64 pixels."""
    return min(_LARGEST_TILE, _MAX_SIDE // math.ceil(math.sqrt(num_points)))


def draw(num_points: int, read: Callable[[int], bytes]) -> Sprite:
    """Draws tiles of P points; `read` gives the JPEG string of one, in any thread."""
    columns, side = math.ceil(math.sqrt(num_points)), tile_side(num_points)
    rows = math.ceil(num_points / columns)
    tiles = np.zeros([rows * columns, side, side, 3], np.uint8)
    faults: dict[int, str] = {}

    def fill(point: int) -> None:
        try:
            frame = tf.io.decode_jpeg(read(point), channels=3).numpy()
        except (OSError, tf.errors.OpError) as error:
            tiles[point] = _GRAY
            faults[point] = error_line(error).rstrip(".")
        else:
            tiles[point] = _thumbnail(frame, side)

    with futures.ThreadPoolExecutor(_THREADS) as pool:
        settings = {"leave": False, "delay": _SLOW_SECONDS, "file": sys.stderr}
        points = pool.map(fill, range(num_points))
        for _ in tqdm(points, "drawing thumbnails", num_points, **settings):
            pass
    grid = tiles.reshape(rows, columns, side, side, 3).swapaxes(1, 2)
    pixels = grid.reshape(rows * side, columns * side, 3)
    return Sprite(pixels, side, dict(sorted(faults.items())))


def _thumbnail(frame: np.ndarray, side: int) -> np.ndarray:
    """Shrinks the middle square of a frame to [S, S, 3]."""
    height, width = frame.shape[:2]
    size = min(height, width)
    top, left = (height - size) // 2, (width - size) // 2
    square = frame[top : top + size, left : left + size]
    return cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA)
