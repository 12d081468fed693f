"""The rows of a gallery that are nearest to each query: exact, in bounded memory.

The one search of kNN, retrieval and `embed.py`.  Similarities are dot products.  Equal
ones are ordered by row, whatever the sizes of the blocks, so that a tie is resolved the
same way everywhere.

How: a block of queries is multiplied with the whole gallery.  To sort all N products of
a query would take longer than to compute them, so only the largest of every
`_GROUP_ROWS` products is looked at first: what is among the k largest of all lies in
one of the k groups with the largest maxima, since every other group has k groups before
it that hold something larger.  The products of those few groups are then sorted.  A
product in float32 depends, in its last bits, on where in the block it stands; so a few
more rows than asked for are found that way, and ordered by products in float64.

Letters: Q queries, N rows, D dimension, k neighbors.
"""

from __future__ import annotations

from typing import NamedTuple, Union

import numpy as np
import tensorflow as tf

# Products held at once; chosen by measurement (python -m benchmarks.nearest).
_BLOCK_FLOATS = 2**26
_MOST_QUERIES = 1024
_GROUP_ROWS = 64
# Found beyond k, for ties and for rounding at the edge.
_SPARE_ROWS = 6

Matrix = Union[np.ndarray, tf.Tensor]


class Nearest(NamedTuple):
    """The nearest rows of every query.

    Attributes:
      rows: [Q, k] int32, nearest first.
      similarities: [Q, k] float32.
    """

    rows: np.ndarray
    similarities: np.ndarray


def search(
    gallery: Matrix, queries: Matrix, k: int, own_rows: np.ndarray | None = None
) -> Nearest:
    """Finds the nearest rows.

    Args:
      gallery: [N, D] float32.
      queries: [Q, D] float32.
      k: at least 1; all rows there are where the gallery has fewer.
      own_rows: [Q] rows of the gallery that are the queries themselves and are not
        found (leave-one-out); None where queries are not in the gallery.
    """
    gallery = tf.convert_to_tensor(gallery, tf.float32)
    num_rows = int(gallery.shape[0])
    k = min(k, num_rows - (own_rows is not None))
    if k < 1:
        raise ValueError("There is no video in the gallery to compare a query with.")
    num_queries = len(queries)
    own = np.full(num_queries, -1) if own_rows is None else np.asarray(own_rows)
    own = own.astype(np.int32)
    size = queries_at_once(num_rows)
    parts = [
        _nearest_of_block(
            gallery,
            tf.convert_to_tensor(queries[start : start + size], tf.float32),
            tf.constant(own[start : start + size]),
            k,
            min(_GROUP_ROWS, num_rows),
        )
        for start in range(0, num_queries, size)
    ]
    rows, similarities = zip(*parts) if parts else ((), ())
    nothing = np.zeros([0, k])
    return Nearest(
        np.concatenate([nothing.astype(np.int32), *rows]),
        np.concatenate([nothing.astype(np.float32), *similarities]),
    )


def queries_at_once(num_rows: int) -> int:
    """Queries of a block: as many as have `_BLOCK_FLOATS` products with N rows."""
    return min(max(_BLOCK_FLOATS // num_rows, 1), _MOST_QUERIES)


@tf.function(reduce_retracing=True)
def _nearest_of_block(
    gallery: tf.Tensor, queries: tf.Tensor, own: tf.Tensor, k: int, group_rows: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Rows [B, k] and similarities [B, k] of a block of B queries."""
    num_rows, block = tf.shape(gallery)[0], tf.shape(queries)[0]
    # [N, B]: at N = 240k, D = 128 the other way round takes five times as long on the
    # CPU.
    products = tf.matmul(gallery, queries, transpose_b=True)
    num_whole = num_rows // group_rows
    whole = tf.reshape(
        products[: num_whole * group_rows], [num_whole, group_rows, block]
    )
    maxima = tf.reduce_max(whole, axis=1)  # [groups, B]
    # The last group may be a rest, perhaps of nothing.
    rest = products[num_whole * group_rows :]
    rest_maximum = tf.reduce_max(rest, axis=0, keepdims=True)  # -inf without a rest
    maxima = tf.transpose(tf.concat([maxima, rest_maximum], axis=0))  # [B, groups + 1]

    # One more, as the own row is among them or takes no place.
    num_found = tf.minimum(k + 1 + _SPARE_ROWS, num_rows)
    groups = tf.math.top_k(maxima, tf.minimum(num_found, num_whole + 1)).indices
    rows = tf.sort(groups, axis=1)[:, :, None] * group_rows + tf.range(group_rows)
    rows = tf.reshape(rows, [block, -1])  # [B, candidates], rising
    exists = rows < num_rows
    rows = tf.minimum(rows, num_rows - 1)
    at = rows * block + tf.range(block)[:, None]
    candidates = tf.gather(tf.reshape(products, [-1]), at)
    candidates = tf.where(exists, candidates, -np.inf)
    # Of equal ones `top_k` takes those before, and rows rise.
    best = tf.math.top_k(candidates, num_found).indices
    rows = tf.sort(tf.gather(rows, best, batch_dims=1), axis=1)  # [B, found]

    gathered = tf.cast(tf.gather(gallery, rows), tf.float64)  # [B, found, D]
    exact = tf.reduce_sum(
        gathered * tf.cast(queries, tf.float64)[:, None, :], axis=2
    )  # [B, found]
    minus_inf = tf.constant(-np.inf, tf.float64)
    exact = tf.where(rows == own[:, None], minus_inf, exact)
    similarities, order = tf.math.top_k(exact, k)
    return tf.gather(rows, order, batch_dims=1), tf.cast(similarities, tf.float32)
