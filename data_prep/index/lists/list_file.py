"""Reads the text of a list, and names its rows in messages."""

from __future__ import annotations

import os

from vie_tf.storage.errors import UserError


def read_text(path: str) -> str:
    """Reads a UTF-8 file with any line ends, with or without a byte order mark.

    Returns:
      The text, whose lines end in a line feed.

    Raises:
      UserError: the file cannot be read, is not text, or not UTF-8.
    """
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise UserError(
            f"The list {path!r} cannot be read: {error.strerror}."
        ) from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"The list {path!r} is UTF-16; save it as UTF-8.")
    if b"\0" in content:
        raise UserError(f"The list {path!r} is not a text file; give a csv file.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"The list {path!r} is not UTF-8 (first in row {row}); save it as UTF-8."
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_words(path: str) -> list[tuple[str, list[str]]]:
    """Reads a file of words that are separated by white space.

    Returns:
      For each line that is not blank, its place (see `place`) and its words.
    """
    lines = enumerate(read_text(path).split("\n"), start=1)
    name = os.path.basename(path)
    return [(place(name, row), line.split()) for row, line in lines if line.strip()]


def place(name: str, row: int) -> str:
    """Returns how messages name a row of a list, which counts from 1."""
    return f"{name}, row {row}"
