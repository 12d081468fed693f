"""What was found for queries, as a csv file and as a page."""

from __future__ import annotations

import base64
import dataclasses
import importlib.resources
import os
from typing import Any, Sequence

import numpy as np

from vie_tf.drawing.neighbors import templates
from vie_tf.drawing.thumbnails import ReadThumbnails, Thumbnails
from vie_tf.explore.gallery import Found
from vie_tf.explore.percentiles import format_percentile
from vie_tf.explore.pictures import sheets
from vie_tf.storage import files
from vie_tf.storage.printable import csv_text

_COLUMNS = "query place video label percentile cosine from_secs to_secs".split()


@dataclasses.dataclass(frozen=True)
class Answer:
    """What was found for a query.

    Attributes:
      query: path of the query.
      found: nearest videos.
      fault: reason why the query cannot be read; empty if it can.
    """

    query: str
    found: tuple[Found, ...]
    fault: str = ""


def write_csv(path: str, answers: Sequence[Answer]) -> str:
    """Writes a row for every video that was found; returns the line that says so."""
    rows: list[list[Any]] = [_COLUMNS]
    for answer in answers:
        for place, one in enumerate(answer.found, 1):
            span: list[Any] = [round(secs, 2) for secs in one.span or ()]
            numbers = round(one.percentile, 4), round(one.cosine, 6)
            names = answer.query, place, one.source, one.label
            rows.append([*names, *numbers, *(span or ["", ""])])
    _write(path, csv_text(rows))
    return f"Wrote {path}: a row for every video that was found."


def write_page(
    path: str,
    answers: Sequence[Answer],
    of_queries: ReadThumbnails,
    of_index: ReadThumbnails,
) -> str:
    """Writes a page of queries and what was found, with moving thumbnails.

    Args:
      path: HTML file, which holds its pictures.
      answers: queries with what was found.
      of_queries: reads thumbnails of the queries, by position.
      of_index: reads thumbnails of the videos of the index, by row.
    """
    rows = sorted({one.row for answer in answers for one in answer.found})
    found = {row: strip_of(one) for row, one in of_index(rows, sheets.REQUEST)}
    positions = range(len(answers))
    asked = {n: strip_of(one) for n, one in of_queries(positions, sheets.REQUEST)}
    package = importlib.resources.files("vie_tf.explore")
    html = templates.render(
        (package / "answers.html").read_text("utf-8"),
        format_percentile=format_percentile,
        answers=list(zip(answers, (asked[n] for n in positions))),
        strips=found,
        width=sheets.STRIPS.width,
        height=sheets.STRIPS.height,
        secs_of_frame=1 / sheets.REQUEST.per_second,
    )
    _write(path, html)
    return f"Wrote {path}: queries and the videos nearest to them."


def strip_of(thumbnails: Thumbnails) -> dict[str, Any]:
    """Returns a strip as JPEG in base64, its number of frames, and a fault.

    `size` has width and height of the picture within the place of a frame.
    """
    if not len(thumbnails.frames):
        size = sheets.STRIPS.width, sheets.STRIPS.height
        return {"jpeg": "", "frames": 0, "fault": thumbnails.fault, "size": size}
    frames = [sheets.contained(frame) for frame in thumbnails.frames]
    jpeg = base64.b64encode(sheets.jpeg(np.concatenate(frames, axis=1))).decode()
    size = sheets.size_within(thumbnails.frames[0], sheets.STRIPS, min)
    return {"jpeg": jpeg, "frames": len(frames), "fault": "", "size": size}


def _write(path: str, text: str) -> None:
    files.make_folder(os.path.dirname(os.path.abspath(path)))
    files.write_atomically(path, text)
