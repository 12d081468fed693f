"""Reads the annotations of Kinetics, and finds the clips that were downloaded.

Clips are found by name in any folder: `ID_000012_000022`, `ID_12_22`, `ID_000012` or
`ID_12`, with any extension of a video, are clips that were cut out of a video.  A file
with the name `ID` is the whole video, of which the segment of the row is taken.
"""

from __future__ import annotations

import dataclasses
import re

from data_prep.index.labels import normalized
from data_prep.index.lists import csv_header, csv_table
from data_prep.index.lists.csv_table import Table
from data_prep.index.lists.list_entry import (
    SPLIT_NAMES,
    ListEntry,
    Segment,
    check_entries,
    make_entry,
    parse_segment,
    parse_split,
)
from data_prep.index.media_tree import MediaTree
from data_prep.index.video_row import FoundVideo
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import TEST_SPLIT


@dataclasses.dataclass(frozen=True)
class Annotation:
    """A row of the annotations.

    Attributes:
      place: place of the row, for messages.
      youtube_id: id of the video.
      label: name of the class; empty if there is none.
      split: `train`, `val`, `test`, or None.
      segment: start and end in seconds.
    """

    place: str
    youtube_id: str
    label: str
    split: str | None
    segment: Segment


def read_annotations(path: str) -> tuple[Table, list[Annotation]]:
    """Reads an annotation csv (label, youtube_id, time_start, time_end, split).

    Returns:
      The table and its rows as annotations.

    Raises:
      UserError: it has no column `youtube_id`, or a row is wrong.
    """
    table = csv_table.read_table(path)
    if csv_header.YOUTUBE_ID not in table.columns:
        raise UserError(
            f"The list {path!r} has no column youtube_id, as the annotations of"
            " Kinetics have; give --list_format=csv for a list of paths."
        )
    annotations = []
    for row in table.rows:
        youtube_id = row[csv_header.YOUTUBE_ID]
        if not youtube_id or "/" in youtube_id:
            raise UserError(f"{row.place}: {youtube_id!r} cannot be a youtube id.")
        annotations.append(
            Annotation(
                row.place,
                youtube_id,
                row[csv_header.LABEL],
                parse_split(row.place, row[csv_header.SPLIT]),
                parse_segment(row.place, row[csv_header.START], row[csv_header.END]),
            )
        )
    return table, annotations


def read_kinetics(list_path: str, tree: MediaTree) -> list[FoundVideo]:
    """Finds the clips that an annotation csv names, sorted by source.

    A missing clip keeps its row, under the name of a downloaded clip.

    Args:
      list_path: csv file.  The rows of the test split may be without labels.
      tree: tree of the folder of clips, which may lie in folders of splits and classes.

    Raises:
      UserError: the list cannot be used; names the row that is wrong.
    """
    table, annotations = read_annotations(list_path)
    labeled = [
        row
        for row, annotation in zip(table.rows, annotations)
        if annotation.split != TEST_SPLIT or annotation.label
    ]
    table.check_labels(labeled)
    entries = [_find(annotation, tree) for annotation in annotations]
    return check_entries(entries, list_path, tree.root)


def clip_names(
    youtube_id: str, start_secs: float | None, end_secs: float | None
) -> list[str]:
    """Returns the names in use for a clip, without extension, the usual one first."""
    if start_secs is None and end_secs is None:
        return [youtube_id]
    start = int(start_secs or 0)
    names = [f"{youtube_id}_{start:06d}", f"{youtube_id}_{start}"]
    if end_secs is None:
        return names
    end = int(end_secs)
    return [f"{names[0]}_{end:06d}", f"{names[1]}_{end}", *names]


def _find(annotation: Annotation, tree: MediaTree) -> ListEntry:
    segment = annotation.segment
    if tree.media == "images" and segment != (None, None):
        raise UserError(
            f"{annotation.place}: a picture has no start and no end; leave them out."
        )
    names = clip_names(annotation.youtube_id, *segment)
    clips = [source for name in names for source in tree.named(name)]
    whole = tree.named(annotation.youtube_id)
    if clips or not whole:
        segment = (None, None)  # The clip has been cut already.
    expected = names[0] if tree.media == "frames" else f"{names[0]}.mp4"
    source = _nearest(clips or whole or [expected], annotation)
    label = annotation.label or None
    return make_entry(annotation.place, tree, source, label, annotation.split, segment)


def _nearest(sources: list[str], annotation: Annotation) -> str:
    """Returns the first source that lies in folders of the class and the split."""

    def num_matches(source: str) -> int:
        folders = source.split("/")[:-1]
        label = _plain(annotation.label)
        in_class = any(_plain(folder) == label for folder in folders)
        splits = [SPLIT_NAMES.get(folder.casefold()) for folder in folders]
        return in_class + (annotation.split in splits)

    return max(sources, key=num_matches)  # The first one of the best.


def _plain(label: str) -> str:
    """Returns the part of a class name on which the names of its folders agree.

    Spaces, underscores, apostrophes and parentheses differ from copy to copy.
    """
    return re.sub(r"[\W_]+", "", normalized(label)).casefold()
