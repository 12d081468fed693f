"""The files of one checkpoint: written so that a power cut loses nothing, and checked.

`NAME.data-*` hold the numbers, `NAME.index` says where and with which checksums.  In a
local folder the index has its name only when all of them are on the disk.
"""

from __future__ import annotations

import os
import shutil

import tensorflow as tf

from vie_tf.storage import files, remote_files
from vie_tf.storage.errors import error_line
from vie_tf.storage.files import flush_to_disk

INDEX = ".index"
UNFINISHED = "_temp"  # ends the name of a folder
# What TensorFlow raises for files that are cut, mixed up or gone.
_DAMAGES = (tf.errors.OpError, OSError, LookupError, RuntimeError, ValueError)


def write(checkpoint: tf.train.Checkpoint, path: str) -> None:
    """Writes a checkpoint; a damaged one of the same name is replaced.

    Args:
      checkpoint: of the state.
      path: of the checkpoint, without the ends of the names of its files.
    """
    # Made in any case, as older checkpoints have it and are read by the same calls.
    assert checkpoint.save_counter is not None
    if remote_files.is_remote(path):
        checkpoint.write(path)  # an object has its name only when it is whole
        return
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        os.makedirs(folder)
        flush_to_disk(os.path.dirname(folder) or ".")
    unfinished = f"{path}{UNFINISHED}"
    checkpoint.write(os.path.join(unfinished, name))
    names = sorted(os.listdir(unfinished))  # the index comes after the data
    for file in names:
        flush_to_disk(os.path.join(unfinished, file))
    for file in names:
        os.replace(os.path.join(unfinished, file), os.path.join(folder, file))
    shutil.rmtree(unfinished)
    flush_to_disk(folder)


def remove(path: str) -> None:
    """Removes the files of a checkpoint, its index first; there need not be any."""
    names = files.names_in(os.path.dirname(path))
    of_checkpoint = [n for n in names if n.startswith(f"{os.path.basename(path)}.")]
    for name in sorted(of_checkpoint, reverse=True):
        files.remove(os.path.join(os.path.dirname(path), name))


def damage_of(path: str) -> str | None:
    """Why a checkpoint cannot be read, None if it can.

    Reads all of it, since files can be cut anywhere: 0.1 s for 200 MB, plus the time
    of the disk.  TensorFlow compares the checksums.
    """
    if not files.exists(f"{path}{INDEX}"):
        return f"there is no {os.path.basename(path)}{INDEX}"
    try:
        reader = tf.train.load_checkpoint(path)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except _DAMAGES as error:
        return error_line(error)
    return None
