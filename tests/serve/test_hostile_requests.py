"""Requests by raw sockets to a real server; a function answers its queries."""

import contextlib
import os
import pathlib
import tempfile
import threading
import time

import pytest
from collection_fixtures import EVIL, make_collection, make_reader
from http_fixtures import UPLOAD, connect, reply_of, request, send

from vie_tf.config.serve import ServerConfig
from vie_tf.explore.page import write_page
from vie_tf.serve import page_server, request_handler, uploads
from vie_tf.serve.page_files import PageFiles
from vie_tf.serve.page_server import PageServer
from vie_tf.serve.query_worker import QueryRefused
from vie_tf.serve.uploads import Uploads
from vie_tf.storage.errors import UserError

LIMIT = 100_000  # bytes of an upload


@pytest.fixture(name="page", scope="module")
def fixture_page(tmp_path_factory):
    """A page beside a file that must not be read, and a link to it."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "secret.txt").write_text("secret")
    page = folder / "page"
    write_page.write(make_collection(20), make_reader(), str(page), check_frames=False)
    os.symlink(folder / "secret.txt", page / "stills" / "0001.jpg")
    (page / "stills" / "notes.txt").write_text("secret")
    return page


@pytest.fixture(name="serve")
def fixture_serve(page, tmp_path, monkeypatch):
    """Starts servers on free ports; `received` has the files that they were asked."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with contextlib.ExitStack() as stack:

        def serve(answer=lambda path: {"length": os.path.getsize(path)}, **settings):
            config = ServerConfig(port=0, max_upload_mb=LIMIT / 1e6, **settings)
            folder = stack.enter_context(Uploads())
            server = stack.enter_context(PageServer(config, folder))
            server.files = PageFiles.load(str(page), server.max_upload_bytes)
            server.answer = answer
            threading.Thread(target=server.serve_forever, args=(0.05,)).start()
            stack.callback(server.shutdown)
            return server.server_address[1]

        yield serve


@pytest.fixture(name="port")
def fixture_port(serve):
    return serve()


def uploaded_files(tmp_path):
    return [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_page_and_its_pictures_are_served(port, page):
    for address in ("/", "/index.html", "/?1", "/#2"):
        reply = request(port, address)
        assert reply.status == (200 if "#" not in address else 404)
    reply = request(port)
    assert b'<meta name="vie-tf-upload" content="100000">' in reply.body
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    still = request(port, "/stills/0000.jpg")
    assert still.body == (page / "stills" / "0000.jpg").read_bytes()
    assert still.headers["content-type"] == "image/jpeg"
    head = request(port, "/stills/0000.jpg", "HEAD")
    assert head.status == 200 and head.body == b""
    assert head.headers["content-length"] == str(len(still.body))


def test_every_answer_has_headers_that_protect_and_none_that_tell(port):
    for address in ("/", "/stills/0000.jpg", "/nothing", "/query"):
        headers = request(port, address).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers
    policy = request(port).headers["content-security-policy"]
    assert "script-src 'sha256-" in policy and "unsafe" not in policy


@pytest.mark.parametrize(
    "address",
    [
        *("/../secret.txt", "/stills/../../secret.txt", "/stills/..%2f..%2fsecret.txt"),
        *("/%2e%2e/secret.txt", "/%252e%252e/secret.txt", "/..\\secret.txt"),
        *("/..;/secret.txt", "//etc/passwd", "/etc/passwd", "/stills//../index.html"),
        *("file:///etc/passwd", "http://127.0.0.1/etc/passwd", "*", "etc/passwd"),
        *("/stills", "/stills/", "/strips/", "/%00", "/stills/0000.jpg%00.html"),
        *("/stills/0001.jpg", "/stills/notes.txt", "/stills/0000%2ejpg", "/query/"),
        *("/INDEX.HTML", "/index.html/", "/~root", "/proc/self/environ"),
    ],
)
def test_nothing_else_of_the_disk_can_be_reached(address, port):
    reply = request(port, address)
    assert reply.status == 404 and b"secret" not in reply.body


@pytest.mark.parametrize(
    "address", [b"/\0", b"/stills/0000.jpg\0", b"/\xff\xfe", b"/\xc0\xae\xc0\xae/x"]
)
def test_bytes_that_no_address_has_lead_nowhere(address, port):
    assert request(port, address).status == 404


def test_a_picture_that_has_become_a_link_is_not_followed(serve, page, tmp_path):
    picture = page / "strips" / "0001.jpg"
    content, port = picture.read_bytes(), serve()
    picture.unlink()
    picture.symlink_to(page.parent / "secret.txt")
    try:
        assert request(port, "/strips/0001.jpg").status == 404
    finally:
        picture.unlink()
        picture.write_bytes(content)


@pytest.mark.parametrize(
    ("method", "address", "status", "allowed"),
    [
        *((method, "/", 405, "GET, HEAD") for method in ("PUT", "DELETE", "OPTIONS")),
        *((method, "/", 405, "GET, HEAD") for method in ("TRACE", "CONNECT", "get")),
        ("POST", "/", 405, "GET, HEAD"),
        ("GET", "/query", 405, "POST"),
        ("OPTIONS", "/query", 405, "POST"),
        ("POST", "/nothing", 404, None),
    ],
)
def test_other_methods_are_refused(method, address, status, allowed, port):
    reply = request(port, address, method, b"x" if method == "POST" else None)
    assert (reply.status, reply.headers.get("allow")) == (status, allowed)


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "localhost.evil"),
        *("user@127.0.0.1", "127.0.0.1:80:80", "[::1", "0.0.0.0", "0x7f.1", None),
    ],
)
@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", b"x")])
def test_other_names_for_this_machine_are_refused(host, method, body, port):
    address = "/query" if body else "/"
    assert request(port, address, method, body, Host=host).status == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]:9"])
def test_its_own_names_are_answered_at_any_port(host, port):
    assert request(port, Host=host).status == 200


def test_two_hosts_are_none(port):
    lines = b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"
    assert send(port, lines).status == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1", "http://localhost:1"]
)
def test_an_upload_of_another_website_is_refused(origin, port, tmp_path):
    reply = request(port, "/query", "POST", b"x", Origin=origin)
    assert reply.status == 403 and not uploaded_files(tmp_path)


def test_an_upload_that_a_form_can_send_is_refused(port):
    for kind in ("text/plain", "multipart/form-data; boundary=x", None):
        reply = request(port, "/query", "POST", b"x", Content_Type=kind, Origin=None)
        assert reply.status == 415
    reply = request(port, "/query", "POST", b"x", Sec_Fetch_Site="cross-site")
    assert reply.status == 403


def test_an_upload_is_answered_and_gone_afterwards(serve, tmp_path):
    seen = []

    def answer(path):
        mode = os.stat(os.path.dirname(path)).st_mode & 0o777
        content = pathlib.Path(path).read_bytes()
        seen.append((os.path.basename(path), mode, content))
        (pathlib.Path(path).parent / "decoded").write_bytes(b"frames")
        return {"name": EVIL}

    reply = request(serve(answer), "/query", "POST", b"video", X_Name="../../x")
    assert reply.json() == {"name": EVIL} and reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert seen == [("query", 0o700, b"video")]
    assert not uploaded_files(tmp_path)


def test_a_program_needs_no_origin(port):
    reply = request(port, "/query", "POST", b"12345", Origin=None)
    assert reply.json() == {"length": 5}


@pytest.mark.parametrize(
    ("length", "status"),
    [
        *((str(LIMIT + 1), 413), ("9" * 15, 413), ("9" * 5000, 400), ("-1", 400)),
        *(("0", 400), ("+5", 400), ("0x5", 400), ("5, 5", 400), ("", 400), ("٥", 400)),
        (None, 411),
    ],
)
def test_a_length_that_is_none_or_too_large_is_refused(length, status, port, tmp_path):
    reply = request(port, "/query", "POST", b"x", Content_Length=length)
    assert reply.status == status and not uploaded_files(tmp_path)


def test_two_lengths_and_chunks_are_refused(port):
    start = b"POST /query HTTP/1.1\r\nHost: localhost\r\n"
    start += b"Content-Type: application/octet-stream\r\n"
    lengths = b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
    assert send(port, start + lengths).status == 400
    chunked = b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    assert send(port, start + chunked).status == 411
    assert send(port, start + b"Content-Length: 5\r\n" + chunked).status == 411


def test_of_a_body_no_more_is_read_than_was_said(port):
    reply = request(port, "/query", "POST", b"12345678", Content_Length="3")
    assert reply.json() == {"length": 3}


def test_a_body_that_ends_early_is_refused(serve, tmp_path):
    asked = []
    port = serve(asked.append)
    with connect(port) as connection:
        connection.sendall(headers_of_upload(10) + b"123")
        connection.shutdown(1)  # nothing more is sent
        reply = reply_of(connection)
    assert reply.status == 400 and "7 bytes" in reply.error
    assert not asked and not uploaded_files(tmp_path)


def headers_of_upload(length):
    lines = ["POST /query HTTP/1.1", "Host: localhost", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in UPLOAD.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_a_body_that_stops_is_given_up(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(request_handler.RequestHandler, "timeout", 0.3)
    with connect(serve()) as connection:
        connection.sendall(headers_of_upload(10) + b"123")
        assert reply_of(connection).status == 408
    assert not uploaded_files(tmp_path)


def test_a_body_of_single_bytes_is_given_up(serve, monkeypatch):
    monkeypatch.setattr(uploads, "_FIRST_SECS", 0.5)
    with connect(serve()) as connection:
        connection.sendall(headers_of_upload(1000))
        with contextlib.suppress(ConnectionError):
            for _ in range(20):
                connection.sendall(b"x")
                time.sleep(0.1)
        assert reply_of(connection).status in (408, 0)  # 0 where it was sent on


def test_headers_of_single_bytes_are_given_up(serve, monkeypatch):
    monkeypatch.setattr(page_server, "IDLE_SECS", 0.5)
    start = time.monotonic()
    with connect(serve()) as connection:
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                connection.sendall(b"G")
                time.sleep(0.1)
        assert reply_of(connection).status in (0, 400)
    assert time.monotonic() - start < 9


@pytest.mark.parametrize(
    ("content", "status"),
    [
        *((b"GET /\r\n\r\n", 400), (b"\0\1\2\3\r\n\r\n", 400), (b"GET\r\n\r\n", 400)),
        *((b"GET / HTTP/2.0\r\n\r\n", 505), (b"GET / FTP/1.1\r\n\r\n", 400)),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"<script>alert(1)</script> / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # TLS
    ],
)
def test_what_is_no_request_is_refused_and_not_repeated(content, status, port):
    reply = send(port, content)
    assert reply.status == status and b"script" not in reply.body
    assert "server" not in reply.headers


def test_more_queries_than_wanted_are_told_to_come_again(serve):
    go_on = threading.Event()
    port = serve(lambda path: go_on.wait(60), max_queries=2)
    with connect(port) as first, connect(port) as second:
        for connection in (first, second):
            connection.sendall(headers_of_upload(1) + b"x")
        end = time.monotonic() + 30
        while True:  # until both have their places
            reply = request(port, "/query", "POST", b"x")
            if reply.status == 503 or time.monotonic() > end:
                break
        assert reply.status == 503 and reply.headers["retry-after"] == "5"
        assert request(port).status == 200  # the page is shown meanwhile
        go_on.set()
        assert reply_of(first).status == reply_of(second).status == 200
    assert request(port, "/query", "POST", b"x").status == 200


def test_more_connections_than_wanted_are_refused(serve, monkeypatch):
    monkeypatch.setattr(page_server, "_MOST_CONNECTIONS", 3)
    port = serve()
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(connect(port))
        assert request(port).status in (503, 0)
    end = time.monotonic() + 30
    while request(port).status != 200:
        assert time.monotonic() < end


def test_a_query_that_cannot_be_read_says_why(serve):
    def answer(path):
        raise QueryRefused(f"it is no {EVIL}")

    reply = request(serve(answer), "/query", "POST", b"x")
    assert (reply.status, reply.error) == (422, f"it is no {EVIL}")
    assert reply.headers["content-type"] == "application/json"


def test_a_server_that_can_answer_nothing_names_no_folder(serve, capsys):
    def answer(path):
        raise UserError("There are no embeddings in '/secret'.")

    reply = request(serve(answer), "/query", "POST", b"x")
    assert reply.status == 500 and "secret" not in reply.error
    assert "/secret" in capsys.readouterr().out


def test_a_disk_without_room_is_told(serve, monkeypatch):
    def full(body, length, file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(uploads, "_copy", full)
    assert request(serve(), "/query", "POST", b"x").status == 507
