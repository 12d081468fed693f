"""Reads the segments to be downloaded from the annotations of Kinetics.

Ids and labels are checked, because they become parts of commands and paths.
"""

from __future__ import annotations

import dataclasses
import os
import re

from data_prep.index.lists.kinetics import Annotation, clip_names, read_annotations
from data_prep.index.lists.list_entry import parse_split
from vie_tf.storage.errors import UserError

_YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_MOST_SECS = 10**6  # The name of a clip has six digits for a time.


@dataclasses.dataclass(frozen=True)
class Segment:
    """A part of a video on YouTube.

    Attributes:
      youtube_id: eleven letters, digits, `-` and `_`; may start with `-`.
      start_secs: whole seconds from the start of the video.
      end_secs: end in whole seconds, after `start_secs`.
      label: name of its class, or empty.
    """

    youtube_id: str
    start_secs: int
    end_secs: int
    label: str

    @property
    def path(self) -> str:
        """Path of the clip in the output folder, where `--list` of convert finds it."""
        name = clip_names(self.youtube_id, self.start_secs, self.end_secs)[0]
        return os.path.join(self.label, f"{name}.mp4")


def read_segments(path: str, split: str = "", limit: int = 0) -> list[Segment]:
    """Reads the segments of an annotation csv, each once, in the order of the file.

    Args:
      path: path of the csv file.
      split: split of the rows; all rows if empty.
      limit: number of segments, from the first; 0 for all.

    Raises:
      UserError: the file cannot be read, or a row is wrong.
    """
    wanted = parse_split("--split", split)
    segments: dict[Segment, None] = {}  # Keeps the order.
    _, annotations = read_annotations(path)
    for annotation in annotations:
        segment = _segment(annotation)
        if wanted in (None, annotation.split):
            segments[segment] = None
    if not segments:
        splits = sorted({str(annotation.split) for annotation in annotations})
        raise UserError(
            f"{path} has no rows of --split={split}; its splits are"
            f" {', '.join(splits)}."
        )
    return list(segments)[: limit or None]


def _segment(annotation: Annotation) -> Segment:
    place, label = annotation.place, annotation.label
    youtube_id = annotation.youtube_id
    if not _YOUTUBE_ID.fullmatch(youtube_id):
        raise UserError(
            f"{place}: the youtube_id {youtube_id!r} must have 11 letters, digits, - or"
            " _."
        )
    start_secs, end_secs = (
        _whole_seconds(place, name, secs)
        for name, secs in zip(("time_start", "time_end"), annotation.segment)
    )
    # A folder is made of it, one level below --output_dir and visible.
    if label.startswith(".") or not label.isprintable() or re.search(r"[/\\]", label):
        raise UserError(
            f"{place}: the label {label!r} cannot be the name of a folder; it must not"
            " start with a dot or contain slashes."
        )
    return Segment(youtube_id, start_secs, end_secs, label)


def _whole_seconds(place: str, name: str, secs: float | None) -> int:
    if secs is None or secs != int(secs) or secs >= _MOST_SECS:
        raise UserError(
            f"{place}: {name} must be a whole number of seconds below {_MOST_SECS},"
            f" but is {'missing' if secs is None else secs}."
        )
    return int(secs)
