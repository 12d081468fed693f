"""Notes on videos that were converted: counted for the terminal, listed in a file."""

from __future__ import annotations

import os
from typing import Iterator, Sequence

from vie_tf.storage import files
from vie_tf.storage.printable import csv_text, printable
from vie_tf.terminal.wording import counted

NOTES_NAME = "notes.csv"


def summary(notes: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yields a line for each kind of note, with the number of its videos.

    Args:
      notes: (source, note); what differs between videos of a kind stands in
        parentheses at the end of the note.
    """
    kinds: dict[str, list[str]] = {}
    for source, note in sorted(notes):
        kinds.setdefault(note.partition(" (")[0], []).append(source)
    for kind, sources in kinds.items():
        first = printable(sources[0])
        yield f"Note on {counted(len(sources), 'video')}, such as {first}: {kind}."


def write(notes: Sequence[tuple[str, str]], data_dir: str) -> None:
    """Writes `notes.csv`, or removes it if there are none."""
    path = os.path.join(data_dir, NOTES_NAME)
    if not notes:
        files.remove(path)
        return
    files.write_atomically(path, csv_text([("path", "note"), *sorted(notes)]))
