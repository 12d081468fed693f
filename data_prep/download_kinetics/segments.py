"""Annotation csv of Kinetics -> segments to download.

Comes in: the file as published, with its columns youtube_id, time_start and time_end,
and label and split where it has them.  Goes out: what `download_segments` fetches.
Ids and labels become parts of commands and paths, so both are checked here.
"""

from __future__ import annotations

import csv
import dataclasses
import os
import re
from typing import Sequence

_REQUIRED = ("youtube_id", "time_start", "time_end")
_YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")
# Both names are in use for the same split.
_SPLIT_NAMES = {"validate": "val", "validation": "val"}


@dataclasses.dataclass(frozen=True)
class Segment:
    """A part of a video of YouTube.

    Attributes:
      youtube_id: eleven letters, digits, `-` and `_`; may start with `-`.
      start_secs: whole seconds from the start of the video.
      end_secs: after `start_secs`.
      label: name of its class, or empty.
    """

    youtube_id: str
    start_secs: int
    end_secs: int
    label: str

    @property
    def name(self) -> str:
        """File name of the clip, which `data_prep.convert --list` looks for."""
        return f"{self.youtube_id}_{self.start_secs:06d}_{self.end_secs:06d}.mp4"

    @property
    def path(self) -> str:
        """Place of the clip below the folder of all clips."""
        return os.path.join(self.label, self.name)


def read_segments(path: str, split: str = "", limit: int = 0) -> list[Segment]:
    """Reads the segments of a csv file, each once, in the order of the file.

    Args:
      path: of the file.
      split: only the rows of this split, if not empty.
      limit: only the first so many of them, if not 0.

    Raises:
      ValueError: naming the line, if a row is not what it should be.
      OSError: the file cannot be read.
    """
    segments: dict[Segment, None] = {}  # Keeps the order.
    splits = set()
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            _check_columns(path, reader.fieldnames or [], wants_split=bool(split))
            for row in reader:
                of_row = _split_name(row.get("split") or "")
                splits.add(of_row)
                segment = _segment(row, f"{path}, line {reader.line_num}")
                if not split or of_row == _split_name(split):
                    segments[segment] = None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is not a csv file in UTF-8: {error}") from None
    if not segments:
        has = f"; it has {', '.join(sorted(splits))}" if split and splits else ""
        of_split = f" of the split {split!r}" if split else ""
        raise ValueError(f"{path} has no rows{of_split}{has}.")
    return list(segments)[: limit or None]


def _check_columns(path: str, present: Sequence[str], wants_split: bool) -> None:
    wanted = (*_REQUIRED, "split") if wants_split else _REQUIRED
    missing = [name for name in wanted if name not in present]
    if missing:
        raise ValueError(
            f"{path} has no column {', '.join(map(repr, missing))} (it has"
            f" {', '.join(map(repr, present)) or 'none'}); give the annotation csv of"
            " Kinetics as it is published."
        )


def _segment(row: dict[str, str | None], where: str) -> Segment:
    youtube_id = row["youtube_id"] or ""
    if not _YOUTUBE_ID.fullmatch(youtube_id):
        raise ValueError(
            f"{where}: the youtube_id {youtube_id!r} is none; it must be 11 letters,"
            " digits, - or _."
        )
    start_secs = _whole_seconds(row["time_start"], "time_start", where)
    end_secs = _whole_seconds(row["time_end"], "time_end", where)
    if end_secs <= start_secs:
        raise ValueError(
            f"{where}: time_end {end_secs} does not lie after time_start {start_secs}."
        )
    label = (row.get("label") or "").strip()
    # A folder is made of it, one level below --output_dir and visible.
    if label.startswith(".") or not label.isprintable() or re.search(r"[/\\]", label):
        raise ValueError(
            f"{where}: the label {label!r} cannot be the name of a folder; it must not"
            " start with a dot nor hold slashes."
        )
    return Segment(youtube_id, start_secs, end_secs, label)


def _whole_seconds(text: str | None, column: str, where: str) -> int:
    # The name of a clip has six digits for it; ids have the minus signs.
    if not re.fullmatch(r"\d{1,6}(\.0*)?", text or ""):
        raise ValueError(
            f"{where}: {column} is {text!r}, which is not a whole number of seconds."
        )
    return int(float(text or ""))


def _split_name(split: str) -> str:
    return _SPLIT_NAMES.get(split, split)
