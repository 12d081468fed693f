"""What all lists have in common: entries with a place, which must make a data set."""

from __future__ import annotations

import dataclasses
import os
from typing import Sequence

from data_prep.index import segment
from data_prep.index.found_video import FoundVideo
from data_prep.index.media_tree import MediaTree
from vie_tf.storage.manifest import TEST_SPLIT, TRAIN_SPLIT, VAL_SPLIT

# What splits are called in lists, and folders of splits.
SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), TRAIN_SPLIT),
    **dict.fromkeys(("val", "valid", "validate", "validation"), VAL_SPLIT),
    **dict.fromkeys(("test", "testing"), TEST_SPLIT),
}


@dataclasses.dataclass(frozen=True)
class Listed:
    """A video, and where the list names it (see `list_text.place`)."""

    place: str
    video: FoundVideo


def make_listed(
    place: str,
    tree: MediaTree,
    source: str,
    *,
    label: str | None,
    split: str | None,
    start_secs: float | None = None,
    end_secs: float | None = None,
) -> Listed:
    """Returns an entry of a list; see `FoundVideo` for what is not said here.

    Args:
      place: of the entry, for messages.
      tree: where the video is looked for.
      source: relative path, without the segment.
      label: see there.
      split: see there.
      start_secs: see there.
      end_secs: see there.
    """
    return Listed(
        place,
        FoundVideo(
            path=tree.path(source),
            source=source + segment.suffix(start_secs, end_secs),
            label=label,
            split=split,
            start_secs=start_secs,
            end_secs=end_secs,
        ),
    )


def split_of(place: str, text: str) -> str | None:
    """Returns the split that a list names, None for an empty text.

    Raises:
      ValueError: it is none of train, val, test and their other names.
    """
    if not text:
        return None
    split = SPLIT_NAMES.get(text.casefold())
    if split is None:
        raise ValueError(
            f"{place}: the split is {text!r}; it must be one of"
            f" {', '.join(SPLIT_NAMES)}, or empty in all rows."
        )
    return split


def checked(entries: Sequence[Listed], list_path: str, root: str) -> list[FoundVideo]:
    """Returns the videos of a list, sorted by source.

    A video that is not there stays: decoding refuses it with the reason.

    Args:
      entries: all of the list.
      list_path: of the list, for messages.
      root: of the videos.

    Raises:
      ValueError: two entries are the same video, a name is not UTF-8, there are no
        entries, or none of the videos is there.
    """
    if not entries:
        raise ValueError(f"The list {list_path!r} names no video.")
    places: dict[str, str] = {}
    for entry in entries:
        source = entry.video.source
        first = places.setdefault(source, entry.place)
        if first is not entry.place:
            raise ValueError(
                f"{first} and {entry.place} of the list {list_path!r} are the same"
                f" video {source!r}; remove one of them."
            )
        try:
            source.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"The file name {source!r} in {root!r} is not valid UTF-8; rename it."
            ) from None
    if not any(os.path.exists(entry.video.path) for entry in entries):
        raise ValueError(
            f"None of the {len(entries)} videos of the list {list_path!r} is in the"
            f" folder {root!r}; {entries[0].place} was looked for as"
            f" {entries[0].video.path!r}. Give the folder that the list starts from."
        )
    return sorted((entry.video for entry in entries), key=lambda video: video.source)
