"""A lock that keeps a second process from writing to a folder.

The filelock package does not replace it: it truncates the lock file, which names the
holder, before it knows whether the lock is free, and fails on file systems without
locks.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
from types import TracebackType
from typing import TextIO

from vie_tf.storage import remote_files
from vie_tf.storage.errors import UserError

NAME = "lock"  # of the file, which is removed at the end
# Errors of file systems that have no locks, as some clusters mount them.
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP)


class FolderLock:
    """A lock on a folder, released at the end of a `with` block.

    The system releases it when the process ends, even by a kill.  Remote folders and
    file systems without locks are not locked.

    Args:
      folder: folder that is locked; it is made if it is missing, and removed at the
        end if nothing was written to it.
      doing: what the process does with the folder, for messages to other users.
      flag: flag that chooses another folder.
    """

    def __init__(self, folder: str, doing: str, flag: str) -> None:
        self._folder, self._doing, self._flag = folder, doing, flag
        self._path = os.path.join(folder, NAME)
        self._file: TextIO | None = None
        self._made: list[str] = []  # the innermost folder first

    def __enter__(self) -> FolderLock:
        """Locks the folder.

        Before anything in it is looked at: what another process writes until it ends
        would be overwritten.

        Raises:
          UserError: another process has locked it, or it cannot be made.
        """
        if not remote_files.is_remote(self._folder):
            self._take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Releases the lock."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            os.remove(self._path)
        self._file.close()
        self._file = None
        with contextlib.suppress(OSError):  # a folder that is not empty stays
            for folder in self._made:
                os.rmdir(folder)

    def _take(self) -> None:
        while self._file is None:
            self._make_folder()
            with contextlib.suppress(FileNotFoundError):  # if its owner has removed it
                self._file = self._try_to_lock()
        self._file.truncate(0)
        self._file.write(f"{os.getpid()} on {socket.gethostname()}\n")
        self._file.flush()

    def _make_folder(self) -> None:
        folder, missing = os.path.abspath(self._folder), []
        while not os.path.lexists(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        try:
            for folder in reversed(missing):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder)
                    self._made.insert(0, folder)
            os.makedirs(self._folder, exist_ok=True)  # raises if it is a file
        except FileNotFoundError:
            return  # another process has removed what it had made
        except OSError as error:
            raise UserError(
                f"The folder {self._folder!r} cannot be made ({error.strerror}): choose"
                f" another {self._flag}."
            ) from error

    def _try_to_lock(self) -> TextIO | None:
        """Returns the locked file, None if its owner has removed it meanwhile."""
        # Append mode, since a refused process must not erase the holder's name.
        file = open(self._path, "a+", encoding="utf-8", errors="replace")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise UserError(
                f"Another process ({holder}) is {self._doing}: wait until it ends, stop"
                f" it, or choose another {self._flag}."
            ) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                file.close()
                raise
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), os.stat(self._path)):
                return file
        file.close()
        return None
