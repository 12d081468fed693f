"""A sprite: one picture of many thumbnails, as TensorBoard's projector takes it.

Comes in: a frame of each point, as JPEG strings.  Goes out: the picture, tiles in rows
from the left to the right.

Letters: P points, S side of a tile.
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

# Of the projector: browsers refuse larger textures.
_MAX_SIDE = 8192
_LARGEST_TILE = 64
_GRAY = 128
_THREADS = 16  # a store answers slowly, but many at a time
_SLOW_SECONDS = 2.0  # before progress is shown


@dataclasses.dataclass(frozen=True)
class Sprite:
    """Tiles of all points.

    Attributes:
      pixels: [H, W, 3] uint8.
      tile: S, in pixels.
      faults: what is wrong with the frames that are gray instead, by point.
    """

    pixels: np.ndarray
    tile: int
    faults: dict[int, str]


def tile_side(num_points: int) -> int:
    """S: as large as the limit of the whole allows, at most 64 pixels."""
    columns = math.ceil(math.sqrt(num_points))
    return min(_LARGEST_TILE, _MAX_SIDE // columns)


def draw(num_points: int, read: Callable[[int], bytes]) -> Sprite:
    """Draws the tiles of some points; what cannot be read is gray.

    Args:
      num_points: P.
      read: returns the JPEG string of a point; called from several threads.
    """
    columns, side = math.ceil(math.sqrt(num_points)), tile_side(num_points)
    rows = math.ceil(num_points / columns)
    tiles = np.zeros([rows * columns, side, side, 3], np.uint8)
    faults: dict[int, str] = {}

    def fill(point: int) -> None:
        try:
            frame = tf.io.decode_jpeg(read(point), channels=3).numpy()
        except (OSError, tf.errors.OpError) as error:
            tiles[point] = _GRAY
            faults[point] = str(error).splitlines()[0]
        else:
            tiles[point] = _thumbnail(frame, side)

    with futures.ThreadPoolExecutor(_THREADS) as pool:
        done = pool.map(fill, range(num_points))
        for _ in tqdm(
            done,
            total=num_points,
            desc="drawing thumbnails",
            leave=False,
            delay=_SLOW_SECONDS,
            file=sys.stderr,
        ):
            pass
    grid = tiles.reshape(rows, columns, side, side, 3).swapaxes(1, 2)
    pixels = grid.reshape(rows * side, columns * side, 3)
    return Sprite(pixels, side, dict(sorted(faults.items())))


def _thumbnail(frame: np.ndarray, side: int) -> np.ndarray:
    """The middle square of a frame, [S, S, 3]."""
    height, width = frame.shape[:2]
    size = min(height, width)
    top, left = (height - size) // 2, (width - size) // 2
    square = frame[top : top + size, left : left + size]
    return cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA)
