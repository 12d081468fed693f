"""vie-tf serve, from the command line: real videos, uploads and signals."""

import os
import signal
import socket

import numpy as np
import pytest
from collection_fixtures import write_index
from commands import error_of, run_command
from http_fixtures import request
from process_fixtures import descendants_of, wait_until_gone
from served_fixtures import moving_square, serving, write_index_of_squares
from video_fixtures import cut, write_pictures

pytestmark = pytest.mark.process


@pytest.fixture(name="index", scope="module")
def fixture_index(tmp_path_factory):
    return write_index_of_squares(tmp_path_factory.mktemp("squares"))


@pytest.fixture(name="port", scope="module")
def fixture_port(index, tmp_path_factory):
    output = tmp_path_factory.mktemp("serve") / "output.txt"
    with serving(index, output) as (_, port):
        yield port


def upload(port, content):
    return request(port, "/query", "POST", content)


def test_an_upload_finds_its_own_video_first_and_its_class_next(port, index):
    content = (index.parent / "videos" / "right" / "1.avi").read_bytes()
    reply = upload(port, content)
    assert reply.status == 200
    found = reply.json()["found"]
    # Videos of the page are in the order of the folder: down, right, slanting.
    assert found[0] == {"video": 4, "percentile": 10_000, "span": None}
    assert len(found) == 9
    assert reply.json()["strip"]["frames"] == 3  # of 0.64 s, four a second


def test_a_new_video_finds_those_that_move_alike(port, tmp_path):
    write_pictures(tmp_path / "new.mp4", moving_square((4, 0), 3))
    found = upload(port, (tmp_path / "new.mp4").read_bytes()).json()["found"]
    assert {one["video"] for one in found[:3]} == {3, 4, 5}


@pytest.mark.parametrize(
    "content",
    [
        *(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", b"<script>alert(1)</script>"),
        *(b"ffconcat version 1.0\nfile /etc/passwd\n", b"\0" * 5000, b"GIF8"),
        b"\x1a\x45\xdf\xa3" + b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n" * 9,
    ],
)
def test_what_is_no_video_is_refused_by_its_content(content, port):
    reply = upload(port, content)
    assert reply.status == 422 and "/" not in reply.error


def test_a_damaged_video_is_refused_with_the_reason(port, tmp_path):
    write_pictures(tmp_path / "new.mp4", moving_square((4, 0), 3))
    cut(tmp_path / "new.mp4", 0.3)
    reply = upload(port, (tmp_path / "new.mp4").read_bytes())
    assert reply.status == 422 and "cut short" in reply.error


def test_a_picture_is_no_query_where_motion_is_compared(port, index):
    picture = (index.parent / "index_page" / "stills" / "0000.jpg").read_bytes()
    reply = upload(port, picture)
    assert reply.status == 422 and "picture" in reply.error


def test_a_decoder_that_takes_too_long_is_ended(index, tmp_path):
    content = (index.parent / "videos" / "right" / "1.avi").read_bytes()
    flags = "--max_query_secs=0.001", "--nocheck_frames"
    with serving(index, tmp_path / "output.txt", *flags) as (process, port):
        first = descendants_of(process.pid)
        assert "more than 0.001 seconds" in upload(port, content).error
        assert request(port).status == 200
        assert upload(port, content).status == 422
        # Others have taken its place.
        assert len(descendants_of(process.pid) - first) >= 1


@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_it_and_its_process(number, code, index, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    output = tmp_path / "output.txt"
    with serving(index, output) as (process, port):
        assert request(port).status == 200
        children = descendants_of(process.pid)
        os.kill(process.pid, getattr(signal, number))
        process.join(60)
    assert process.exitcode == code
    assert children
    wait_until_gone(children)
    assert "Traceback" not in output.with_suffix(".err").read_text()
    assert not list(tmp_path.glob("vie_tf*"))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_kill_leaves_no_process_behind(index, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # whose folders a kill leaves behind
    with serving(index, tmp_path / "output.txt") as (process, port):
        assert request(port).status == 200
        children = descendants_of(process.pid)
        process.kill()
        process.join()
        assert children
        wait_until_gone(children)


def test_bad_input_is_one_line(index, tmp_path):
    serve = "-m", "vie_tf", "serve"
    assert "--index" in error_of(*serve)
    assert str(tmp_path / "no") in error_of(*serve, f"--index={tmp_path / 'no'}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = error_of(*serve, f"--index={index}", f"--port={port}")
    assert f"--port={port} is in use" in error


def test_a_run_that_is_gone_is_one_line(tmp_path):
    write_index(tmp_path / "index", np.eye(4), ["a.mp4", "b.mp4", "c.mp4", "d.mp4"])
    result = run_command(
        "-m", "vie_tf", "serve", f"--index={tmp_path / 'index'}", "--port=0"
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "error: " in result.stderr and "'run'" in result.stderr
    assert "Traceback" not in result.stderr
