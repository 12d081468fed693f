"""The official split lists of UCF101 -> its videos.

Comes in: a folder with `classInd.txt`, `trainlist01.txt` to `testlist03.txt`, and the
tree of the folder of the videos.  Goes out: the videos that `index_videos` gives ids.
"""

from __future__ import annotations

import os

from data_prep.index import listed
from data_prep.index.found_video import FoundVideo
from data_prep.index.list_text import read_words
from data_prep.index.media_tree import MediaTree
from data_prep.index.split_lists import find_source
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT

CLASSES_NAME = "classInd.txt"
# There is no validation split; results on UCF101 are those on its test lists.
_LISTS = {"train": TRAIN_SPLIT, "test": VAL_SPLIT}


def read_ucf101(list_path: str, tree: MediaTree, fold: int) -> list[FoundVideo]:
    """Finds the videos of one official split, sorted by source.

    Args:
      list_path: folder of the lists.
      tree: of the videos, in a folder per class or all in one.
      fold: 1, 2 or 3.

    Raises:
      ValueError: a list is missing, or disagrees with the list of the classes.
    """
    labels = _read_classes(_existing(list_path, CLASSES_NAME))
    entries = []
    for name, split in _LISTS.items():
        path = _existing(list_path, f"{name}list{fold:02d}.txt")
        for place, words in read_words(path):
            label, file_name = _checked_entry(place, words, labels)
            source = find_source(tree, file_name, label, labels)
            entries.append(
                listed.make_listed(place, tree, source, label=label, split=split)
            )
    return listed.checked(entries, list_path, tree.root)


def _existing(folder: str, name: str) -> str:
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise ValueError(
            f"There is no {name} in {folder!r}; give the folder of the official lists"
            " of UCF101 (ucfTrainTestlist)."
        )
    return path


def _read_classes(path: str) -> dict[str, str]:
    """Returns the number of each class, as text."""
    labels = {}
    for place, words in read_words(path):
        if len(words) != 2:
            raise ValueError(
                f"{place}: {' '.join(words)!r} is not a number and a class."
            )
        labels[words[1]] = words[0]
    return labels


def _checked_entry(
    place: str, words: list[str], labels: dict[str, str]
) -> tuple[str, str]:
    """Returns class and file name of `Class/v_Class_g01_c01.avi [number]`."""
    parts = words[0].split("/")
    if len(parts) != 2 or ".." in parts or len(words) > 2:
        raise ValueError(
            f"{place}: {' '.join(words)!r} is not of the form CLASS/VIDEO or"
            " CLASS/VIDEO NUMBER."
        )
    label, file_name = parts
    if label not in labels:
        raise ValueError(f"{place}: {CLASSES_NAME} has no class {label!r}.")
    if len(words) == 2 and words[1] != labels[label]:
        raise ValueError(
            f"{place}: the class {label!r} has the number {words[1]}, but"
            f" {labels[label]} in {CLASSES_NAME}."
        )
    return label, file_name
