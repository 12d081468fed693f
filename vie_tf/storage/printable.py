"""Texts from outside, such as names of files, in a form that a terminal can show."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import Any, Iterable, Sequence

# Control characters, halves of pairs, and the separators of lines and paragraphs.
_ESCAPED = frozenset(("Cc", "Cs", "Zl", "Zp"))
_JOINERS = "\u200c\u200d"  # Emoji and Persian words are written with them.
_FORMULA = ("=", "+", "-", "@")


def printable(text: str) -> str:
    r"""Returns a text of one line in which no character moves the cursor or hides.

    Control characters, line ends, marks that turn the direction of writing and bytes
    that are not UTF-8 are escaped as in Python, such as `\x1b`.
    """
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode() if _is_escaped(char) else char
        for char in text
    )


def cell(text: str) -> str:
    """Returns a text for a csv file, in which a spreadsheet sees no formula.

    An apostrophe comes before `=`, `+`, `-` and `@`, which begin formulas, and
    characters are escaped as in `printable`.
    """
    return f"'{printable(text)}" if text.startswith(_FORMULA) else printable(text)


def text_of_cell(content: str) -> str:
    """Returns the text that `cell` was given, whose control characters stay escaped."""
    return content[1:] if content[:1] == "'" and content[1:2] in _FORMULA else content


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Returns rows as the text of a csv file, in which every text is a `cell`."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [cell(value) if isinstance(value, str) else value for value in row]
        for row in rows
    )
    return text.getvalue()


def in_page(value: Any) -> Any:
    """Returns what a page shows of a value: a text without control characters.

    It is the `finalize` of jinja's environments; markup of the page stays as it is.
    """
    return printable(value) if type(value) is str else value


def _is_escaped(char: str) -> bool:
    category = unicodedata.category(char)
    return category in _ESCAPED or (category == "Cf" and char not in _JOINERS)
