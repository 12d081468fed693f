"""Uploads: bodies of requests, in private files that are gone after the answer."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import socket
import tempfile
import time
from email.message import Message
from http import HTTPStatus
from typing import Iterator, Protocol

_CHUNK_BYTES = 2**16
_PREFIX = "vie_tf-serve-"
# Of a whole upload: some time to begin, and a slow network.
_FIRST_SECS, _SLOWEST_BYTES_PER_SECOND = 20.0, 5e5
_LENGTH = re.compile(r"[0-9]{1,15}")


class Refused(Exception):
    """A request that is not answered as it asks.

    Attributes:
      status: status of the answer.
      reason: reason in words, for a person.
    """

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Body(Protocol):
    """What a body is read from."""

    def read1(self, size: int = ..., /) -> bytes:
        """Returns some bytes, at most `size`; none at the end."""


def length_of_body(headers: Message, max_bytes: int) -> int:
    """Returns the length that a request claims for its body.

    Raises:
      Refused: it has none, or too large a one.
    """
    if headers.get_all("Transfer-Encoding"):
        raise Refused(
            HTTPStatus.LENGTH_REQUIRED,
            "an upload has to say its length, and cannot come in chunks",
        )
    lengths = headers.get_all("Content-Length") or []
    if not lengths:
        raise Refused(HTTPStatus.LENGTH_REQUIRED, "an upload has to say its length")
    if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]) or not int(lengths[0]):
        raise Refused(HTTPStatus.BAD_REQUEST, "that is not the length of a video")
    if int(lengths[0]) > max_bytes:
        raise Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the video is larger than {max_bytes / 1e6:g} MB (--max_upload_mb)",
        )
    return int(lengths[0])


class Uploads:
    """A private folder for uploads; a context manager, which removes it."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix=_PREFIX)

    def __enter__(self) -> Uploads:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.contextmanager
    def received(self, body: Body, length: int) -> Iterator[str]:
        """Yields the path of a file with a body, in a folder that is then removed.

        Args:
          body: connection, with a time limit for each of its reads.
          length: number of bytes, which is never exceeded.

        Raises:
          Refused: it ends early, comes too slowly, or the disk is full.
        OSError: the connection has ended, or nothing comes.
        """
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            path = os.path.join(folder, "query")
            try:
                with open(path, "xb") as file:
                    _copy(body, length, file)
            except OSError as error:
                if isinstance(error, (socket.timeout, ConnectionError)):
                    raise
                raise Refused(
                    HTTPStatus.INSUFFICIENT_STORAGE,
                    "the server has no room for it",
                ) from error
            yield path


def _copy(body: Body, length: int, file: io.BufferedWriter) -> None:
    end = time.monotonic() + _FIRST_SECS + length / _SLOWEST_BYTES_PER_SECOND
    left = length
    while left:
        chunk = body.read1(min(left, _CHUNK_BYTES))
        if not chunk:
            raise Refused(HTTPStatus.BAD_REQUEST, f"{left} bytes of it are missing")
        if time.monotonic() > end:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, "it comes too slowly")
        file.write(chunk)
        left -= len(chunk)
