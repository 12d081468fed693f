"""Embeddings with the list of their videos as one Parquet file, where pyarrow is there.

For endpoints that are vectors; activations of layers are too large for a table.
"""

from __future__ import annotations

import os

import numpy as np

from vie_tf.search.embedding_files import EmbeddingIndex

TABLE_NAME = "videos.parquet"
_ROWS_AT_ONCE = 4096


def path(index: EmbeddingIndex) -> str:
    """Where the table of a folder is."""
    return os.path.join(index.folder, TABLE_NAME)


def write_parquet(index: EmbeddingIndex) -> str | None:
    """Writes `videos.parquet`: a column for every one of videos.csv and every vector.

    Args:
      index: of the folder.

    Returns:
      The path; None where there is no pyarrow, or no endpoint that is a vector.
    """
    arrays = index.facts["arrays"]
    vectors = {n: index.array(n) for n, a in arrays.items() if len(a["shape"]) == 2}
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        return None
    if not vectors:
        return None
    videos = index.videos()
    types = {"id": pyarrow.int64(), "clip": pyarrow.int64()}
    columns = list(videos[0])
    schema = pyarrow.schema(
        [(name, types.get(name, pyarrow.string())) for name in columns]
        + [
            (n, pyarrow.list_(pyarrow.float32(), v.shape[1]))
            for n, v in vectors.items()
        ]
    )
    unfinished = f"{path(index)}.tmp"
    with parquet.ParquetWriter(unfinished, schema) as writer:
        for start in range(0, len(videos), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            data = []
            for name in columns:
                kind = int if name in types else str
                values = [kind(video[name]) for video in videos[rows]]
                data.append(pyarrow.array(values, schema.field(name).type))
            for array in vectors.values():
                flat = pyarrow.array(np.ravel(array[rows]))
                data.append(
                    pyarrow.FixedSizeListArray.from_arrays(flat, array.shape[1])
                )
            writer.write_batch(pyarrow.record_batch(data, schema=schema))
    os.replace(unfinished, path(index))
    return path(index)
