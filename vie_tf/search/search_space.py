"""The space that videos are compared in, made of the statistics of a whole index.

  search.npy             components of the videos, [V, K] float32 of unit norm
  search_mean.npy        mean of the search features, [D] float32
  search_components.npy  map of features without their mean to components, [D, K]
  search.json            what they were made from

They are computed from `search_features.npy` once the index is complete, and again when
that has changed; a query is projected in the same way.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from vie_tf.metrics import components
from vie_tf.metrics.search_features import NUM_COMPONENTS, SEARCH_FEATURES
from vie_tf.search.embedding_index import EmbeddingIndex
from vie_tf.storage import files, small_files
from vie_tf.storage.errors import UserError

# The statistics of fewer videos say more of them than of a query.
MIN_VIDEOS = 8

_SEARCH, _MEAN, _DIRECTIONS = "search.npy", "search_mean.npy", "search_components.npy"
_METADATA = "search.json"
NAMES = (_SEARCH, _MEAN, _DIRECTIONS, _METADATA)


def is_possible(index: EmbeddingIndex) -> bool:
    """Whether an index has search features of enough videos.

    Indexes of earlier versions, and of networks without the layer, have none.
    """
    has_features = SEARCH_FEATURES in index.metadata["arrays"]
    return has_features and index.metadata["num_videos"] >= MIN_VIDEOS


def write(index: EmbeddingIndex) -> None:
    """Writes the files of the space, unless they are those of this index.

    Where it is not possible, files of an earlier state are removed.
    """
    if not is_possible(index):
        for name in NAMES:
            files.remove(os.path.join(index.folder, name))
    elif not _is_current(index):
        features = index.array(SEARCH_FEATURES)
        space = components.fit(
            features, NUM_COMPONENTS, index.metadata["search_blocks"]
        )
        _save(index, _MEAN, space.mean)
        _save(index, _DIRECTIONS, space.directions)
        _save(index, _SEARCH, space.project(features))
        sums = {n: files.crc32c_of(os.path.join(index.folder, n)) for n in NAMES[:3]}
        content = {"made_from": _made_from(index), "crc32c": sums}
        files.write_atomically(
            os.path.join(index.folder, _METADATA), json.dumps(content, indent=1) + "\n"
        )


def load(index: EmbeddingIndex) -> tuple[np.ndarray, components.Components]:
    """Reads the components of all videos, and the map that a query takes to them.

    Returns:
      [V, K] float32 of unit norm, and the map.

    Raises:
      UserError: the files are missing, or were damaged since they were written.
    """
    if not _is_current(index):
        raise UserError(
            f"The index {index.folder!r} lacks the files that it is searched by, such"
            f" as {_SEARCH}: give the command that made it again, or"
            " --search_by=embedding."
        )
    sums = _read_metadata(index)["crc32c"]
    for name in NAMES[:3]:
        files.check_crc32c(os.path.join(index.folder, name), sums[name])
    rows, mean, directions = (
        np.load(os.path.join(index.folder, name), allow_pickle=False)
        for name in NAMES[:3]
    )
    return rows, components.Components(mean, directions)


def _is_current(index: EmbeddingIndex) -> bool:
    return _read_metadata(index).get("made_from") == _made_from(index)


def _made_from(index: EmbeddingIndex) -> dict[str, Any]:
    """Returns what the space depends on."""
    name = index.metadata["arrays"][SEARCH_FEATURES]["file"]
    return {
        "crc32c": index.metadata.get("crc32c", {}).get(name),
        "blocks": index.metadata.get("search_blocks"),
        "num_components": NUM_COMPONENTS,
        "whitening": components.WHITENING,
    }


def _read_metadata(index: EmbeddingIndex) -> dict[str, Any]:
    path = os.path.join(index.folder, _METADATA)
    fields = {"made_from": "dict", "crc32c": "dict"}
    try:
        content = small_files.read_object(path, fields, "")
    except UserError:
        return {}  # missing or damaged: it is made again
    return content if set(NAMES[:3]) <= set(content["crc32c"]) else {}


def _save(index: EmbeddingIndex, name: str, array: np.ndarray) -> None:
    path = os.path.join(index.folder, name)
    unfinished = f"{path}.tmp"
    with open(unfinished, "wb") as file:
        np.save(file, array, allow_pickle=False)
    files.publish(unfinished, path)
