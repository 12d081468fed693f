"""Reads the official splits of UCF101 and HMDB51.

The lists are found in a folder as it is published.  Neither data set has a validation
split: their test lists become the split `val`.
"""

from __future__ import annotations

import os
from typing import Container

from data_prep.index.labels import normalized
from data_prep.index.lists.list_entry import ListEntry, check_entries, make_entry
from data_prep.index.lists.list_file import read_words
from data_prep.index.media_tree import MediaTree
from data_prep.index.video_row import FoundVideo
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT

UCF101_CLASSES = "classInd.txt"
HMDB51_MARK = "_test_split"

_UCF101_LISTS = {"train": TRAIN_SPLIT, "test": VAL_SPLIT}
_HMDB51_UNUSED = "0"
_HMDB51_SPLITS = {"1": TRAIN_SPLIT, "2": VAL_SPLIT}


def read_ucf101(list_path: str, tree: MediaTree, fold: int) -> list[FoundVideo]:
    """Finds the videos of one official split of UCF101, sorted by source.

    Args:
      list_path: folder with `classInd.txt` and `trainlist01.txt` to `testlist03.txt`.
      tree: tree of the videos, which lie in a folder per class or all in one.
      fold: 1, 2 or 3.

    Raises:
      UserError: a list is missing, or contradicts the list of classes.
    """
    numbers = {}
    for place, words in read_words(_ucf101_file(list_path, UCF101_CLASSES)):
        if len(words) != 2:
            raise UserError(
                f"{place}: {' '.join(words)!r} is not a number and a class."
            )
        numbers[words[1]] = words[0]
    entries = []
    for name, split in _UCF101_LISTS.items():
        path = _ucf101_file(list_path, f"{name}list{fold:02d}.txt")
        for place, words in read_words(path):
            label, file_name = _parse_ucf101(place, words, numbers)
            entries.append(_entry(place, tree, file_name, label, split, numbers))
    return check_entries(entries, list_path, tree.root)


def read_hmdb51(list_path: str, tree: MediaTree, fold: int) -> list[FoundVideo]:
    """Finds the videos of one official split of HMDB51, sorted by source.

    Args:
      list_path: folder with `CLASS_test_split1.txt` to `CLASS_test_split3.txt`.
      tree: tree of the videos, which lie in a folder per class or all in one.
      fold: 1, 2 or 3.

    Raises:
      UserError: there is no file of this split, or a line of one is wrong.
    """
    ending = f"{HMDB51_MARK}{fold}.txt"
    labels = {
        name[: -len(ending)]: os.path.join(list_path, name)
        for name in sorted(os.listdir(list_path))
        if name.endswith(ending) and not name.startswith(".")
    }
    if not labels:
        raise UserError(
            f"There is no file CLASS{ending} in {list_path!r}; give the folder of the"
            " official split files of HMDB51 (testTrainMulti_7030_splits)."
        )
    entries = []
    for label, path in labels.items():
        for place, words in read_words(path):
            file_name, number = _parse_hmdb51(place, words)
            if number != _HMDB51_UNUSED:
                split = _HMDB51_SPLITS[number]
                entries.append(_entry(place, tree, file_name, label, split, labels))
    return check_entries(entries, list_path, tree.root)


def _ucf101_file(folder: str, name: str) -> str:
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise UserError(
            f"There is no {name} in {folder!r}; give the folder of the official lists"
            " of UCF101 (ucfTrainTestlist)."
        )
    return path


def _parse_ucf101(
    place: str, words: list[str], numbers: dict[str, str]
) -> tuple[str, str]:
    """Returns class and file name of `Class/v_Class_g01_c01.avi [number]`."""
    parts = words[0].split("/")
    if len(parts) != 2 or ".." in parts or len(words) > 2:
        raise UserError(
            f"{place}: {' '.join(words)!r} does not have the form CLASS/VIDEO or"
            " CLASS/VIDEO NUMBER."
        )
    label, file_name = parts
    if label not in numbers:
        raise UserError(f"{place}: {UCF101_CLASSES} has no class {label!r}.")
    if len(words) == 2 and words[1] != numbers[label]:
        raise UserError(
            f"{place}: the class {label!r} has the number {words[1]}, but"
            f" {numbers[label]} in {UCF101_CLASSES}."
        )
    return label, file_name


def _parse_hmdb51(place: str, words: list[str]) -> tuple[str, str]:
    """Returns file name and number of `video.avi 1`."""
    numbers = (_HMDB51_UNUSED, *_HMDB51_SPLITS)
    if len(words) != 2 or words[1] not in numbers or "/" in words[0]:
        raise UserError(
            f"{place}: {' '.join(words)!r} does not have the form VIDEO NUMBER, with 1"
            " for training, 2 for testing and 0 for neither."
        )
    return words[0], words[1]


def _entry(
    place: str,
    tree: MediaTree,
    file_name: str,
    label: str,
    split: str,
    labels: Container[str],
) -> ListEntry:
    source = _find_source(tree, file_name, label, labels)
    return make_entry(place, tree, source, label, split)


def _find_source(
    tree: MediaTree, file_name: str, label: str, labels: Container[str]
) -> str:
    """Returns the source of a listed video, which may be missing.

    The video may lie in the folder of its class or in a common one, have another
    extension, or be a folder of frames.
    """
    name = file_name.rpartition(".")[0] or file_name
    others = []
    for source in tree.named_in_any_case(name):
        folder = source.rpartition("/")[0].rpartition("/")[2]
        if normalized(folder) == normalized(label):
            return source
        if folder not in labels:  # Another class may have a video of that name.
            others.append(source)
    if others:
        return others[0]
    return f"{label}/{name if tree.media == 'frames' else file_name}"
