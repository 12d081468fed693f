"""Files that survive a kill or a power cut, and errors that say what happened."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from typing import Iterator

import tensorflow as tf

# Of file systems that write a folder, or a file, in their own time.
_NO_FLUSH = (errno.EINVAL, errno.ENOTSUP)


def flush_to_disk(path: str) -> None:
    """Returns when a file, or the names in a folder, are on the disk.

    Does nothing where a file system cannot be asked for that.

    Args:
      path: a local one.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise
    finally:
        os.close(descriptor)


def sha256_of(path: str) -> str:
    """Returns the checksum of a file as a hexadecimal string."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


@contextlib.contextmanager
def tensorflow_errors_as_os_errors(path: str) -> Iterator[None]:
    """TensorFlow's file errors are no OSErrors, and cannot cross processes."""
    try:
        yield
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, error.message, path) from error
    except tf.errors.PermissionDeniedError as error:
        raise PermissionError(errno.EACCES, error.message, path) from error
    except tf.errors.ResourceExhaustedError as error:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path) from error
    except tf.errors.OpError as error:
        raise OSError(errno.EIO, error.message, path) from error
