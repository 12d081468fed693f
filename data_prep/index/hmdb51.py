"""The official split files of HMDB51 -> its videos.

Comes in: a folder with `CLASS_test_split1.txt` to `CLASS_test_split3.txt` for every
class, and the tree of the folder of the videos.  Goes out: the videos that
`index_videos` gives ids.
"""

from __future__ import annotations

import os

from data_prep.index import listed
from data_prep.index.found_video import FoundVideo
from data_prep.index.list_text import read_words
from data_prep.index.media_tree import MediaTree
from data_prep.index.split_lists import find_source
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT

LIST_MARK = "_test_split"
_UNUSED = "0"
# There is no validation split; results on HMDB51 are those on its test lists.
_SPLITS = {"1": TRAIN_SPLIT, "2": VAL_SPLIT}


def read_hmdb51(list_path: str, tree: MediaTree, fold: int) -> list[FoundVideo]:
    """Finds the videos of one official split, sorted by source.

    Args:
      list_path: folder of the split files.
      tree: of the videos, in a folder per class or all in one.
      fold: 1, 2 or 3.

    Raises:
      ValueError: there is no file of this split, or a line of one is wrong.
    """
    ending = f"{LIST_MARK}{fold}.txt"
    names = sorted(
        name
        for name in os.listdir(list_path)
        if name.endswith(ending) and not name.startswith(".")
    )
    if not names:
        raise ValueError(
            f"There is no file CLASS{ending} in {list_path!r}; give the folder of the"
            " official split files of HMDB51 (testTrainMulti_7030_splits)."
        )
    labels = {name: name[: -len(ending)] for name in names}
    entries = []
    for name, label in labels.items():
        for place, words in read_words(os.path.join(list_path, name)):
            file_name, number = _checked_entry(place, words)
            if number == _UNUSED:
                continue
            source = find_source(tree, file_name, label, set(labels.values()))
            entries.append(
                listed.make_listed(
                    place, tree, source, label=label, split=_SPLITS[number]
                )
            )
    return listed.checked(entries, list_path, tree.root)


def _checked_entry(place: str, words: list[str]) -> tuple[str, str]:
    """Returns file name and number of `video.avi 1`."""
    if len(words) != 2 or words[1] not in (_UNUSED, *_SPLITS) or "/" in words[0]:
        raise ValueError(
            f"{place}: {' '.join(words)!r} is not of the form VIDEO NUMBER, with 1 for"
            " training, 2 for testing and 0 for neither."
        )
    return words[0], words[1]
