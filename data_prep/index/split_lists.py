"""Entries of the official lists of UCF101 and HMDB51 -> where their videos lie."""

from __future__ import annotations

from typing import Container

from data_prep.index.media_tree import MediaTree


def find_source(
    tree: MediaTree, file_name: str, label: str, labels: Container[str]
) -> str:
    """Returns the source of a listed video, which need not be there.

    The video may lie in a folder of its class or in a common one, and have another
    extension or be a folder of frames.

    Args:
      tree: where to look.
      file_name: as listed, `NAME.avi`.
      label: its class.
      labels: of all classes.
    """
    name = file_name.rpartition(".")[0] or file_name
    others = []
    for source in tree.named_in_any_case(name):
        folder = source.rpartition("/")[0].rpartition("/")[2]
        if folder == label:
            return source
        if folder not in labels:  # Another class may have a video of that name.
            others.append(source)
    if others:
        return others[0]
    return f"{label}/{name if tree.media == 'frames' else file_name}"
