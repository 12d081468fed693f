"""Notes on videos that were converted: counted for the terminal, listed in a file."""

from __future__ import annotations

import csv
import io
import os
from typing import Iterator, Sequence

from vie_tf.storage import files
from vie_tf.storage.wording import counted

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
        yield f"Note on {counted(len(sources), 'video')}, such as {sources[0]}: {kind}."


def write(notes: Sequence[tuple[str, str]], data_dir: str) -> None:
    """Writes `notes.csv`, or removes it if there are none."""
    path = os.path.join(data_dir, NOTES_NAME)
    if not notes:
        files.remove(path)
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "note"])
    writer.writerows(sorted(notes))
    files.write_atomically(path, text.getvalue())
