"""The page of queries and their nearest videos, with animations, in one HTML file."""

from __future__ import annotations

import base64
import importlib.resources
from typing import Sequence

import tensorflow as tf

from vie_tf.drawing.canvas import Canvas
from vie_tf.drawing.neighbors import templates
from vie_tf.evaluation.neighbors.retrieved import Retrieved, middle_frames
from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.manifest import VideoEntry

WIDTH, HEIGHT = 160, 120  # of a frame, in pixels
NUM_FRAMES = 16
_FRAMES_PER_SECOND = 8
_JPEG_QUALITY = 75


def page(
    retrieved: Retrieved,
    shown: Sequence[int],
    title: str,
    protocol: str,
    headline: str = "",
) -> str:
    """Renders queries and their nearest videos as HTML.

    Args:
      retrieved: neighbors of all queries.
      shown: positions of the queries on the page, at least one.
      title: title in plain text.
      protocol: protocol of the search in plain text.
      headline: what was measured, in plain text.
    """
    package = importlib.resources.files("vie_tf.evaluation.neighbors")
    reader = retrieved.open_frames(shown)
    rows = [
        [(cell, *_strip(reader, cell.video)) for cell in retrieved.cells(query)]
        for query in shown
    ]
    return templates.render(
        (package / "page.html").read_text("utf-8"),
        title=title,
        protocol=protocol,
        headline=headline,
        legend=retrieved.legend(),
        rows=rows,
        width=WIDTH,
        height=HEIGHT,
        num_frames=NUM_FRAMES,
    )


def _strip(reader: FrameReader, video: VideoEntry) -> tuple[str, float]:
    """Returns frames side by side as JPEG in base64, and their duration in seconds."""
    indices, seconds = middle_frames(video, NUM_FRAMES, _FRAMES_PER_SECOND)
    canvas = Canvas(HEIGHT, WIDTH * NUM_FRAMES)
    for number, frame in enumerate(reader.read_images(video, indices)):
        canvas.paste(frame, number * WIDTH, 0, WIDTH, HEIGHT)
    jpeg = tf.io.encode_jpeg(canvas.pixels, quality=_JPEG_QUALITY).numpy()
    return base64.b64encode(jpeg).decode(), seconds
