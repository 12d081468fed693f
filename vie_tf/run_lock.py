"""Keeps a second process from writing to the folder of a run."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from types import TracebackType
from typing import TextIO

from vie_tf import remote_files

_NAME = "lock"
# Of file systems that have no locks, as some clusters mount them.
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP)


class RunLock:
    """A lock on the folder of a run, given back at the end of a `with` block.

    The system gives it back when the process ends, however that comes about, so a kill
    leaves nothing to be cleaned up.  Remote folders are not locked, nor file systems
    that have no locks.

    Args:
      model_dir: folder of the run; locked on entry if it is there, else by `take`.
    """

    def __init__(self, model_dir: str) -> None:
        self._model_dir = model_dir
        self._file: TextIO | None = None

    def __enter__(self) -> RunLock:
        """Locks the folder if it is there."""
        if not remote_files.is_remote(self._model_dir) and os.path.isdir(
            self._model_dir
        ):
            self.take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Gives the lock back."""
        if self._file is not None:
            self._file.close()

    def take(self) -> None:
        """Locks the folder, which is made if it is missing.

        Raises:
          ValueError: another process has locked it.
        """
        if remote_files.is_remote(self._model_dir) or self._file is not None:
            return
        os.makedirs(self._model_dir, exist_ok=True)
        # To append: whoever opens it in vain must not wipe out who holds it.
        file = open(os.path.join(self._model_dir, _NAME), "a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise ValueError(
                f"Another process ({holder}) is training in {self._model_dir!r}: wait"
                " for its end, stop it, or choose another --model_dir."
            ) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                file.close()
                raise
        file.truncate(0)
        file.write(f"{os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        self._file = file
