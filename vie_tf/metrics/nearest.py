"""Exact nearest neighbors of each query in a gallery, in bounded memory.

kNN, retrieval and `embed.py` all search here.  Similarities are dot products.  Equal
ones are ordered by their position in the gallery, whatever the size of the blocks, so
that ties are resolved the same way everywhere.

A block of queries is multiplied with the whole gallery.  Sorting all N products of a
query would take longer than computing them, so the gallery is divided into groups of
`_GROUP_SIZE`, and only the largest product of each group is compared first: the k
nearest lie in the k groups with the largest maxima, since every other group comes after
k groups that hold something larger.  Only the products of those few groups are sorted.
The last bits of a product in float32 depend on its place in the block, so a few more
neighbors than asked for are found that way, and ordered by products in float64.

Queries of several blocks are multiplied with a transposed copy of the gallery, with
which a product takes less time and holds the products of a group side by side.

Letters: Q queries, N gallery videos, D dimension, k neighbors, B queries of a block.
"""

from __future__ import annotations

from typing import NamedTuple, Union

import numpy as np
import tensorflow as tf

from vie_tf.storage.errors import UserError

# Products held at once; chosen by measurement (python -m benchmarks.bank.nearest).
_BLOCK_FLOATS = 2**25
_MOST_QUERIES = 1024
_GROUP_SIZE = 64
# Found beyond k, for ties and for rounding at the edge.
_SPARE_NEIGHBORS = 6

Matrix = Union[np.ndarray, tf.Tensor]


class Nearest(NamedTuple):
    """The nearest gallery videos of every query.

    Attributes:
      neighbor_index: positions in the gallery, nearest first, [Q, k] int32.
      similarities: [Q, k] float32.
    """

    neighbor_index: np.ndarray
    similarities: np.ndarray


def search(
    gallery: Matrix, queries: Matrix, k: int, own_index: np.ndarray | None = None
) -> Nearest:
    """Finds the nearest gallery videos of every query.

    Args:
      gallery: [N, D] float32.
      queries: [Q, D] float32.
      k: at least 1; the whole gallery where it is smaller.
      own_index: [Q] positions of the queries themselves in the gallery, which are not
        found (leave-one-out); None where queries are not in the gallery.

    Raises:
      UserError: the gallery is empty but for the query itself.
    """
    gallery = tf.convert_to_tensor(gallery, tf.float32)
    gallery_size = int(gallery.shape[0])
    k = min(k, gallery_size - (own_index is not None))
    if k < 1:
        raise UserError("There is no video in the gallery to compare a query with.")
    num_queries = len(queries)
    own = np.full(num_queries, -1) if own_index is None else np.asarray(own_index)
    own = own.astype(np.int32)
    size = queries_at_once(gallery_size)
    group_size = min(_GROUP_SIZE, gallery_size)
    columns = None  # a copy of them does not pay for a single block
    if num_queries > size:
        columns = _columns(gallery, tf.constant(group_size))
    parts = [
        _nearest_of_block(
            gallery,
            columns,
            tf.convert_to_tensor(queries[start : start + size], tf.float32),
            tf.constant(own[start : start + size]),
            # As tensors, so that there is one graph for all values.
            tf.constant(k),
            tf.constant(group_size),
        )
        for start in range(0, num_queries, size)
    ]
    indices, similarities = zip(*parts) if parts else ((), ())
    nothing = np.zeros([0, k])
    return Nearest(
        np.concatenate([nothing.astype(np.int32), *indices]),
        np.concatenate([nothing.astype(np.float32), *similarities]),
    )


def queries_at_once(gallery_size: int) -> int:
    """Returns how many queries a block has, so that products fit `_BLOCK_FLOATS`."""
    return min(max(_BLOCK_FLOATS // gallery_size, 1), _MOST_QUERIES)


@tf.function(reduce_retracing=True, autograph=False)
def _columns(gallery: tf.Tensor, group_size: tf.Tensor) -> tf.Tensor:
    """Returns [D, N'], with zeros up to a whole group."""
    num_missing = -tf.shape(gallery)[0] % group_size
    return tf.transpose(tf.pad(gallery, [[0, num_missing], [0, 0]]))


# AutoGraph would take longer than a search, and there is nothing to convert.
@tf.function(reduce_retracing=True, autograph=False)
def _nearest_of_block(
    gallery: tf.Tensor,
    columns: tf.Tensor | None,
    queries: tf.Tensor,
    own: tf.Tensor,
    k: tf.Tensor,
    group_size: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns positions [B, k] and similarities [B, k] for a block of queries."""
    gallery_size, block = tf.shape(gallery)[0], tf.shape(queries)[0]
    if columns is None:
        products = tf.matmul(queries, gallery, transpose_b=True)
        products = tf.pad(products, [[0, 0], [0, -gallery_size % group_size]])
    else:
        products = tf.matmul(queries, columns)  # [B, N']
    in_groups = tf.reshape(products, [block, -1, group_size])
    maxima = tf.reduce_max(in_groups, axis=2)  # [B, groups]

    # One more, since the query itself may be among them.
    num_found = tf.minimum(k + 1 + _SPARE_NEIGHBORS, gallery_size)
    # And one group more: that of the last ones may owe its maximum to a zero.
    num_groups = tf.minimum(num_found + 1, tf.shape(maxima)[1])
    groups = tf.math.top_k(maxima, num_groups).indices
    groups = tf.sort(groups, axis=1)
    indices = groups[:, :, None] * group_size + tf.range(group_size)
    indices = tf.reshape(indices, [block, -1])  # [B, candidates], rising
    exists = indices < gallery_size
    indices = tf.minimum(indices, gallery_size - 1)
    candidates = tf.gather(in_groups, groups, axis=1, batch_dims=1)
    candidates = tf.reshape(candidates, [block, -1])
    candidates = tf.where(exists, candidates, -np.inf)
    # `top_k` takes the first of equal ones, and indices rise.
    best = tf.math.top_k(candidates, num_found).indices
    indices = tf.sort(tf.gather(indices, best, batch_dims=1), axis=1)  # [B, found]

    gathered = tf.cast(tf.gather(gallery, indices), tf.float64)  # [B, found, D]
    exact = tf.reduce_sum(
        gathered * tf.cast(queries, tf.float64)[:, None, :], axis=2
    )  # [B, found]
    minus_inf = tf.constant(-np.inf, tf.float64)
    exact = tf.where(indices == own[:, None], minus_inf, exact)
    similarities, order = tf.math.top_k(exact, k)
    return tf.gather(indices, order, batch_dims=1), tf.cast(similarities, tf.float32)
