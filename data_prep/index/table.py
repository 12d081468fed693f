"""A csv file -> rows of what its columns mean.

The delimiter is whatever makes the most of the first row, and columns may have any
name that people give them: what is meant by a name is written once, in `ALIASES`.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import os
import re
from typing import Callable, Iterator, Sequence

from data_prep.index.list_text import place, read_text, some_of

VIDEO = "video"
YOUTUBE_ID = "youtube_id"
LABEL = "label"
SPLIT = "split"
START = "start"
END = "end"

# What a column means by its name, in small letters and without what joins words.
# Names of the second group count only where there is none of the first.
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
_NO_DELIMITER = "\x1f"  # The ASCII unit separator, which no list has.
_MAX_HEADER = 10_000  # Of a file that is no csv, the first line may be all of it.


@dataclasses.dataclass(frozen=True)
class TableRow:
    """One row: its number in the file (from 1), its fields, which of them is what."""

    number: int
    fields: list[str]
    columns: dict[str, int]

    def __getitem__(self, column: str) -> str:
        """Returns the text of a column, empty where there is none."""
        index = self.columns.get(column, len(self.fields))
        return self.fields[index] if index < len(self.fields) else ""


@dataclasses.dataclass(frozen=True)
class Table:
    """What a csv file says.

    Attributes:
      path: of the file.
      columns: those of `ALIASES` that it has.
      rows: in order.
    """

    path: str
    columns: frozenset[str]
    rows: tuple[TableRow, ...]

    def places(self) -> list[str]:
        """Returns how messages name each row."""
        name = os.path.basename(self.path)
        return [place(name, row.number) for row in self.rows]

    def check_labels(self, rows: Sequence[TableRow]) -> None:
        """Refuses a table of which some of these rows have a label and others none."""
        without = [row.number for row in rows if not row[LABEL]]
        if without and len(without) < len(rows):
            raise ValueError(
                f"The list {self.path!r} has no label in row {some_of(without)} but"
                " has one in others; label all rows, or remove the label column."
            )


def read_table(path: str, is_video: Callable[[str], bool]) -> Table:
    """Reads a csv file.

    A file without a row of column names is read as `path` or as `path label`, if its
    first row is just that.

    Args:
      path: of a UTF-8 file, delimited by commas, semicolons, tabs or spaces.
      is_video: whether a text names a video.

    Raises:
      ValueError: no column says which video, two columns say the same, the fields
        cannot be told apart, or there are no rows.
    """
    text = read_text(path)
    first = _first_line(text)
    if not first:
        raise ValueError(f"The list {path!r} is empty.")
    header = _header(path, first)
    layout = header or _without_header(first, is_video)
    if layout is None:
        raise ValueError(_no_video_column(path, first))
    delimiter, names, columns = layout
    name = os.path.basename(path)
    numbered = _fields(name, text, delimiter)
    if header:
        next(numbered)
    rows = []
    for number, fields in numbered:
        if any(fields[len(names) :]):
            raise ValueError(
                f"{place(name, number)} has {len(fields)} fields, the first row"
                f" {len(names)}; put fields that hold a delimiter into double quotes."
            )
        rows.append(TableRow(number, fields, columns))
    if not rows:
        raise ValueError(f"The list {path!r} has no row below its column names.")
    return Table(path, frozenset(columns), tuple(rows))


def columns_of(path: str) -> frozenset[str]:
    """Returns the columns of `ALIASES` in a csv file; none without column names."""
    header = _header(path, _first_line(read_text(path)))
    return frozenset(header[2]) if header else frozenset()


def _first_line(text: str) -> str:
    lines = (line.strip() for line in io.StringIO(text))
    return next((line for line in lines if line), "")[:_MAX_HEADER]


def _header(path: str, line: str) -> tuple[str, list[str], dict[str, int]] | None:
    """Returns delimiter, names and columns, if a line holds names of columns."""
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
            raise ValueError(
                f"The columns {both} of the list {path!r} both could be the {meaning};"
                " rename those that are not meant."
            )
    return delimiter, names, {name: only for name, (only,) in columns.items()}


def _without_header(
    line: str, is_video: Callable[[str], bool]
) -> tuple[str, list[str], dict[str, int]] | None:
    """Returns the like of `_header` for a first row that is `path` or `path label`."""
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
    # Strict: one quote too many would otherwise swallow the rows behind it.
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    number = 1
    try:
        for fields in reader:
            fields = [field.strip() for field in fields]
            if any(fields):
                yield number, fields
            number = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{place(name, number)} cannot be read ({error}); put fields that hold"
            ' double quotes into double quotes, and write "" for each in them.'
        ) from None


def _no_video_column(path: str, line: str) -> str:
    candidates = [_split(line, d) for d in (_NO_DELIMITER, *_delimiters_in(line))]
    names = ", ".join(repr(name[:40]) for name in max(candidates, key=len)[:12])
    understood = " ".join(name for group in ALIASES[VIDEO] for name in group)
    return (
        f"The list {path!r} has no column that names the videos, only {names}; name it"
        f" {VIDEO!r} (understood are: {understood}, and {YOUTUBE_ID} for Kinetics). A"
        " list without column names has to be `path` or `path label`."
    )
