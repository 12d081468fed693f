"""The folder of a data set while it is written: lock, unfinished files, errors."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import tempfile
import uuid
from typing import Iterator

from data_prep.workers.worker_pool import WorkerDied
from vie_tf.storage import remote_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import file_errors
from vie_tf.storage.folder_lock import FolderLock

STATE_DIR = ".shards"  # holds the plan and the metadata of finished shards
_UNFINISHED = ".tmp"
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def scratch_dir(data_dir: str) -> str:
    """Makes and returns the local folder for unfinished files of a data set.

    Every run uses the same one, so that the next run removes the files of a killed one.

    Raises:
      UserError: the folder cannot be made.
    """
    folder, mode = os.path.join(data_dir, STATE_DIR), 0o777
    if remote_files.is_remote(data_dir):
        place = hashlib.sha256(data_dir.rstrip("/").encode()).hexdigest()[:16]
        name = f"vie_tf-{os.getuid()}-{place}"
        folder, mode = os.path.join(tempfile.gettempdir(), name), 0o700
    try:
        os.makedirs(folder, mode, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder {folder!r} cannot be made ({error.strerror}); choose another"
            " --output_dir."
        ) from error
    return folder


def lock(data_dir: str) -> FolderLock:
    """Returns the lock that keeps other conversions out of a data folder.

    For a remote folder, it only keeps out those on this machine.
    """
    doing = f"converting into {data_dir!r}"
    return FolderLock(scratch_dir(data_dir), doing, "--output_dir")


def unfinished_path(data_dir: str, name: str) -> str:
    """Returns a new local path to write the file `name` of a data set to.

    It is unique, because orphaned workers, or workers on other machines, may write the
    same file.
    """
    unfinished = f"{name}.{uuid.uuid4().hex}{_UNFINISHED}"
    return os.path.join(scratch_dir(data_dir), unfinished)


def remove_unfinished(data_dir: str, name: str = "*") -> None:
    """Removes unfinished files of stopped workers, all or those of one `name`."""
    folder = glob.escape(scratch_dir(data_dir))
    for path in glob.glob(os.path.join(folder, f"{name}.*{_UNFINISHED}")):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


@contextlib.contextmanager
def user_errors(data_dir: str) -> Iterator[None]:
    """Turns full disks, folders without access and dead workers into UserErrors."""
    try:
        with file_errors(data_dir):
            yield
    except WorkerDied as error:
        raise UserError(_advice(error)) from error
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        raise UserError(
            f"The disk that holds {os.path.dirname(scratch_dir(data_dir))!r} is full."
            " Finished shards are kept; make room and run the same command again."
        ) from error


def _advice(death: WorkerDied) -> str:
    advice = ["Finished shards are kept, and the same command continues"]
    if death.was_killed:
        advice.append("perhaps memory ran out: try a smaller --num_processes")
    if death.item is not None:
        advice.append("to skip that video, put an empty file in its place")
    return f"{death} {'; '.join(advice)}."
