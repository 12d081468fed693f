"""An entry of a list: a video, its split and segment, and its row for messages."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import Sequence

from data_prep.index.media_tree import MediaTree, check_name
from data_prep.index.video_row import FoundVideo
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import TEST_SPLIT, TRAIN_SPLIT, VAL_SPLIT
from vie_tf.terminal.wording import counted

# Names of the splits in lists, and of folders of splits.
SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), TRAIN_SPLIT),
    **dict.fromkeys(("val", "valid", "validate", "validation"), VAL_SPLIT),
    **dict.fromkeys(("test", "testing"), TEST_SPLIT),
}
_SECONDS = re.compile(r"\d+(\.\d*)?|\.\d+")
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d{1,2}(?:\.\d*)?)")

Segment = tuple["float | None", "float | None"]
"""Start and end in seconds; None for the beginning or the end of the video."""


@dataclasses.dataclass(frozen=True)
class ListEntry:
    """A video, and its place in the list (see `list_file.place`)."""

    place: str
    video: FoundVideo


def make_entry(
    place: str,
    tree: MediaTree,
    source: str,
    label: str | None,
    split: str | None,
    segment: Segment = (None, None),
) -> ListEntry:
    """Returns an entry of a list."""
    path, source = tree.path(source), source + _suffix(*segment)
    return ListEntry(place, FoundVideo(path, source, label, split, *segment))


def check_entries(
    entries: Sequence[ListEntry], list_path: str, root: str
) -> list[FoundVideo]:
    """Returns the videos of a list, sorted by source.

    A missing video stays in the list: decoding refuses it with the reason.

    Raises:
      UserError: two entries are the same video, a name is not UTF-8, there are no
        entries, or none of the videos exists.
    """
    if not entries:
        raise UserError(f"The list {list_path!r} names no video.")
    places: dict[str, str] = {}
    for entry in entries:
        source = entry.video.source
        first = places.setdefault(source, entry.place)
        if first is not entry.place:
            raise UserError(
                f"{first} and {entry.place} of the list {list_path!r} are the same"
                f" video {source!r}; remove one of them."
            )
        check_name(source, root)
    if not any(os.path.exists(entry.video.path) for entry in entries):
        raise UserError(
            f"No video of the list {list_path!r} ({counted(len(entries), 'row')})"
            f" exists in the folder {root!r}; {entries[0].place} was expected at"
            f" {entries[0].video.path!r}. Give the folder that the paths of the list"
            " are relative to."
        )
    return sorted((entry.video for entry in entries), key=lambda video: video.source)


def parse_split(place: str, text: str) -> str | None:
    """Returns the split that a list names, None for an empty text.

    Raises:
      UserError: the text is none of `SPLIT_NAMES`.
    """
    if not text:
        return None
    split = SPLIT_NAMES.get(text.casefold())
    if split is None:
        raise UserError(
            f"{place}: the split is {text!r}; it must be one of"
            f" {', '.join(SPLIT_NAMES)}, or empty in all rows."
        )
    return split


def parse_segment(place: str, start: str, end: str) -> Segment:
    """Returns start and end in seconds.

    Args:
      place: place of the row, for messages.
      start: seconds, or h:m:s or m:s; empty for the beginning of the video.
      end: likewise; empty for the end of the video.

    Raises:
      UserError: one of them is not a time, or the end does not come after the start.
    """
    start_secs = _parse_time(place, "start", start) if start else None
    end_secs = _parse_time(place, "end", end) if end else None
    if end_secs is None:
        return start_secs or None, None
    if end_secs <= (start_secs or 0.0):
        raise UserError(
            f"{place}: the end ({end}) must be after the start ({start or '0'}), both"
            " counted from the beginning of the video."
        )
    return start_secs, end_secs


def _parse_time(place: str, name: str, text: str) -> float:
    if _SECONDS.fullmatch(text):
        return float(text)
    clock = _CLOCK.fullmatch(text)
    if not clock:
        raise UserError(
            f"{place}: the {name} is {text!r}, which is neither seconds (83.5) nor"
            " h:m:s (0:01:23.5)."
        )
    hours, minutes, seconds = (float(part or 0) for part in clock.groups())
    return 3600 * hours + 60 * minutes + seconds


def _suffix(start_secs: float | None, end_secs: float | None) -> str:
    """Returns the end of the source of a segment."""
    if start_secs is None and end_secs is None:
        return ""
    start, end = (
        "" if secs is None else f"{secs:.10g}" for secs in (start_secs, end_secs)
    )
    return f"#t={start},{end}" if end else f"#t={start}"
