"""A web server for the page of one index, in threads of this process.

Python's own server is enough: a handful of addresses, one answer for a connection, and
one or a few people.  What it lacks for requests that may be hostile is here: limits on
connections, on their time, and on queries.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import socketserver
import sys
import threading
import time
import traceback
from typing import Any, Callable, Iterator

from vie_tf.config.serve import ServerConfig
from vie_tf.serve.allowed_hosts import AllowedHosts, is_loopback
from vie_tf.serve.page_files import PageFiles
from vie_tf.serve.request_handler import IDLE_SECS, RequestHandler
from vie_tf.serve.uploads import Uploads
from vie_tf.storage.errors import UserError

_MOST_CONNECTIONS = 64  # a browser opens six
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Content-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n"
)


class PageServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens from the start, and answers while `serve_forever` runs.

    Args:
      config: where it listens, and what it accepts.
      uploads: folder of uploads.

    Attributes:
      url: address of the page.
      max_upload_bytes: largest upload.
      uploads: folder of uploads.
      files: files of the page.
      answer: answers the query in a file, see `QueryWorker.answer`.

    Raises:
      UserError: it cannot listen there.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = _MOST_CONNECTIONS
    files: PageFiles
    answer: Callable[[str], Any]

    def __init__(self, config: ServerConfig, uploads: Uploads) -> None:
        self.uploads = uploads
        self.max_upload_bytes = int(config.max_upload_mb * 1e6)
        self._hosts = AllowedHosts.of_server(config.host)
        self._queries = threading.BoundedSemaphore(config.max_queries)
        self._connections = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        self._deadlines: dict[socket.socket, float] = {}
        self.address_family, address = _address_of(config)
        try:
            super().__init__(address, RequestHandler)
        except OSError as error:
            raise UserError(_why_not(error, config)) from error
        name = f"[{config.host}]" if ":" in config.host else config.host
        if config.host in ("0.0.0.0", "::"):
            name = socket.gethostname()
        self.url = f"http://{name}:{self.server_address[1]}/"

    # ------------------------------------------------------------- what handlers use

    def is_allowed_host(self, host: str) -> bool:
        """Tells whether the server may be called by this value of Host."""
        return host in self._hosts

    @contextlib.contextmanager
    def slot(self) -> Iterator[bool]:
        """Takes a place for a query; yields False if all are taken."""
        has_slot = self._queries.acquire(blocking=False)
        try:
            yield has_slot
        finally:
            if has_slot:
                self._queries.release()

    def request_is_read(self, connection: socket.socket) -> None:
        """Ends the time limit for request line and headers."""
        self._deadlines.pop(connection, None)

    # -------------------------------------------------------------- connections

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answers a connection in a thread of its own, or refuses it if there are many.

        Its request line and headers have to come within a time; single bytes now and
        then do not prolong it.
        """
        if not self._connections.acquire(blocking=False):
            with contextlib.suppress(OSError):
                request.setblocking(False)
                request.sendall(_BUSY)
                request.shutdown(socket.SHUT_WR)
                request.recv(2**16)  # What is not read would throw the answer away.
            self.shutdown_request(request)
            return
        self._deadlines[request] = time.monotonic() + IDLE_SECS
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answers a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._deadlines.pop(request, None)
            self._connections.release()

    def service_actions(self) -> None:
        """Ends connections that are late; is called twice a second."""
        now = time.monotonic()
        for connection, end in list(self._deadlines.items()):
            if now > end:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Prints faults of the program; what a visitor does is none."""
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc()


def warning_of(host: str) -> str:
    """Returns what it means to listen on an address; nothing for this machine alone."""
    if is_loopback(host):
        return ""
    return (
        f"--host={host}: everyone who reaches this machine can look at the thumbnails"
        " and names of all videos and upload queries. There is no password, and nothing"
        " is encrypted."
    )


def _address_of(config: ServerConfig) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise UserError(
            f"--host={config.host} is no address of this machine; 127.0.0.1 is reached"
            " from this machine alone."
        ) from error
    family, _, _, _, address = found[0]
    return family, (str(address[0]), config.port)


def _why_not(error: OSError, config: ServerConfig) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"--port={config.port} is in use on {config.host}: give another one, or"
            " --port=0 for any that is free."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"--host={config.host} is no address of this machine; 127.0.0.1 is reached"
            " from this machine alone."
        )
    return (
        f"It is not possible to listen on {config.host}, --port={config.port}:"
        f" {error.strerror}."
    )
