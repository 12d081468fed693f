"""Orders numbered pictures, and finds gaps and doubles in their numbers."""

from __future__ import annotations

import collections
import os
import re
import statistics
from fractions import Fraction
from typing import Sequence

_WHOLE = re.compile(r"([0-9]+)")
_DECIMAL = re.compile(r"([0-9]+(?:\.[0-9]+)?)")
# A step of more than this times the usual one is a gap.
_GAP = 1.5

Key = tuple["str | Fraction", ...]


def order(names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Returns the pictures to take, in the order of their numbers, and notes.

    Numbers may be decimal, as in 0.04.jpg before 0.4.jpg.  If two names would then have
    the same number, as 1.1.jpg and 1.10.jpg, they are several whole numbers.  Of names
    with the same numbers, such as 001.jpg and 001.png, the one is taken whose extension
    most pictures have.

    Args:
      names: file names.

    Returns:
      Names, and notes on gaps in the numbers and on doubles.
    """
    stems = {os.path.splitext(name)[0] for name in names}
    pattern = _DECIMAL
    if len({_key(stem, _DECIMAL) for stem in stems}) < len(stems):
        pattern = _WHOLE
    endings = collections.Counter(os.path.splitext(name)[1].lower() for name in names)
    preferred = sorted(
        names, key=lambda name: (-endings[os.path.splitext(name)[1].lower()], name)
    )
    taken: dict[Key, str] = {}
    left_out = []
    for name in preferred:
        key = _key(os.path.splitext(name)[0], pattern)
        if taken.setdefault(key, name) != name:
            left_out.append((name, taken[key]))
    keys = sorted(taken)
    notes = []
    if left_out:
        notes.append(
            f"pictures with the number of another are left out ({len(left_out)}, such"
            f" as {left_out[0][0]} beside {left_out[0][1]})"
        )
    gap = _first_gap(keys)
    if gap is not None:
        before, after = taken[keys[gap]], taken[keys[gap + 1]]
        notes.append(
            f"numbers of pictures are missing, and time is shorter there (such as"
            f" between {before} and {after})"
        )
    return [taken[key] for key in keys], tuple(notes)


def _key(stem: str, pattern: re.Pattern[str]) -> Key:
    """Returns the parts of a name; every second one is a number."""
    parts = pattern.split(stem)
    return tuple(Fraction(part) if i % 2 else part for i, part in enumerate(parts))


def _first_gap(keys: Sequence[Key]) -> int | None:
    """Returns the position before the first gap, None if there is none."""
    steps: dict[int, Fraction] = {}
    for position, (one, other) in enumerate(zip(keys, keys[1:])):
        differing = [i for i, pair in enumerate(zip(one, other)) if pair[0] != pair[1]]
        if len(one) == len(other) and len(differing) == 1 and differing[0] % 2:
            place = differing[0]
            steps[position] = Fraction(other[place]) - Fraction(one[place])
    if not steps:
        return None
    usual = statistics.median(steps.values())
    return next((p for p, step in steps.items() if step > _GAP * usual), None)
