"""Where a data set is written: a local folder, or a store that `tf.io.gfile` knows.

In both a file has its name only when it is whole.  A local one is renamed after it
is on the disk; an object store (s3://, gs://) shows an object only after all of it
was received; in hdfs:// a copy is renamed.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import tempfile
import uuid

import tensorflow as tf

from vie_tf.storage import remote_files
from vie_tf.storage.files import file_errors, flush_to_disk

STATE_DIR = ".shards"
_UNFINISHED = ".tmp"


def scratch_dir(data_dir: str) -> str:
    """Returns the local folder for unfinished files of a data set; makes it.

    It stays the same from run to run, so that the next one finds, and removes, what
    a killed one has left.
    """
    if not remote_files.is_remote(data_dir):
        folder = os.path.join(data_dir, STATE_DIR)
        os.makedirs(folder, exist_ok=True)
        return folder
    place = hashlib.sha256(data_dir.rstrip("/").encode()).hexdigest()[:16]
    folder = os.path.join(tempfile.gettempdir(), f"vie_tf-{os.getuid()}-{place}")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


def unfinished_path(data_dir: str, name: str) -> str:
    """Returns a new local path to write the file `name` of a data set to.

    No two calls give the same, so that a worker that outlived a kill, or one on
    another machine, does not write to our file.
    """
    unfinished = f"{name}.{uuid.uuid4().hex}{_UNFINISHED}"
    return os.path.join(scratch_dir(data_dir), unfinished)


def place(unfinished: str, path: str) -> None:
    """Gives a complete local file its place in the data set.

    Args:
      unfinished: from `unfinished_path`; a local file is moved, else it is copied.
      path: where it belongs; a file that is there is replaced.
    """
    if not remote_files.is_remote(path):
        flush_to_disk(unfinished)
        os.replace(unfinished, path)
        flush_to_disk(os.path.dirname(path))
    elif path.startswith("hdfs://"):
        tf.io.gfile.copy(unfinished, path + _UNFINISHED, overwrite=True)
        tf.io.gfile.rename(path + _UNFINISHED, path, overwrite=True)
    else:
        tf.io.gfile.copy(unfinished, path, overwrite=True)


def remove(path: str) -> None:
    """Removes a file of the data set, if it is there."""
    with contextlib.suppress(FileNotFoundError), file_errors(path):
        tf.io.gfile.remove(path)
        if not remote_files.is_remote(path):
            flush_to_disk(os.path.dirname(path))


def remove_unfinished(data_dir: str, name: str = "*") -> None:
    """Removes the unfinished files of stopped workers, of this run and of others.

    Args:
      data_dir: folder of the data set.
      name: of the only file that is meant; all, if it is not given.
    """
    folder = glob.escape(scratch_dir(data_dir))
    for path in glob.glob(os.path.join(folder, f"{name}.*{_UNFINISHED}")):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def read_text(path: str) -> str:
    """Returns the contents of a text file.

    Raises:
      FileNotFoundError: there is none.
      OSError: it cannot be read.
    """
    with file_errors(path), tf.io.gfile.GFile(path) as file:
        return file.read()


def size_of(path: str) -> int:
    """Returns the size of a file in bytes.

    Raises:
      FileNotFoundError: there is none.
      OSError: it cannot be asked for.
    """
    with file_errors(path):
        return tf.io.gfile.stat(path).length


def names_in(folder: str) -> list[str]:
    """Returns the names of what a folder holds, none if it does not exist."""
    # An address without the slash may name a bucket, which is then not found.
    address = os.path.join(folder, "") if remote_files.is_remote(folder) else folder
    try:
        with file_errors(folder):
            return [name.rstrip("/") for name in tf.io.gfile.listdir(address)]
    except FileNotFoundError:
        return []
