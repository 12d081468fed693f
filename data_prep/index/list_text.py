"""A list as it lies on the disk -> its text, and errors that name a place in it."""

from __future__ import annotations

import os


def read_text(path: str) -> str:
    """Reads a list, whatever its line ends, with or without a byte order mark.

    Args:
      path: of a UTF-8 file.

    Returns:
      The text, whose lines end in a line feed.

    Raises:
      ValueError: it is not text, or not in UTF-8.
      OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        content = file.read()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError(f"The list {path!r} is UTF-16; save it as UTF-8.")
    if b"\0" in content:
        raise ValueError(f"The list {path!r} is not a text file; give a csv file.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"The list {path!r} is not UTF-8 (first in row {row}); save it as UTF-8."
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_words(path: str) -> list[tuple[str, list[str]]]:
    """Reads a file of white-space separated words.

    Returns:
      Place (see `place`) and words of each line that is not blank.
    """
    lines = enumerate(read_text(path).split("\n"), start=1)
    name = os.path.basename(path)
    return [(place(name, row), line.split()) for row, line in lines if line.strip()]


def place(name: str, row: int) -> str:
    """Returns how messages name a line of a list, the first of which is row 1."""
    return f"{name}, row {row}"


def some_of(rows: list[int]) -> str:
    """Returns a few row numbers in words, and how many there are."""
    shown = ", ".join(map(str, rows[:5]))
    return f"{shown}, ... ({len(rows)} in all)" if len(rows) > 5 else shown
