"""What is said when the disk of a run is full."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Iterator

import tensorflow as tf

from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.errors import UserError

# What TensorFlow has of the system's error is its text.
_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskFull(OSError, UserError):
    """There is no room for what a run has to write."""


@contextlib.contextmanager
def disk_full_errors(run: RunDirectory) -> Iterator[None]:
    """Turns the error of a full disk into a line that says what to do.

    Args:
      run: whose folder is written to.

    Raises:
      DiskFull: something could not be written for want of room.
    """
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        reason = reason_of(error)
        if reason is None:
            raise
        latest = run.latest()
        since = f"its last checkpoint, {latest}" if latest else "the start"
        raise DiskFull(
            f"Nothing more could be written to {run.model_dir!r}: {reason}. Make room"
            " there, or move the folder, and give the same command: the run goes on"
            f" from {since}."
        ) from error


def reason_of(error: Exception) -> str | None:
    """The system's words where an error means a full disk, else None."""
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno in _ERRORS else None
    words = [os.strerror(number) for number in _ERRORS]
    return next((text for text in words if text in str(error)), None)
