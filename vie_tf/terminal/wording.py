"""Words of messages that depend on a number."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Returns a number with its noun: `1 video`, `1,200 videos`, `2 classes`.

    Args:
      number: whole number, at least 0.
      noun: one of the things, such as `training video`.
    """
    return f"{number:,} {noun if number == 1 else _plural(noun)}"


def is_or_are(number: int) -> str:
    """Returns the verb for a number of things."""
    return "is" if number == 1 else "are"


def _plural(noun: str) -> str:
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2] not in "aeou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"
