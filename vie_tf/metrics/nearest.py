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

Letters: Q queries, N gallery videos, D dimension, k neighbors, B queries of a block.
"""

from __future__ import annotations

from typing import NamedTuple, Union

import numpy as np
import tensorflow as tf

from vie_tf.storage.errors import UserError

# Products held at once; chosen by measurement (python -m benchmarks.bank.nearest).
_BLOCK_FLOATS = 2**26
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
    parts = [
        _nearest_of_block(
            gallery,
            tf.convert_to_tensor(queries[start : start + size], tf.float32),
            tf.constant(own[start : start + size]),
            # As tensors, so that there is one graph for all values.
            tf.constant(k),
            tf.constant(min(_GROUP_SIZE, gallery_size)),
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


# AutoGraph would take longer than a search, and there is nothing to convert.
@tf.function(reduce_retracing=True, autograph=False)
def _nearest_of_block(
    gallery: tf.Tensor,
    queries: tf.Tensor,
    own: tf.Tensor,
    k: tf.Tensor,
    group_size: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns positions [B, k] and similarities [B, k] for a block of queries."""
    gallery_size, block = tf.shape(gallery)[0], tf.shape(queries)[0]
    # [N, B]: at N = 240k, D = 128 the other way round takes five times as long on the
    # CPU.
    products = tf.matmul(gallery, queries, transpose_b=True)
    num_whole = gallery_size // group_size
    whole = tf.reshape(
        products[: num_whole * group_size], [num_whole, group_size, block]
    )
    maxima = tf.reduce_max(whole, axis=1)  # [groups, B]
    # The last group may be smaller, or empty.
    rest = products[num_whole * group_size :]
    rest_maximum = tf.reduce_max(rest, axis=0, keepdims=True)  # -inf if it is empty
    maxima = tf.transpose(tf.concat([maxima, rest_maximum], axis=0))  # [B, groups + 1]

    # One more, since the query itself may be among them.
    num_found = tf.minimum(k + 1 + _SPARE_NEIGHBORS, gallery_size)
    groups = tf.math.top_k(maxima, tf.minimum(num_found, num_whole + 1)).indices
    indices = tf.sort(groups, axis=1)[:, :, None] * group_size + tf.range(group_size)
    indices = tf.reshape(indices, [block, -1])  # [B, candidates], rising
    exists = indices < gallery_size
    indices = tf.minimum(indices, gallery_size - 1)
    at = indices * block + tf.range(block)[:, None]
    candidates = tf.gather(tf.reshape(products, [-1]), at)
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
