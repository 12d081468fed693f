"""Videos -> rows: id, path, source, label, split.

The first step of the data path; `decode_frames` is the next one.  A reader (one of
`data_prep.readers`) finds the videos, `make_rows` gives them ids and splits.  This is
the only place where an id is given.
"""

from __future__ import annotations

import collections
import hashlib
import os
from typing import Callable, Iterable, Sequence

from data_prep.config import ConversionConfig
from data_prep.index import hmdb51, table, ucf101
from data_prep.index.csv_list import read_csv
from data_prep.index.folder import read_folder
from data_prep.index.found_video import FoundVideo, Row
from data_prep.index.kinetics import read_kinetics
from data_prep.index.media_tree import MediaTree
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT


def read(config: ConversionConfig) -> list[FoundVideo]:
    """Finds the videos that are asked for, sorted by source.

    Args:
      config: which folder, list and medium.

    Raises:
      ValueError: the folder or the list cannot be read as a data set; says how to
        mend it.
    """
    list_path, list_format = config.list_path, config.list_format
    if not list_path:
        return read_folder(MediaTree(config.videos, config.media))
    if list_format == "auto":
        list_format = _format_of(list_path)
    _check_is_there(list_path, list_format)
    # The other lists hold names, not paths: where links lead to is up to the user.
    may_leave = list_format != "csv"
    tree = MediaTree(config.videos, config.media, links_may_leave=may_leave)
    readers: dict[str, Callable[[], list[FoundVideo]]] = {
        "csv": lambda: read_csv(list_path, tree),
        "kinetics": lambda: read_kinetics(list_path, tree),
        "ucf101": lambda: ucf101.read_ucf101(list_path, tree, config.fold),
        "hmdb51": lambda: hmdb51.read_hmdb51(list_path, tree, config.fold),
    }
    return readers[list_format]()


def make_rows(
    videos: Iterable[FoundVideo], *, val_fraction: float, seed: int, first_id: int = 0
) -> tuple[Row, ...]:
    """Gives every video its id, and its split where no list has given one.

    Both follow from a hash of (seed, source): neither depends on the order in which
    the videos were listed, and the ids do not depend on `val_fraction`.  The split
    is made within each class (over all videos where there are no labels); a class
    of two or more videos has at least one on each side, a class of one is trained
    on.

    Args:
      videos: as found by a reader, each source once.
      val_fraction: share of each class that is validated on, in [0, 1).
      seed: another seed gives another split and other ids.
      first_id: the smallest id; those below are in use.

    Returns:
      The rows, sorted by source.

    Raises:
      ValueError: some of the videos have splits and others do not.
    """
    videos = sorted(videos, key=lambda video: video.source)
    splits = _splits(videos, val_fraction, seed)
    order = _shuffled([video.source for video in videos], f"id {seed}")
    ids = {source: number for number, source in enumerate(order, start=first_id)}
    return tuple(
        Row(
            path=video.path,
            source=video.source,
            label=video.label,
            id=ids[video.source],
            split=splits[video.source],
            start_secs=video.start_secs,
            end_secs=video.end_secs,
        )
        for video in videos
    )


def _splits(
    videos: Sequence[FoundVideo], val_fraction: float, seed: int
) -> dict[str, str]:
    """Returns the split of each source."""
    listed = {video.source: video.split for video in videos if video.split}
    if listed:
        without = [video.source for video in videos if not video.split]
        if without:
            raise ValueError(
                f"{len(without)} of {len(videos)} videos have no split (such as"
                f" {', '.join(map(repr, without[:3]))}) but others have; write a split"
                " for all, or for none, which leaves it to --val_fraction."
            )
        return listed
    by_class: dict[str | None, list[str]] = collections.defaultdict(list)
    for video in videos:
        by_class[video.label].append(video.source)
    splits = {video.source: TRAIN_SPLIT for video in videos}
    for sources in by_class.values():
        count = _num_val(len(sources), val_fraction)
        held_out = _shuffled(sources, f"split {seed}")[:count]
        splits.update(dict.fromkeys(held_out, VAL_SPLIT))
    return splits


def _num_val(count: int, val_fraction: float) -> int:
    if val_fraction == 0 or count < 2:
        return 0
    return min(max(1, round(count * val_fraction)), count - 1)


def _shuffled(sources: Iterable[str], salt: str) -> list[str]:
    def key(source: str) -> tuple[bytes, str]:
        return hashlib.sha256(f"{salt} {source}".encode()).digest(), source

    return sorted(sources, key=key)


def _format_of(list_path: str) -> str:
    """Returns which of `LIST_FORMATS` a list is in."""
    if not os.path.isdir(list_path):
        _check_is_there(list_path, "csv")
        columns = table.columns_of(list_path)
        # Paths say more than ids, where a list has both.
        only_ids = table.YOUTUBE_ID in columns and table.VIDEO not in columns
        return "kinetics" if only_ids else "csv"
    names = os.listdir(list_path)
    if ucf101.CLASSES_NAME in names:
        return "ucf101"
    if any(hmdb51.LIST_MARK in name and name.endswith(".txt") for name in names):
        return "hmdb51"
    raise ValueError(
        f"The folder --list={list_path} holds neither {ucf101.CLASSES_NAME} (UCF101)"
        f" nor files CLASS{hmdb51.LIST_MARK}1.txt (HMDB51); give the folder that"
        " directly holds the official lists, or a csv file."
    )


def _check_is_there(list_path: str, list_format: str) -> None:
    is_folder = list_format in ("ucf101", "hmdb51")
    if os.path.isdir(list_path) if is_folder else os.path.isfile(list_path):
        return
    what = "the folder of the official lists" if is_folder else "a csv file"
    if not os.path.exists(list_path):
        raise ValueError(f"--list={list_path} does not exist; give {what}.")
    raise ValueError(
        f"--list={list_path} is not {what}, which --list_format={list_format} takes."
    )
