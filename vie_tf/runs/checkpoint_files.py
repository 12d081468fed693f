"""The files of one checkpoint: durable writes, and a check of their checksums.

`NAME.data-*` hold the numbers, `NAME.index` their places and checksums.  In a local
folder the index gets its name after all files are on the disk.
"""

from __future__ import annotations

import os
import re
import shutil

import tensorflow as tf

from vie_tf.runs import checkpoint_path
from vie_tf.storage import files, remote_files
from vie_tf.storage.errors import error_line
from vie_tf.storage.files import flush_to_disk

INDEX = ".index"
_NUMBERS = re.compile(r"(step-\d+)\.data-\d+-of-\d+")
_UNFINISHED = "_temp"  # ends the name of a folder
_IN_MEMORY = "ram://checkpoint/step"  # TensorFlow's own file system of this process
# What TensorFlow raises for files that are cut, mixed up or missing.
_DAMAGES = (tf.errors.OpError, OSError, LookupError, RuntimeError, ValueError)


def write(checkpoint: tf.train.Checkpoint, path: str) -> None:
    """Writes a checkpoint; a damaged one of the same name is replaced.

    Args:
      checkpoint: checkpoint to write.
      path: path of its files, without their endings.
    """
    # Made in any case: it is part of the format on disk.
    assert checkpoint.save_counter is not None
    folder = os.path.dirname(path)
    _remove_unfinished(folder)
    try:
        if remote_files.is_remote(path):
            checkpoint.write(path)  # an object has its name only when it is whole
        else:
            _write_locally(checkpoint, path)
    except (OSError, tf.errors.OpError):
        _remove_unfinished(folder)  # on a full disk it would stand in the way
        raise


def _write_locally(checkpoint: tf.train.Checkpoint, path: str) -> None:
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        os.makedirs(folder)
        flush_to_disk(os.path.dirname(folder) or ".")
    unfinished = f"{path}{_UNFINISHED}"
    checkpoint.write(os.path.join(unfinished, name))
    names = sorted(os.listdir(unfinished))  # the index comes after the data
    for file in names:
        flush_to_disk(os.path.join(unfinished, file))
    for file in names:
        os.replace(os.path.join(unfinished, file), os.path.join(folder, file))
    shutil.rmtree(unfinished)
    flush_to_disk(folder)


def _remove_unfinished(folder: str) -> None:
    """Removes what killed processes have left.

    That is unfinished checkpoints, and the numbers of one whose index was removed.
    """
    names = files.names_in(folder)
    for name in names:
        numbers = _NUMBERS.fullmatch(name)
        is_left = numbers is not None and f"{numbers[1]}{INDEX}" not in names
        if is_left or (name.startswith("step-") and name.endswith(_UNFINISHED)):
            files.remove(os.path.join(folder, name))


def take_part(checkpoint: tf.train.Checkpoint) -> None:
    """Takes part in a checkpoint that another worker writes.

    TensorFlow has no call for that alone, so the files are written to memory and
    removed.
    """
    try:
        checkpoint.write(_IN_MEMORY)
    finally:
        remove(_IN_MEMORY)


def remove(path: str) -> None:
    """Removes the files of a checkpoint, if there are any, its index first."""
    folder, name = os.path.split(path)
    for file in reversed(files.names_in(folder)):
        if file.startswith(f"{name}."):
            files.remove(os.path.join(folder, file))


def damage_of(path: str) -> str | None:
    """Returns why a checkpoint cannot be read, None if it can.

    Files can be cut anywhere, so TensorFlow reads all of them and compares checksums:
    0.1 s for 200 MB, plus the time of the disk.
    """
    if not files.exists(f"{path}{INDEX}"):
        return f"there is no {os.path.basename(path)}{INDEX}"
    try:
        reader = tf.train.load_checkpoint(checkpoint_path.plain(path))
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except _DAMAGES as error:
        return error_line(error)
    return None
