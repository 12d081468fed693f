"""Reads a list without column names whose fields stand between spaces or tabs.

Such lists are written by programs that split at every space, and by people whose paths
and classes have spaces: which words belong to the path is looked up in the folder of
videos.
"""

from __future__ import annotations

import csv
import re

from data_prep.index.lists.list_file import place
from data_prep.index.lists.listed_paths import ListedPaths
from vie_tf.storage.errors import UserError

_NUMBER = re.compile(r"\d+")
_COUNTED = re.compile(r"(.*\S)\s+\d+\s+(\d+)")


class PlainRows:
    """Splits the rows `path`, `path label`, or `folder number-of-frames label`.

    The last form is that of lists of frame folders; all rows of a list then have it.

    Attributes:
      is_counted: whether rows have a number of frames, which is ignored.
    """

    def __init__(self, first: str, paths: ListedPaths) -> None:
        """Finds out the form of a list by its first row.

        Args:
          first: first row.
          paths: tells which videos there are.
        """
        self._paths = paths
        counted = _COUNTED.fullmatch(first)
        self.is_counted = (
            paths.tree.media == "frames"
            and counted is not None
            and paths.find(first) is None
            and paths.find(first.rpartition(" ")[0]) is None
        )
        self._is_whole = self._end_of_path(first) == len(first)

    def fits(self, line: str) -> bool:
        """Tells whether a row has one of the forms, and names a video."""
        return self._end_of_path(line) is not None and self.split(line) is not None

    def read(self, name: str, number: int, line: str) -> tuple[str, str]:
        """Returns path and label of a row; the label is empty if there is none.

        Args:
          name: name of the list, for messages.
          number: number of the row, for messages.
          line: row, without spaces around it.

        Raises:
          UserError: the row has none of the forms.
        """
        fields = self.split(line)
        if fields is None:
            raise UserError(
                f"{place(name, number)}: {line[:80]!r} is neither `path` nor `path"
                " label`, nor `folder number-of-frames label` in every row. Put a path"
                " with spaces into double quotes, or write a csv with column names,"
                " such as video,label,start,end."
            )
        return fields

    def split(self, line: str) -> tuple[str, str] | None:
        """Returns path and label of a row, or None if it has none of the forms."""
        if self.is_counted:
            counted = _COUNTED.fullmatch(line)
            return (counted[1].strip('"'), counted[2]) if counted else None
        if line.startswith('"'):
            fields = next(csv.reader([line], delimiter=" ", skipinitialspace=True))
            path, label = fields[0], " ".join(fields[1:]).strip()
        else:
            end = self._end_of_path(line)
            if end is None:  # The video is missing.
                words = line.split()
                end = len(line) if self._is_whole else len(words[0])
                if not self._is_whole and len(words) > 2:
                    return None
            path, label = line[:end], line[end:].strip()
        words = label.split()
        if len(words) > 1 and any(_NUMBER.fullmatch(w) for w in (words[0], words[-1])):
            return None  # Of a form with other columns.
        return path, label

    def _end_of_path(self, line: str) -> int | None:
        """Returns where the longest path ends with which a row begins.

        A path that exists counts before one that only ends as a video does.
        """
        if line.startswith('"') or (self.is_counted and _COUNTED.fullmatch(line)):
            return 0
        ends = [len(line), *(gap.start() for gap in re.finditer(r"\s+", line))][::-1]
        ends = sorted(ends, reverse=True)
        for is_path in (self._paths.find, self._paths.is_medium):
            for end in ends:
                if is_path(line[:end]):
                    return end
        return None
