"""The annotation csv of Kinetics -> the clips that were downloaded of it.

Comes in: the csv file as it is published (label, youtube_id, time_start, time_end,
split) and the tree of the folder of the clips.  Goes out: the videos that
`index_videos` gives ids.

Clips are found by name in whatever folder: `ID_000012_000022`, `ID_12_22`, `ID_000012`
or `ID_12`, with any extension of a video, are what is left of a video after cutting.
A file that is called just `ID` is the whole video, out of which the segment of the
row is taken.
"""

from __future__ import annotations

import re

from data_prep.index import listed, table
from data_prep.index.csv_list import segment_of
from data_prep.index.found_video import FoundVideo
from data_prep.index.media_tree import MediaTree
from vie_tf.storage.manifest import TEST_SPLIT


def read_kinetics(list_path: str, tree: MediaTree) -> list[FoundVideo]:
    """Finds the clips that an annotation csv names, sorted by source.

    A clip that is not there keeps its row, under the name of a downloaded clip.

    Args:
      list_path: csv file.  The rows of the test split may be without labels.
      tree: of the folder of clips, which may lie in folders of splits and classes.

    Raises:
      ValueError: the list cannot be used, with the row that is wrong.
    """
    rows = table.read_table(list_path, lambda text: False)
    if table.YOUTUBE_ID not in rows.columns:
        raise ValueError(
            f"The list {list_path!r} has no column youtube_id, as the annotations of"
            " Kinetics have; give --list_format=csv for a list of paths."
        )
    places = rows.places()
    splits = [
        listed.split_of(place, row[table.SPLIT])
        for place, row in zip(places, rows.rows)
    ]
    rows.check_labels(
        [
            row
            for row, split in zip(rows.rows, splits)
            if split != TEST_SPLIT or row[table.LABEL]
        ]
    )
    entries = [
        _find(place, row, split, tree)
        for place, row, split in zip(places, rows.rows, splits)
    ]
    return listed.checked(entries, list_path, tree.root)


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


def _find(
    place: str, row: table.TableRow, split: str | None, tree: MediaTree
) -> listed.Listed:
    youtube_id = row[table.YOUTUBE_ID]
    if not youtube_id or "/" in youtube_id:
        raise ValueError(f"{place}: {youtube_id!r} cannot be a youtube id.")
    start_secs, end_secs = segment_of(place, row, tree)
    names = clip_names(youtube_id, start_secs, end_secs)
    clips = [source for name in names for source in tree.named(name)]
    whole = tree.named(youtube_id)
    if clips or not whole:
        start_secs = end_secs = None  # Of the whole video, not of the clip.
    expected = names[0] if tree.media == "frames" else f"{names[0]}.mp4"
    label = row[table.LABEL]
    return listed.make_listed(
        place,
        tree,
        _nearest(clips or whole or [expected], label, split),
        label=label or None,
        split=split,
        start_secs=start_secs,
        end_secs=end_secs,
    )


def _nearest(sources: list[str], label: str, split: str | None) -> str:
    """Returns the first source that lies in folders of the class and the split."""
    if len(sources) == 1:
        return sources[0]

    def num_matches(source: str) -> int:
        parts = source.split("/")[:-1]
        in_class = any(_plain(part) == _plain(label) for part in parts)
        in_split = any(
            listed.SPLIT_NAMES.get(part.casefold()) == split for part in parts
        )
        return in_class + in_split

    return max(sources, key=num_matches)  # The first one of the best.


def _plain(label: str) -> str:
    """Returns a class name as far as names of its folder agree.

    Spaces, underscores, apostrophes and parentheses differ from copy to copy.
    """
    return re.sub(r"[\W_]+", "", label).casefold()
