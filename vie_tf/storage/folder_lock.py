"""Keeps a second process from writing to a folder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
from types import TracebackType
from typing import TextIO

from vie_tf.storage import remote_files

NAME = "lock"  # of the file, which is removed at the end
# Of file systems that have no locks, as some clusters mount them.
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP)


class FolderLock:
    """A lock on a folder, given back at the end of a `with` block.

    The system gives it back when the process ends, however that comes about, so a kill
    leaves nothing to be cleaned up.  Remote folders are not locked, nor file systems
    that have no locks.

    Args:
      folder: locked on entry if it is there, else by `take`.
      doing: what the process does that has it, for the message of others.
      flag: by which another folder can be chosen.
    """

    def __init__(self, folder: str, doing: str, flag: str) -> None:
        self._folder, self._doing, self._flag = folder, doing, flag
        self._file: TextIO | None = None

    def __enter__(self) -> FolderLock:
        """Locks the folder if it is there."""
        if not remote_files.is_remote(self._folder) and os.path.isdir(self._folder):
            self.take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Gives the lock back."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            os.remove(self._path())
        self._file.close()
        self._file = None

    def take(self) -> None:
        """Locks the folder, which is made if it is missing.

        Raises:
          ValueError: another process has locked it, or it cannot be made.
        """
        if remote_files.is_remote(self._folder) or self._file is not None:
            return
        try:
            os.makedirs(self._folder, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"The folder {self._folder!r} cannot be made ({error.strerror}): choose"
                f" another {self._flag}."
            ) from error
        while self._file is None:
            self._file = self._try()
        self._file.truncate(0)
        self._file.write(f"{os.getpid()} on {socket.gethostname()}\n")
        self._file.flush()

    def _try(self) -> TextIO | None:
        """The locked file, None where its owner removed it meanwhile."""
        # To append: whoever opens it in vain must not wipe out who holds it.
        file = open(self._path(), "a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise ValueError(
                f"Another process ({holder}) is {self._doing}: wait for its end, stop"
                f" it, or choose another {self._flag}."
            ) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                file.close()
                raise
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), os.stat(self._path())):
                return file
        file.close()
        return None

    def _path(self) -> str:
        return os.path.join(self._folder, NAME)
