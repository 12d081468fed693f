"""Answers one request: a file of the page, or the upload of a query.

Requests may be hostile.  Every website that is open in a browser on this machine can
send some to it (that is why Host and Origin are checked), and so can every program.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import socket
import time
from http import HTTPStatus
from typing import Any, Mapping

from vie_tf.serve.query_worker import QueryRefused
from vie_tf.serve.uploads import Refused, length_of_body
from vie_tf.storage.errors import UserError

QUERY_ADDRESS = "/query"
IDLE_SECS = 10.0  # until something comes, or can be sent
_PAGE_ADDRESSES = ("/", "/index.html")
_UPLOAD_TYPE = "application/octet-stream"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Connection": "close",
}
_NOTHING = "default-src 'none'; frame-ancestors 'none'"  # of what is no page
_DRAINED_BYTES, _DRAINED_SECS = 2**26, 2.0
_CHUNK_BYTES = 2**18


class RequestHandler(http.server.BaseHTTPRequestHandler):
    """Answers a request, and closes the connection.

    Attributes:
      server: the `PageServer` that has the connection.
    """

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECS
    server: Any  # Its class is not imported, as it imports this one.
    _is_head = False

    def handle(self) -> None:
        """Answers one request."""
        with contextlib.suppress(ConnectionError, socket.timeout):
            self.close_connection = True
            self.handle_one_request()

    def parse_request(self) -> bool:
        """Reads request line and headers, and refuses what is no request to here."""
        if not super().parse_request():
            return False
        self.close_connection = True
        self._is_head = self.command == "HEAD"
        self.server.request_is_read(self.connection)
        try:
            self._check_request()
        except Refused as refusal:
            self._refuse(refusal)
            return False
        return True

    def _check_request(self) -> None:
        if self.request_version == "HTTP/0.9":
            self.request_version = self.protocol_version  # of the answer
            raise Refused(HTTPStatus.BAD_REQUEST, "HTTP/1.1 is spoken here")
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or not self.server.is_allowed_host(hosts[0]):
            # A website whose name leads to this machine, perhaps: DNS rebinding.
            raise Refused(
                HTTPStatus.MISDIRECTED_REQUEST,
                "this server is not called so: use the address that it has printed",
            )
        if self.command not in ("GET", "HEAD", "POST"):
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "there is GET, HEAD and POST")

    def handle_expect_100(self) -> bool:
        """Lets the body come only after the checks, in `do_POST`."""
        return True

    def do_GET(self) -> None:  # noqa: N802, the name is that of the library
        """Sends a file of the page."""
        address = self.path.partition("?")[0]
        if address in _PAGE_ADDRESSES:
            files = self.server.files
            kind = "text/html; charset=utf-8"
            self._send(HTTPStatus.OK, kind, files.html, files.policy, "no-cache")
        elif address in self.server.files.sheets:
            self._send_sheet(self.server.files.sheets[address])
        elif address == QUERY_ADDRESS:
            self._refuse(Refused(HTTPStatus.METHOD_NOT_ALLOWED, "queries are POSTed"))
        else:
            self._refuse(Refused(HTTPStatus.NOT_FOUND, "there is nothing here"))

    do_HEAD = do_GET  # noqa: N815

    def _send_sheet(self, path: str) -> None:
        try:
            # What has become a link since the start leads elsewhere.
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                content = file.read()
        except OSError:
            self._refuse(Refused(HTTPStatus.NOT_FOUND, "it is no longer there"))
            return
        caching = "private, max-age=60"  # of pages that are made again
        self._send(HTTPStatus.OK, "image/jpeg", content, _NOTHING, caching)

    def do_POST(self) -> None:  # noqa: N802
        """Answers the query in the body."""
        try:
            if self.path != QUERY_ADDRESS:
                is_page = self.path in (*_PAGE_ADDRESSES, *self.server.files.sheets)
                if is_page:
                    raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "it is only read")
                raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
            self._check_sender()
            length = length_of_body(self.headers, self.server.max_upload_bytes)
            with self.server.slot() as has_slot:
                if not has_slot:
                    raise Refused(
                        HTTPStatus.SERVICE_UNAVAILABLE,
                        "other queries are waiting; try again in a moment",
                    )
                if self.headers.get("Expect", "").lower() == "100-continue":
                    self.send_response_only(HTTPStatus.CONTINUE)
                    self.end_headers()
                answer = self._answer(length)
        except Refused as refusal:
            self._refuse(refusal)
        else:
            self._send_json(HTTPStatus.OK, answer)

    def _check_sender(self) -> None:
        """Refuses what a page of another origin may have sent.

        Its scripts cannot send this type of content without asking first, by an OPTIONS
        that is refused; browsers say where a request comes from in Origin.
        """
        origins = self.headers.get_all("Origin") or []
        host = self.headers["Host"]
        own = (f"http://{host}", f"https://{host}")
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        if any(origin not in own for origin in origins) or site != "same-origin":
            raise Refused(HTTPStatus.FORBIDDEN, "another website has sent this")
        if self.headers.get("Content-Type") != _UPLOAD_TYPE:
            raise Refused(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"an upload is the bytes of a video, with Content-Type: {_UPLOAD_TYPE}",
            )

    def _answer(self, length: int) -> Any:
        try:
            with self.server.uploads.received(self.rfile, length) as path:
                return self.server.answer(path)
        except socket.timeout:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, "it comes too slowly") from None
        except QueryRefused as refusal:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(refusal)) from None
        except UserError as error:
            print(f"A query was not answered: {error}", flush=True)
            raise Refused(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "the server can answer no queries; its terminal says why",
            ) from None

    def _refuse(self, refusal: Refused) -> None:
        more = {}
        if refusal.status is HTTPStatus.METHOD_NOT_ALLOWED:
            more["Allow"] = "POST" if self.path == QUERY_ADDRESS else "GET, HEAD"
        if refusal.status is HTTPStatus.SERVICE_UNAVAILABLE:
            more["Retry-After"] = "5"
        self._send_json(refusal.status, {"error": refusal.reason}, more)
        self._drain()

    def send_error(
        self, code: int, message: str | None = None, explain: str | None = None
    ) -> None:
        """Refuses what the library refuses, without repeating any of it."""
        self.close_connection = True
        if not hasattr(self, "path"):
            self.path = ""
        self.request_version = self.protocol_version
        self._refuse(Refused(HTTPStatus(code), HTTPStatus(code).phrase.lower()))

    def _send_json(
        self, status: HTTPStatus, content: Any, more: Mapping[str, str] | None = None
    ) -> None:
        body = json.dumps(content).encode()
        self._send(status, "application/json", body, _NOTHING, "no-store", more)

    def _send(
        self,
        status: HTTPStatus,
        kind: str,
        body: bytes,
        policy: str,
        caching: str,
        more: Mapping[str, str] | None = None,
    ) -> None:
        # Without the lines Server and Date of `send_response`.
        self.send_response_only(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": policy,
            "Cache-Control": caching,
            **_HEADERS,
            **(more or {}),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if not self._is_head:
            # The time limit is for each of them, not for megabytes over a slow network.
            for start in range(0, len(body), _CHUNK_BYTES):
                self.wfile.write(body[start : start + _CHUNK_BYTES])

    def _drain(self) -> None:
        """Reads what still comes for a moment.

        Closing a connection before throws the answer away with what was not read.
        """
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_DRAINED_SECS)
            end = time.monotonic() + _DRAINED_SECS
            left = _DRAINED_BYTES
            while left > 0 and time.monotonic() < end:
                chunk = self.rfile.read1(2**16)
                if not chunk:
                    return
                left -= len(chunk)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Prints nothing: the terminal is for what its user has to know."""
