"""Reads a csv file into rows by the meaning of its columns.

The delimiter is the one that finds most known columns in the first row.  Columns may
have any of the names in `ALIASES`.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import os
import re
from typing import Callable, Iterator, Sequence

from data_prep.index.list_file import place, read_text
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
_MAX_HEADER = 10_000  # If the file is no csv, its first line may be very long.


@dataclasses.dataclass(frozen=True)
class TableRow:
    """A row of a csv file.

    Attributes:
      number: its number in the file, which counts from 1.
      place: how messages name it.
      fields: texts of all fields.
      columns: index of the field of each known column.
    """

    number: int
    place: str
    fields: list[str]
    columns: dict[str, int]

    def __getitem__(self, column: str) -> str:
        """Returns the text of a column, empty if there is none."""
        index = self.columns.get(column, len(self.fields))
        return self.fields[index] if index < len(self.fields) else ""


@dataclasses.dataclass(frozen=True)
class Table:
    """Contents of a csv file.

    Attributes:
      path: path of the file.
      columns: known columns that it has.
      rows: its rows in order.
    """

    path: str
    columns: frozenset[str]
    rows: tuple[TableRow, ...]

    def check_labels(self, rows: Sequence[TableRow]) -> None:
        """Raises UserError if some of these rows have a label and others have none."""
        without = [str(row.number) for row in rows if not row[LABEL]]
        if without and len(without) < len(rows):
            more = f", ... ({len(without)} in all)" if len(without) > 5 else ""
            raise UserError(
                f"The list {self.path!r} has no label in row {', '.join(without[:5])}"
                f"{more} but has one in others; label all rows, or remove the label"
                " column."
            )


def read_table(path: str, is_video: Callable[[str], bool]) -> Table:
    """Reads a csv file.

    A file without column names is read as `path` or as `path label`, if its first row
    has that form.

    Args:
      path: path of a UTF-8 file, delimited by commas, semicolons, tabs or spaces.
      is_video: tells whether a text names a video.

    Raises:
      UserError: no column names the videos, two columns have the same meaning, a row
        has too many fields, or there are no rows.
    """
    text = read_text(path)
    first = _first_line(text)
    if not first:
        raise UserError(f"The list {path!r} is empty.")
    header = _header(path, first)
    layout = header or _without_header(first, is_video)
    if layout is None:
        raise UserError(_no_video_column(path, first))
    delimiter, names, columns = layout
    name = os.path.basename(path)
    numbered = _fields(name, text, delimiter)
    if header:
        next(numbered)
    rows = []
    for number, fields in numbered:
        where = place(name, number)
        if any(fields[len(names) :]):
            raise UserError(
                f"{where} has {len(fields)} fields, the first row {len(names)}; put"
                " fields that hold a delimiter into double quotes."
            )
        rows.append(TableRow(number, where, fields, columns))
    if not rows:
        raise UserError(f"The list {path!r} has no row below its column names.")
    return Table(path, frozenset(columns), tuple(rows))


def columns_of(path: str) -> frozenset[str]:
    """Returns the known columns of a csv file; none if it has no column names."""
    header = _header(path, _first_line(read_text(path)))
    return frozenset(header[2]) if header else frozenset()


def _first_line(text: str) -> str:
    lines = (line.strip() for line in io.StringIO(text))
    return next((line for line in lines if line), "")[:_MAX_HEADER]


def _header(path: str, line: str) -> tuple[str, list[str], dict[str, int]] | None:
    """Returns delimiter, names and columns if a line holds column names."""
    best = None
    # Names may hold spaces: "file name" is one column, "file name,class" are two.
    delimiters = [d for d in _delimiters_in(line) if d != " "] or _delimiters_in(line)
    for delimiter in (_NO_DELIMITER, *delimiters):
        names = _split(line, delimiter)
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


def _without_header(
    line: str, is_video: Callable[[str], bool]
) -> tuple[str, list[str], dict[str, int]] | None:
    """Returns the same as `_header` for a first row `path` or `path label`."""
    if is_video(_split(line, _NO_DELIMITER)[0]):
        return _NO_DELIMITER, [VIDEO], {VIDEO: 0}
    for delimiter in _delimiters_in(line):
        fields = _split(line, delimiter)
        if len(fields) == 2 and fields[1] and is_video(fields[0]):
            return delimiter, [VIDEO, LABEL], {VIDEO: 0, LABEL: 1}
    return None


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


def _delimiters_in(line: str) -> list[str]:
    return [delimiter for delimiter in _DELIMITERS if delimiter in line]


def _split(line: str, delimiter: str) -> list[str]:
    reader = csv.reader([line], delimiter=delimiter, skipinitialspace=True)
    return [field.strip() for field in next(reader)]


def _fields(name: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yields row number and fields of all rows that are not blank."""
    # Spaces at the end of a line would be one more, empty, field.
    lines = (
        (line.rstrip() + "\n" for line in text.split("\n"))
        if delimiter == " "
        else io.StringIO(text)
    )
    # Strict: one quote too many would otherwise swallow the rows after it.
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    number = 1
    try:
        for fields in reader:
            fields = [field.strip() for field in fields]
            if any(fields):
                yield number, fields
            number = reader.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"{place(name, number)} cannot be read ({error}); put fields that hold"
            ' double quotes into double quotes, and write "" for each of those.'
        ) from None


def _no_video_column(path: str, line: str) -> str:
    candidates = [_split(line, d) for d in (_NO_DELIMITER, *_delimiters_in(line))]
    names = ", ".join(repr(name[:40]) for name in max(candidates, key=len)[:12])
    understood = " ".join(name for group in ALIASES[VIDEO] for name in group)
    return (
        f"The list {path!r} has no column that names the videos, only {names}; name it"
        f" {VIDEO!r} (known names: {understood}, and {YOUTUBE_ID} for Kinetics). A list"
        " without column names must have the form `path` or `path label`."
    )
