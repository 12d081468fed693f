"""The first row of a csv file: its delimiter, and the meaning of its columns.

The delimiter is the one that finds most known columns.  Columns may have any of the
names in `ALIASES`.
"""

from __future__ import annotations

import csv
import re

from vie_tf.storage.errors import UserError

VIDEO = "video"
YOUTUBE_ID = "youtube_id"
LABEL = "label"
SPLIT = "split"
START = "start"
END = "end"

# The names of each column, in lower case and without word separators.  Names of the
# second group count only if there is none of the first.
ALIASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    VIDEO: (
        (
            *("video", "path", "file", "filename", "videopath", "filepath", "clip"),
            *("videofile", "clippath", "relpath", "relativepath", "image", "picture"),
            *("imagepath", "framesdir", "folder"),
        ),
        ("name", "videoname", "clipname", "videoid", "id"),
    ),
    YOUTUBE_ID: (("youtubeid", "ytid"), ()),
    LABEL: (
        ("label", "class", "category", "classname", "labelname", "action", "labels"),
        ("classid", "labelid", "classidx", "labelidx", "target"),
    ),
    SPLIT: (("split", "set", "subset", "partition"), ()),
    START: (
        ("start", "timestart", "starttime", "startsecs", "startsec", "startseconds"),
        ("begin", "tstart"),
    ),
    END: (
        ("end", "timeend", "endtime", "endsecs", "endsec", "endseconds"),
        ("stop", "tend"),
    ),
}
_DELIMITERS = (",", ";", "\t", " ")
_NO_DELIMITER = "\x1f"  # The ASCII unit separator, which no list holds.
# Delimiter, names of all columns, and index of each known one.
Layout = tuple[str, "list[str]", "dict[str, int]"]


def find_header(path: str, line: str) -> Layout | None:
    """Returns delimiter, names and columns if a line holds column names.

    Raises:
      UserError: two columns have the same meaning.
    """
    best = None
    # Names may hold spaces: "file name" is one column, "file name,class" are two.
    delimiters = [d for d in delimiters_in(line) if d != " "] or delimiters_in(line)
    for delimiter in (_NO_DELIMITER, *delimiters):
        names = split(line, delimiter)
        columns = _meanings(names)
        if VIDEO not in columns and YOUTUBE_ID not in columns:
            continue
        if best is None or len(columns) > len(best[2]):
            best = delimiter, names, columns
    if best is None:
        return None
    delimiter, names, columns = best
    for meaning, indices in columns.items():
        if len(indices) > 1:
            both = " and ".join(repr(names[i]) for i in indices)
            raise UserError(
                f"The columns {both} of the list {path!r} could both be the {meaning};"
                " rename all but one of them."
            )
    return delimiter, names, {name: only for name, (only,) in columns.items()}


def _meanings(names: list[str]) -> dict[str, list[int]]:
    plain = [re.sub(r"[\s_.-]+", "", name).casefold() for name in names]
    meanings = {}
    for meaning, groups in ALIASES.items():
        for aliases in groups:
            indices = [i for i, name in enumerate(plain) if name in aliases]
            if indices:
                meanings[meaning] = indices
                break
    return meanings


def delimiters_in(line: str) -> list[str]:
    """Returns the usual delimiters that a line holds."""
    return [delimiter for delimiter in _DELIMITERS if delimiter in line]


def split(line: str, delimiter: str) -> list[str]:
    """Returns the fields of a line, which may stand in double quotes."""
    reader = csv.reader([line], delimiter=delimiter, skipinitialspace=True)
    return [field.strip() for field in next(reader)]


def no_video_column(path: str, line: str) -> str:
    """Returns the message about a list whose first row cannot be understood."""
    candidates = [split(line, d) for d in (_NO_DELIMITER, *delimiters_in(line))]
    names = ", ".join(repr(name[:40]) for name in max(candidates, key=len)[:12])
    understood = " ".join(name for group in ALIASES[VIDEO] for name in group)
    return (
        f"The list {path!r} has no column that names the videos, only {names}; name it"
        f" {VIDEO!r} (known names: {understood}, and {YOUTUBE_ID} for Kinetics). A list"
        " without column names must have the form `path` or `path label`, or with"
        " --media=frames `folder number-of-frames label`; for other columns, write"
        " their names into the first row, such as video,label,start,end."
    )
