"""Embeddings and the list of their videos in one Parquet file, if pyarrow is installed.

It holds endpoints that are vectors; activations of layers are too large for a table.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from vie_tf.metrics.search_features import SEARCH_FEATURES
from vie_tf.search.embedding_index import EmbeddingIndex

TABLE_NAME = "videos.parquet"
_ROWS_AT_ONCE = 4096
_INTEGERS = ("id", "clip")  # columns of videos.csv; others are text


def path(index: EmbeddingIndex) -> str:
    """Returns the path of the table."""
    return os.path.join(index.folder, TABLE_NAME)


def write(index: EmbeddingIndex) -> str | None:
    """Writes `videos.parquet`: the columns of videos.csv, and one for each vector.

    Returns:
      The path; None where pyarrow is not installed, or no endpoint is a vector.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        return None
    arrays = index.metadata["arrays"]
    vectors = {
        name: index.array(name)
        for name, array in arrays.items()
        if len(array["shape"]) == 2 and name != SEARCH_FEATURES  # thousands of numbers
    }
    if not vectors:
        return None
    videos = index.videos()

    def table_from(start: int) -> Any:
        chosen = slice(start, start + _ROWS_AT_ONCE)
        columns: dict[str, Any] = {}
        for name in videos[0]:
            kind = int if name in _INTEGERS else str
            columns[name] = [kind(video[name]) for video in videos[chosen]]
        for name, array in vectors.items():
            flat = pyarrow.array(np.ravel(array[chosen]))
            columns[name] = pyarrow.FixedSizeListArray.from_arrays(flat, array.shape[1])
        return pyarrow.table(columns)

    unfinished = f"{path(index)}.tmp"
    with parquet.ParquetWriter(unfinished, table_from(0).schema) as writer:
        for start in range(0, len(videos), _ROWS_AT_ONCE):
            writer.write_table(table_from(start))
    os.replace(unfinished, path(index))
    return path(index)
