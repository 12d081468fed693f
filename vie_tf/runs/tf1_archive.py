"""Where a TF1 checkpoint lies: files as they are, or in a tar archive.

Comes in: the path that a user gives.  Goes out: the prefix that `tf.train` reads; the
step after is `tf1_checkpoint`.  An archive may come from anywhere, so nothing of it is
written but the checkpoint, under a name of our own.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shutil
import tarfile
import tempfile
import zlib
from typing import Iterator

from vie_tf.storage.errors import UserError
from vie_tf.storage.files import exists

_CHECKPOINT_FILE = re.compile(r"\.index|\.data-\d{5}-of-\d{5}")


@contextlib.contextmanager
def unpacked(path: str) -> Iterator[str]:
    """Gives the prefix of a checkpoint; an archive is unpacked for as long.

    Args:
      path: prefix of a checkpoint's files, or a tar archive that holds one.

    Raises:
      UserError: there is neither, or the archive does not hold one checkpoint in
        plain files.
    """
    if exists(f"{path}.index"):
        yield path
        return
    if not os.path.isfile(path):
        raise UserError(
            f"There is no checkpoint {path!r}: give the path of its files up to"
            " .index, or a .tar or .tar.gz that holds them."
        )
    with tempfile.TemporaryDirectory() as folder:
        yield _unpack(path, folder)


def _unpack(path: str, folder: str) -> str:
    """Copies the one checkpoint in an archive to a folder and returns its prefix."""
    try:
        with tarfile.open(path) as archive:
            files = _files_of(path, archive)
            indices = [
                name
                for name in files
                # macOS adds a file ._NAME to every file.
                if name.endswith(".index") and not name.split("/")[-1].startswith("._")
            ]
            if len(indices) != 1:
                held = ", ".join(sorted(indices)) or "no file that ends in .index"
                raise UserError(
                    f"The archive {path} has to hold one checkpoint, but there is"
                    f" {held}. Unpack it and give the path of one checkpoint's files up"
                    " to .index."
                )
            stem = indices[0][: -len(".index")]
            for name, member in files.items():
                suffix = name[len(stem) :]
                if name.startswith(stem) and _CHECKPOINT_FILE.fullmatch(suffix):
                    source = archive.extractfile(member)
                    assert source is not None  # only for what is not a file
                    # Under a name of our own: the archive does not say where to write.
                    with source, open(f"{folder}/checkpoint{suffix}", "wb") as copy:
                        shutil.copyfileobj(source, copy)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        reason = str(error).partition("\n")[0].rstrip(":")
        raise UserError(
            f"{path} cannot be unpacked ({reason}). Give the path of a checkpoint's"
            " files up to .index, or a .tar or .tar.gz that holds them."
        ) from error
    return f"{folder}/checkpoint"


def _files_of(path: str, archive: tarfile.TarFile) -> dict[str, tarfile.TarInfo]:
    """Lists the files by name; raises ValueError where not all are plain files.

    By hand, as the filters of `tarfile` are missing from the first releases of
    Python 3.9 to 3.11.
    """
    files = {}
    for member in archive:
        parts = pathlib.PurePosixPath(member.name)
        if parts.is_absolute() or ".." in parts.parts:
            reason = "points outside of it"
        elif not (member.isreg() or member.isdir()):
            reason = "is a link or a device"
        else:
            if member.isreg():
                files[str(parts)] = member
            continue
        raise UserError(
            f"The archive {path} is not to be trusted: {member.name!r} {reason}. Make"
            " one of the checkpoint's files alone."
        )
    return files
