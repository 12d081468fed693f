"""The page of queries and their nearest videos, moving: one HTML file, nothing else.

An animation is a strip of JPEG frames beside each other, which CSS pushes through a
window step by step: smaller than a GIF, and shown by every browser without a script.
The strips are in the page itself, so it opens from a disk, and can be sent to somebody,
without a server and without a network.
"""

from __future__ import annotations

import base64
import html
from typing import Sequence

import cv2
import numpy as np

from vie_tf.evaluation.neighbors.picture import fit
from vie_tf.evaluation.neighbors.retrieved import Retrieved
from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.manifest import VideoEntry

WIDTH, HEIGHT = 160, 120
NUM_FRAMES = 16
_INTERVAL = 3  # frames of the record from one to the next: 8 a second
_JPEG_QUALITY = 75

# Nothing is loaded from anywhere, whatever a name may hold.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; color: #282828; margin: 24px; }
h1 { font-size: 18px; margin: 0; }
p { margin: 4px 0 20px; color: #666; }
table { border-collapse: collapse; }
th { text-align: left; font-weight: 600; padding: 0 14px 4px 0; }
td { vertical-align: top; padding: 0 14px 18px 0; max-width: WIDTHpx; }
td:first-child, th:first-child { padding-right: 34px; }
.clip { width: WIDTHpx; height: HEIGHTpx; animation: play SECONDSs steps(FRAMES)
  infinite; }
@keyframes play { to { background-position: -TOTALpx 0; } }
.line { overflow-wrap: anywhere; }
.wrong { color: #c80000; font-weight: 600; }
@media (prefers-reduced-motion: reduce) { .clip { animation: none; } }
"""


def page(retrieved: Retrieved, shown: Sequence[int], title: str, protocol: str) -> str:
    """Writes a page of queries and their nearest videos.

    Args:
      retrieved: neighbors of all queries.
      shown: queries on the page, one row each.
      title: in plain text.
      protocol: how the neighbors were found, in plain text.

    Returns:
      HTML, in which all text from outside is escaped.
    """
    heads = ["Query", *(f"Neighbor {n + 1}" for n in range(retrieved.rows.shape[1]))]
    rows = [_row("th", heads)]
    reader = retrieved.open_frames(shown)
    for query in shown:
        lines = [(line, False) for line in retrieved.lines_of_query(query)]
        if retrieved.is_wrong(query):
            lines[-1] = (lines[-1][0], True)
        cells = [_cell(reader, retrieved.queries[query], lines)]
        for number, row in enumerate(retrieved.rows[query]):
            words = retrieved.lines_of_neighbor(query, number)
            lines = [(line, False) for line in words]
            cells.append(_cell(reader, retrieved.gallery[row], lines))
        rows.append(_row("td", cells))
    title, protocol = html.escape(title), html.escape(protocol)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>Nearest videos: {title}</title>
<style>{_style()}</style>
</head>
<body>
<h1>Nearest videos: {title}</h1>
<p>{protocol}. A predicted label that is wrong is red.</p>
<table>
{"".join(rows)}</table>
</body>
</html>
"""


def strip(frames: Sequence[np.ndarray]) -> bytes:
    """Puts frames [H, W, 3] uint8 beside each other, as a JPEG of WIDTH x HEIGHT."""
    fitted = np.concatenate([fit(frame, HEIGHT, WIDTH) for frame in frames], axis=1)
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(fitted, cv2.COLOR_RGB2BGR), options)
    return jpeg.tobytes()


def _cell(
    reader: FrameReader, video: VideoEntry, lines: Sequence[tuple[str, bool]]
) -> str:
    """A strip with lines below, of which some say what is wrong."""
    # Around the middle, where the video lasts longer than the strip.
    first = max(video.frames - NUM_FRAMES * _INTERVAL, 0) // 2
    indices = first + np.arange(NUM_FRAMES) * _INTERVAL
    frames = reader.read_images(video, indices)
    data = base64.b64encode(strip(frames)).decode()
    below = "".join(
        f'<div class="line{" wrong" if is_wrong else ""}">{html.escape(line)}</div>'
        for line, is_wrong in lines
    )
    source = html.escape(video.source, quote=True)
    return (
        f'<div class="clip" title="{source}" style="background-image:'
        f' url(data:image/jpeg;base64,{data})"></div>{below}'
    )


def _row(tag: str, cells: Sequence[str]) -> str:
    inner = "".join(f"<{tag}>{cell}</{tag}>\n" for cell in cells)
    return f"<tr>\n{inner}</tr>\n"


def _style() -> str:
    values = {"WIDTH": WIDTH, "HEIGHT": HEIGHT, "FRAMES": NUM_FRAMES}
    values.update(TOTAL=WIDTH * NUM_FRAMES)
    style = _STYLE.replace("SECONDS", f"{NUM_FRAMES * _INTERVAL / 25:g}")
    for name, value in values.items():
        style = style.replace(name, str(value))
    return style
