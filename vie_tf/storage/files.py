"""Files and folders, local or remote: durable writes, and errors that name the path.

Every function takes a local path or an address (s3://, gs://, hdfs://), which it
connects first (`remote_files`), and raises `FileError` where the path cannot be used.
TensorFlow is imported for addresses alone: processes that decode videos, and do not
need it otherwise, would wait three seconds for it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import sys
from typing import Any, BinaryIO, Iterator

import google_crc32c

from vie_tf.storage import remote_files
from vie_tf.storage.errors import FileError, MissingFileError, UserError, error_line

# Some file systems cannot be asked to write a folder, or a file, to the disk.
_NO_FLUSH = (errno.EINVAL, errno.ENOTSUP)
# These show an object only after they received all of it, and rename by copying.
_OBJECT_STORES = ("s3://", "gs://")
_UNFINISHED = ".tmp"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def file_errors(path: str) -> Iterator[None]:
    """Turns errors of TensorFlow and the system about a path into `FileError`.

    TensorFlow's errors are no OSErrors and cannot be sent to another process.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, FileError) or error.errno is None:
            raise  # such as a ChildProcessError, which concerns no file
        kind = MissingFileError if error.errno == errno.ENOENT else FileError
        name = error.filename or path
        raise kind(error.errno, error.strerror, name) from error
    except Exception as error:
        of_path = _of_tensorflow(error, path)
        if of_path is None:
            raise
        raise of_path from error


def _of_tensorflow(error: Exception, path: str) -> FileError | None:
    """Returns the error of a path that one of TensorFlow stands for, if it is one."""
    if "tensorflow" not in sys.modules:
        return None
    import tensorflow as tf

    if isinstance(error, tf.errors.NotFoundError):
        return MissingFileError(errno.ENOENT, error_line(error), path)
    if isinstance(error, tf.errors.ResourceExhaustedError):
        return FileError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
    if isinstance(error, tf.errors.PermissionDeniedError):
        return FileError(errno.EACCES, error_line(error), path)
    if isinstance(error, tf.errors.OpError):
        return FileError(errno.EIO, error_line(error), path)
    return None


def _remote() -> Any:
    """Returns TensorFlow's functions for addresses."""
    import tensorflow as tf

    return tf.io.gfile


def _open(path: str) -> BinaryIO:
    """Opens a file for reading."""
    if remote_files.is_remote(path):
        remote: BinaryIO = _remote().GFile(path, "rb")
        return remote
    return open(path, "rb")


@contextlib.contextmanager
def full_disk_errors(folder: str) -> Iterator[None]:
    """Turns the error of a full disk into one that names a folder and what to do.

    Raises:
      UserError: there is no room for a file.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise UserError(
            f"The disk that holds {folder!r} is full ({error.strerror}). Make room and"
            " give the same command: it continues."
        ) from error


def flush_to_disk(path: str) -> None:
    """Returns when a local file, or the names in a local folder, are on the disk.

    Does nothing on a file system that does not support it.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise
    finally:
        os.close(descriptor)


def write_atomically(path: str, content: str | bytes) -> None:
    """Writes a file that never appears half written, even after a power cut."""
    remote_files.connect(path)
    data = content.encode() if isinstance(content, str) else content
    temporary = path if path.startswith(_OBJECT_STORES) else f"{path}{_UNFINISHED}"
    with file_errors(path):
        if not remote_files.is_remote(path):
            _write_locally(temporary, data)
            return publish(temporary, path)
        with _remote().GFile(temporary, "wb") as file:
            file.write(data)
        if temporary != path:
            _remote().rename(temporary, path, overwrite=True)


def _write_locally(path: str, data: bytes) -> None:
    """Writes a local file; a link of that name, to any other file, is replaced."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with open(os.open(path, flags, 0o666), "wb") as file:
        file.write(data)


def check_writable(path: str) -> None:
    """Checks that a local file can be written, before the work that makes it.

    Its folder is made if need be.  Of an address, only its store knows.

    Raises:
      FileError: its folder cannot be made or written, or it is a folder itself.
    """
    remote_files.connect(path)
    if remote_files.is_remote(path):
        return
    with file_errors(path):
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        _write_locally(f"{path}{_UNFINISHED}", b"")
        os.remove(f"{path}{_UNFINISHED}")


def read_bytes(path: str) -> bytes:
    """Returns the contents of a file."""
    remote_files.connect(path)
    with file_errors(path), _open(path) as file:
        return file.read()


def sha256_of(path: str) -> str:
    """Returns the checksum of a file as a hexadecimal string."""
    remote_files.connect(path)
    digest = hashlib.sha256()
    with file_errors(path), _open(path) as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def crc32c_of(path: str) -> int:
    """Returns the CRC-32C of a local file, which finds every damage of one byte."""
    checksum = 0
    with file_errors(path), open(path, "rb") as file:
        while block := file.read(2**20):
            checksum = google_crc32c.extend(checksum, block)
    return checksum


def check_crc32c(path: str, expected: int | None) -> None:
    """Checks that a local file is as it was written.

    Args:
      path: path of the file.
      expected: CRC-32C of the file when it was written; None if that was not noted, as
        in earlier versions, and nothing is checked.

    Raises:
      UserError: the file was changed.
    """
    if expected is not None and crc32c_of(path) != expected:
        raise UserError(
            f"{path} was damaged or changed since it was written (its checksum is"
            " another). Give the command that wrote it again."
        )


def exists(path: str) -> bool:
    """Returns whether there is a file or a folder."""
    remote_files.connect(path)
    if not remote_files.is_remote(path):
        return os.path.exists(path)
    with file_errors(path):
        return bool(_remote().exists(path))


def is_folder(path: str) -> bool:
    """Returns whether there is a folder."""
    remote_files.connect(path)
    if not remote_files.is_remote(path):
        return os.path.isdir(path)
    with file_errors(path):
        return bool(_remote().isdir(path))


def size_of(path: str) -> int:
    """Returns the size of a file in bytes."""
    remote_files.connect(path)
    with file_errors(path):
        if not remote_files.is_remote(path):
            return os.path.getsize(path)
        return int(_remote().stat(path).length)


def names_in(folder: str) -> list[str]:
    """Returns the sorted names in a folder; none if it does not exist."""
    remote_files.connect(folder)
    try:
        with file_errors(folder):
            if not remote_files.is_remote(folder):
                return sorted(os.listdir(folder))
            # An address without the last slash may name a bucket, which is not found.
            names = _remote().listdir(os.path.join(folder, ""))
            return sorted(name.rstrip("/") for name in names)
    except FileNotFoundError:
        return []


def make_folder(path: str) -> None:
    """Makes a folder and those above it, unless they exist."""
    remote_files.connect(path)
    with file_errors(path):
        if remote_files.is_remote(path):
            _remote().makedirs(path)
        else:
            os.makedirs(path, exist_ok=True)


def copy(source: str, target: str) -> None:
    """Copies a file and replaces the target."""
    remote_files.connect(source)
    remote_files.connect(target)
    with file_errors(source):
        if remote_files.is_remote(source) or remote_files.is_remote(target):
            _remote().copy(source, target, overwrite=True)
        else:
            shutil.copyfile(source, target)


def publish(finished: str, path: str) -> None:
    """Gives a finished file its name, under which it never appears half written.

    Args:
      finished: local file, on the same disk as `path` if that is local.
      path: local or remote file, which is replaced if it exists.
    """
    remote_files.connect(path)
    with file_errors(path):
        if not remote_files.is_remote(path):
            flush_to_disk(finished)
            os.replace(finished, path)
            flush_to_disk(os.path.dirname(path) or ".")
        elif path.startswith(_OBJECT_STORES):
            _remote().copy(finished, path, overwrite=True)
        else:
            _remote().copy(finished, f"{path}{_UNFINISHED}", overwrite=True)
            _remote().rename(f"{path}{_UNFINISHED}", path, overwrite=True)


def remove(path: str) -> None:
    """Removes a file or a folder with its contents, if there is one."""
    remote_files.connect(path)
    with contextlib.suppress(FileNotFoundError), file_errors(path):
        if remote_files.is_remote(path):
            system = _remote()
            (system.rmtree if system.isdir(path) else system.remove)(path)
        elif os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.remove(path)
