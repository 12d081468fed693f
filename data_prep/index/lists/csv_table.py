"""Reads a csv file into rows by the meaning of its columns.

`csv_header` finds out the delimiter and what each column means.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import os
from typing import Iterator, Sequence

from data_prep.index.lists.csv_header import (
    LABEL,
    VIDEO,
    Layout,
    delimiters_in,
    find_header,
    no_video_column,
    split,
)
from data_prep.index.lists.list_file import place, read_text
from data_prep.index.lists.listed_paths import ListedPaths
from data_prep.index.lists.plain_rows import PlainRows
from vie_tf.storage.errors import UserError

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


def read_table(path: str, paths: ListedPaths | None = None) -> Table:
    """Reads a csv file.

    A file without column names is read as `path` or as `path label` if its first row
    has that form, see also `PlainRows`.

    Args:
      path: path of a UTF-8 file, delimited by commas, semicolons, tabs or spaces.
      paths: tells what is a video; None if the file must have column names.

    Raises:
      UserError: no column names the videos, two columns have the same meaning, a row
        has too many fields, there are no rows, or the first row may be column names as
        well as a video.
    """
    text = read_text(path)
    first = _first_line(text)
    if not first:
        raise UserError(f"The list {path!r} is empty.")
    header = find_header(path, first)
    if header and not (paths and _is_row(path, text, first, header, paths)):
        table = _delimited(path, text, header, skip=1)
    elif paths is None:
        raise UserError(no_video_column(path, first))
    else:
        table = _without_header(path, text, first, paths)
    if not table.rows:
        raise UserError(f"The list {path!r} has no row below its column names.")
    return table


def _delimited(path: str, text: str, layout: Layout, skip: int) -> Table:
    """Reads the rows of a csv file, but for so many at the beginning."""
    delimiter, names, columns = layout
    name = os.path.basename(path)
    rows = []
    for number, fields in itertools.islice(_fields(name, text, delimiter), skip, None):
        where = place(name, number)
        if any(fields[len(names) :]):
            raise UserError(
                f"{where} has {len(fields)} fields, the first row {len(names)}; put"
                " fields that hold a delimiter into double quotes."
            )
        rows.append(TableRow(number, where, fields, columns))
    return Table(path, frozenset(columns), tuple(rows))


def _is_row(
    path: str, text: str, line: str, header: Layout, paths: ListedPaths
) -> bool:
    """Tells whether a first row that could hold column names is a video.

    `clip 0.mp4 0` and `video walk` are videos if there are such files.
    """
    _, names, columns = header
    known = {names[index] for index in columns.values()}
    words = line.split()
    starts = [" ".join(words[:count]) for count in range(2, len(words) + 1)]
    if any(paths.find(other) for other in {*starts, *names} - known):
        return True
    if any(paths.is_medium(other) for other in {line, *starts, *names}):
        return True
    video = paths.find(names[0])
    if video is None:
        return False
    others = _delimited(path, text, header, skip=1).rows if VIDEO in columns else ()
    if any(paths.find(row[VIDEO]) == video for row in others):
        return False  # It has a row of its own.
    if len(known) < len(names):
        return True
    raise UserError(
        f"The first row of the list {path!r} may hold names of columns, or the video"
        f" {video!r}; write {names[0]!r} differently: {VIDEO + ' path'!r} for a column,"
        f" {'./' + video!r} for the video."
    )


def _without_header(path: str, text: str, first: str, paths: ListedPaths) -> Table:
    """Reads a file of rows `path`, `path label` or the like, see `PlainRows`."""
    for delimiter in delimiters_in(first):
        fields = split(first, delimiter)
        is_pair = len(fields) == 2 and bool(fields[1])
        if delimiter == " " or not is_pair or paths.find(first):
            continue
        if paths.find(fields[0]) or paths.is_medium(fields[0]):
            layout = delimiter, [VIDEO, LABEL], {VIDEO: 0, LABEL: 1}
            return _delimited(path, text, layout, skip=0)
    plain = PlainRows(first, paths)
    if not plain.fits(first):
        raise UserError(no_video_column(path, first))
    name = os.path.basename(path)
    columns = {VIDEO: 0, LABEL: 1}
    rows = tuple(
        TableRow(number, place(name, number), [*plain.read(name, number, row)], columns)
        for number, line in enumerate(text.split("\n"), start=1)
        for row in [line.strip()]
        if row
    )
    return Table(path, frozenset(columns), rows)


def columns_of(path: str) -> frozenset[str]:
    """Returns the known columns of a csv file; none if it has no column names."""
    header = find_header(path, _first_line(read_text(path)))
    return frozenset(header[2]) if header else frozenset()


def _first_line(text: str) -> str:
    lines = (line.strip() for line in io.StringIO(text))
    return next((line for line in lines if line), "")[:_MAX_HEADER]


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
