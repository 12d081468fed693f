"""Finds the videos of a data set and gives them ids and splits.

This is the first step of the data path; `data_prep.decode` is the next one.  `read`
calls the reader of a folder or a list, and `make_rows` is the only place where ids are
assigned.
"""

from __future__ import annotations

import collections
import hashlib
import os
from typing import Callable, Iterable, Sequence

from data_prep.config import ConversionConfig
from data_prep.index.folder import read_folder
from data_prep.index.lists import csv_header, csv_table, official_splits
from data_prep.index.lists.csv_list import read_csv
from data_prep.index.lists.kinetics import read_kinetics
from data_prep.index.media_tree import MediaTree
from data_prep.index.video_row import FoundVideo, VideoRow
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT


def read(config: ConversionConfig) -> list[FoundVideo]:
    """Finds the videos of a folder or a list, see `read_all`."""
    return read_all(config)[0]


def read_all(config: ConversionConfig) -> tuple[list[FoundVideo], tuple[str, ...]]:
    """Finds the videos of a folder or a list, and the files that are none.

    Returns:
      The videos, sorted by source, and `MediaTree.left_out`, which is empty for a list:
      it says itself what to take.

    Raises:
      UserError: the folder or the list cannot be read as a data set.
    """
    list_path, list_format = config.list_path, config.list_format
    if not list_path:
        tree = MediaTree(config.videos, config.media)
        return read_folder(tree), tree.left_out
    if list_format == "auto":
        list_format = _format_of(list_path)
    _check_exists(list_path, list_format)
    tree = MediaTree(config.videos, config.media)
    tree.print_repeated()
    readers: dict[str, Callable[[], list[FoundVideo]]] = {
        "csv": lambda: read_csv(list_path, tree),
        "kinetics": lambda: read_kinetics(list_path, tree),
        "ucf101": lambda: official_splits.read_ucf101(list_path, tree, config.fold),
        "hmdb51": lambda: official_splits.read_hmdb51(list_path, tree, config.fold),
    }
    return readers[list_format](), ()


def make_rows(
    videos: Iterable[FoundVideo], *, val_fraction: float, seed: int, first_id: int = 0
) -> tuple[VideoRow, ...]:
    """Gives every video its id, and its split if no list assigns one.

    Both follow from a hash of (seed, source): neither depends on the order of the
    videos, and the ids do not depend on `val_fraction`.  Each class is split by itself
    (without labels, all videos together).  A class of two or more videos has at least
    one in each split; the video of a class of one is for training.

    Args:
      videos: videos as found by a reader, each source once.
      val_fraction: fraction of each class in the split `val`, in [0, 1).
      seed: seed of the split and of the ids.
      first_id: the smallest id; smaller ones are in use.

    Returns:
      The rows, sorted by source.

    Raises:
      UserError: some of the videos have splits and others do not.
    """
    videos = sorted(videos, key=lambda video: video.source)
    splits = _splits(videos, val_fraction, seed)
    order = _shuffled([video.source for video in videos], f"id {seed}")
    ids = {source: number for number, source in enumerate(order, start=first_id)}
    return tuple(
        VideoRow(**{**vars(video), "split": splits[video.source]}, id=ids[video.source])
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
            raise UserError(
                f"{len(without)} of {len(videos)} videos have no split (such as"
                f" {', '.join(map(repr, without[:3]))}) but others have; give all of"
                " them a split, or none to split them by --val_fraction."
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
    """Returns the format of a list, one of `LIST_FORMATS`."""
    if not os.path.isdir(list_path):
        _check_exists(list_path, "csv")
        columns = csv_table.columns_of(list_path)
        # If a list has both, paths are more precise than ids.
        only_ids = csv_header.YOUTUBE_ID in columns and csv_header.VIDEO not in columns
        return "kinetics" if only_ids else "csv"
    names = os.listdir(list_path)
    if official_splits.UCF101_CLASSES in names:
        return "ucf101"
    mark = official_splits.HMDB51_MARK
    if any(mark in name and name.endswith(".txt") for name in names):
        return "hmdb51"
    raise UserError(
        f"The folder --list={list_path} holds neither {official_splits.UCF101_CLASSES}"
        f" (UCF101) nor files CLASS{mark}1.txt (HMDB51); give the folder that directly"
        " holds the official lists, or a csv file."
    )


def _check_exists(list_path: str, list_format: str) -> None:
    is_folder = list_format in ("ucf101", "hmdb51")
    if os.path.isdir(list_path) if is_folder else os.path.isfile(list_path):
        return
    what = "the folder of the official lists" if is_folder else "a csv file"
    if not os.path.exists(list_path):
        raise UserError(f"--list={list_path} does not exist; give {what}.")
    raise UserError(
        f"--list={list_path} is not {what}, as --list_format={list_format} needs."
    )
