"""Names of classes: one spelling for each, and the order that gives them their ids."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from typing import Iterable, Sequence

from data_prep.index.video_row import FoundVideo

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


def natural_order(names: Iterable[str]) -> list[str]:
    """Sorts names of classes: whole numbers by their value, then other names.

    The labels 0 .. 11 of a list so get the ids 0 .. 11.
    """

    def key(name: str) -> tuple[bool, int, str]:
        is_number = _WHOLE_NUMBER.fullmatch(name) is not None
        return not is_number, int(name) if is_number else 0, name

    return sorted(names, key=key)


def with_one_spelling(
    videos: Sequence[FoundVideo], known: Iterable[str] = ()
) -> list[FoundVideo]:
    """Makes one class of labels that look the same.

    A letter with an accent may be one character (NFC, as most programs write it) or
    two (NFD, as in names of files from a Mac).  A label that occurs in one spelling
    keeps it.

    Args:
      videos: videos as found by a reader.
      known: names of the classes of a data set to which the videos are added; they
        stay as they are.

    Returns:
      The videos in their order.  Labels that differ only in spelling have that of the
      known class, or otherwise NFC.
    """
    known = set(known)
    spellings: dict[str, set[str]] = {}
    for name in {video.label for video in videos if video.label is not None}:
        spellings.setdefault(normalized(name), set()).add(name)
    known_spelling = {normalized(name): name for name in sorted(known)}
    chosen: dict[str | None, str | None] = {None: None}
    for plain, names in spellings.items():
        one = known_spelling.get(plain) or (plain if len(names) > 1 else min(names))
        chosen.update({name: name if name in known else one for name in names})
    return [dataclasses.replace(v, label=chosen[v.label]) for v in videos]


def normalized(text: str) -> str:
    """Returns a text in NFC, in which texts that look the same are the same."""
    return unicodedata.normalize("NFC", text)
