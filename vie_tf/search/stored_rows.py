"""Arrays of embeddings on disk: their header, and reading whole arrays or some rows."""

from __future__ import annotations

import math
from typing import Sequence

import numpy as np

from vie_tf.storage import small_files
from vie_tf.storage.errors import UserError

_HEADER_BYTES = 256  # room for any number of rows, at a multiple of 64
_ROWS_AT_ONCE = 4096
_LARGEST_OF_UNIT_NORM = 1.01  # in any rounding
_LARGEST = 1e30  # of features, whose squares would overflow


def load(path: str, shape: Sequence[int], has_unit_norm: bool) -> np.ndarray:
    """Opens a .npy file of embeddings, whose rows stay on the disk.

    Args:
      path: path of the file.
      shape: shape that the array has to have.
      has_unit_norm: whether its rows have unit norm.

    Returns:
      [R, ...] float32.

    Raises:
      UserError: the file is missing, no array, of another shape, or holds numbers that
        are not finite or too large for their norm.
    """
    rows = small_files.map_array(path, "Embed the videos again.")
    if list(rows.shape) != list(shape) or rows.dtype != np.float32:
        raise UserError(
            f"{path} has numbers of type {rows.dtype} and shape {list(rows.shape)}, but"
            f" its index says float32 and {list(shape)}: embed the videos again."
        )
    bound = _LARGEST_OF_UNIT_NORM if has_unit_norm else _LARGEST
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        # A NaN is not below anything.
        if not np.all(np.abs(rows[start : start + _ROWS_AT_ONCE]) < bound):
            raise UserError(
                f"{path} holds numbers that no embedding has, such as NaN or"
                f" {bound:g} and more: it is damaged, or the network had diverged."
                " Embed the videos again into a new folder."
            )
    return rows


def read(path: str, shape: Sequence[int], first: int, count: int) -> np.ndarray:
    """Reads some rows of an array that may not be complete.

    Args:
      path: path of the file.
      shape: shape of a row.
      first: the first row.
      count: number of rows.

    Returns:
      [count, ...] float32.
    """
    row_bytes = 4 * math.prod(shape)
    with open(path, "rb") as file:
        file.seek(_HEADER_BYTES + first * row_bytes)
        content = file.read(count * row_bytes)
    return np.frombuffer(content, "<f4").reshape(count, *shape)


def header(shape: Sequence[int]) -> bytes:
    """Returns the header of a .npy file of float32.

    It has the same length for any shape, so that the number of rows can be filled in at
    the end.
    """
    content = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    start = b"\x93NUMPY\x01\x00"
    length = _HEADER_BYTES - len(start) - 2
    padded = content.ljust(length - 1) + "\n"
    return start + length.to_bytes(2, "little") + padded.encode("latin1")
