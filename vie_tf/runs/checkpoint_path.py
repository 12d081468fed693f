"""Paths of checkpoints in a form that TensorFlow does not take for a pattern."""

from __future__ import annotations

import functools
import os
import re

from vie_tf.storage import remote_files

_PATTERN = re.compile(r"[*?\[\]\\]")
_OPEN_FOLDERS = "/proc/self/fd"


def plain(path: str) -> str:
    r"""Returns a path of the same checkpoint without characters of a pattern.

    TensorFlow writes to the path that it is given, but reads from the files that match
    it: it does not find those in `runs/lr=[0.1,0.01]`, and knows no escape.  The folder
    is opened instead, and the path is that of the open folder in this process.

    Args:
      path: path of the files of a checkpoint, without their endings.
    """
    folder, name = os.path.split(path)
    if remote_files.is_remote(path) or not _PATTERN.search(folder):
        return path
    if not os.path.isdir(folder) or not os.path.isdir(_OPEN_FOLDERS):
        return path
    status = os.stat(folder)
    opened = _open(folder, status.st_dev, status.st_ino)
    return os.path.join(_OPEN_FOLDERS, str(opened), name)


@functools.cache
def _open(folder: str, device: int, inode: int) -> int:
    """Opens a folder until the process ends, since readers read when they want to.

    Device and inode tell it from a later folder of the same name.
    """
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
