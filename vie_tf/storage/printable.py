"""Texts from outside, such as names of files, in a form that a terminal can show."""

from __future__ import annotations

import unicodedata

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


def _is_escaped(char: str) -> bool:
    category = unicodedata.category(char)
    return category in _ESCAPED or (category == "Cf" and char not in _JOINERS)
