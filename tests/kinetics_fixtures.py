"""A site of videos on this machine, and programs that stand in for yt-dlp and ffmpeg.

The stand-ins take the arguments of the real programs: one fetches over HTTP, the
other cuts with OpenCV.  What the site answers in place of a video is what the first
one complains of, so that a test can say it in the words of yt-dlp.
"""

from __future__ import annotations

import collections
import contextlib
import http.server
import pathlib
import sys
import threading
from typing import Iterator

YT_DLP = """
import sys, urllib.error, urllib.request
arguments = sys.argv[1:]
end = arguments.index("--")
options, (url,) = arguments[:end], arguments[end + 1 :]
output = options[options.index("--output") + 1]
partial = output.replace("%(ext)s", "mp4.part")
try:
    answer = urllib.request.urlopen(url)
    with open(partial, "wb") as file:
        while block := answer.read1(1024):
            file.write(block)
except urllib.error.HTTPError as error:
    print("WARNING: this says nothing", file=sys.stderr)
    print(error.read().decode(), file=sys.stderr)
    sys.exit(1)
import os
os.rename(partial, partial[: -len(".part")])
"""

FFMPEG = """
import sys
import cv2
def value_of(option):
    return sys.argv[sys.argv.index(option) + 1]
start, secs = float(value_of("-ss")), float(value_of("-t"))
capture = cv2.VideoCapture(value_of("-i")[len("file:"):], cv2.CAP_FFMPEG)
fps = capture.get(cv2.CAP_PROP_FPS)
pictures = []
while (read := capture.read())[0]:
    pictures.append(read[1])
pictures = pictures[round(start * fps) : round((start + secs) * fps)]
target = sys.argv[-1][len("file:"):]
open(target, "wb").close()
if pictures:
    height, width = pictures[0].shape[:2]
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(target, cv2.CAP_FFMPEG, codec, fps, (width, height))
    for picture in pictures:
        writer.write(picture)
    writer.release()
"""


def write_program(path: pathlib.Path, text: str) -> str:
    """Writes a Python program that can be executed; returns its path."""
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return str(path)


class Site:
    """What the site serves and what it was asked for.

    Attributes:
      url_template: with `{id}`.
      answers: by id, what it says in place of the video, one entry for each request;
        the last one for all further requests, unless it is empty.
      asked: the ids of all requests.
      stuck: the ids of which it sends half, and then nothing until `let_go`.
      together: where set, requests wait for each other there.
    """

    def __init__(self, video: bytes, url: str) -> None:
        self.video = video
        self.url_template = f"{url}/{{id}}.mp4"
        self.answers: dict[str, list[str]] = collections.defaultdict(list)
        self.asked: list[str] = []
        self.stuck: set[str] = set()
        self.let_go = threading.Event()
        self.together: threading.Barrier | None = None

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        """Answers one request."""
        youtube_id = handler.path[1 : -len(".mp4")]
        self.asked.append(youtube_id)
        if self.together is not None:
            self.together.wait(timeout=10)
        answers = self.answers[youtube_id]
        text = answers.pop(0) if len(answers) > 1 else "".join(answers)
        handler.send_response(500 if text else 200)
        handler.end_headers()
        if text:
            handler.wfile.write(text.encode())
            return
        half = len(self.video) // 2 if youtube_id in self.stuck else len(self.video)
        handler.wfile.write(self.video[:half])
        if youtube_id in self.stuck:
            handler.wfile.flush()
            self.let_go.wait(timeout=30)
            handler.wfile.write(self.video[half:])


@contextlib.contextmanager
def serving(video: bytes) -> Iterator[Site]:
    """A site on a free port of this machine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                site.answer(self)

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(video, f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
