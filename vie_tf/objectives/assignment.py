"""The assignment step of k-means: which centroid is nearest to each row.

Comes in: rows and centroids.  Goes out: a label for every row, and the sums and counts
of the clusters, from which `vie_tf.objectives.clustering` moves the centroids.

Letters: N rows, D dimension, M clusters, G groups of centroids, P groups searched.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Labels [N] int32, squared distances [N], and per cluster the sum [M, D] and the number
# [M] of its rows.
Assignment = tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class DividedRows:
    """Rows of which every replica holds a part.

    Attributes:
      count: N.
      parts: [n, D] float32 of each replica, one after the other; a distributed value.
      read: maps indices [n] to rows [n, D], in cross-replica context.
    """

    count: int
    parts: Any
    read: Callable[[tf.Tensor], tf.Tensor]


# Scores of a block of rows to all centroids are written by the product and read once,
# for the maximum of every so many centroids; the label is looked for in the best of
# these groups alone.  Blocks of about 16 MB stay in the last cache, which is
# what makes an iteration cost little more than its product; four times larger ones
# take twice the time (measured on AVX2).
_SCORES_PER_BLOCK = 4 * 2**20
_MIN_BLOCK = 64
_GROUP = 64


@tf.function(reduce_retracing=True)
def assign_exactly(rows: tf.Tensor, centroids: tf.Tensor) -> Assignment:
    """Compares every row with every centroid."""
    label, score = nearest_centroids(rows, centroids)
    return assignment_of(rows, label, score, tf.shape(centroids)[0])


def nearest_centroids(
    rows: tf.Tensor, centroids: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the nearest centroid of every row, a block of rows at a time.

    Args:
      rows: [N, D] float32.
      centroids: [M, D] float32.

    Returns:
      Labels [N] int32, and scores [N]: x.c - |c|^2 / 2 of row and nearest centroid.
    """
    num_rows = tf.shape(rows)[0]
    num_clusters = tf.shape(centroids)[0]
    # |x - c|^2 = |x|^2 - 2 (x.c - |c|^2 / 2): the nearest centroid has the largest
    # score, and the last term rides along in the product as one more dimension.
    bias = -0.5 * tf.reduce_sum(tf.square(centroids), axis=1, keepdims=True)
    weights = tf.transpose(tf.concat([centroids, bias], axis=1))  # [D + 1, M]
    weights = _with_whole_groups(weights)

    block_size = tf.maximum(_MIN_BLOCK, _SCORES_PER_BLOCK // num_clusters)
    num_blocks = (num_rows + block_size - 1) // block_size
    labels = tf.TensorArray(
        tf.int32, num_blocks, infer_shape=False, element_shape=[None]
    )
    scores = tf.TensorArray(
        tf.float32, num_blocks, infer_shape=False, element_shape=[None]
    )
    for block in tf.range(num_blocks):
        part = rows[block * block_size : (block + 1) * block_size]
        ones = tf.ones([tf.shape(part)[0], 1])
        score = tf.matmul(tf.concat([part, ones], axis=1), weights)  # [block, M]
        label, best = _largest(score)
        labels, scores = labels.write(block, label), scores.write(block, best)
    return labels.concat(), scores.concat()


def _with_whole_groups(weights: tf.Tensor) -> tf.Tensor:
    """Adds centroids [D + 1, M] that are never the nearest, up to a whole group."""
    num_missing = -tf.shape(weights)[1] % _GROUP
    nothing = tf.zeros([tf.shape(weights)[0] - 1, num_missing])
    never = tf.fill([1, num_missing], weights.dtype.min)
    return tf.concat([weights, tf.concat([nothing, never], axis=0)], axis=1)


def _largest(score: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the first place of the largest of each row's scores, and this score.

    Args:
      score: [n, M] float32, M a multiple of the size of a group.

    Returns:
      [n] int32 and [n] float32.
    """
    num_groups = tf.shape(score)[1] // _GROUP
    groups = tf.reshape(score, [-1, num_groups, _GROUP])
    best = tf.reduce_max(groups, axis=2)  # [n, groups]
    group = tf.argmax(best, axis=1, output_type=tf.int32)
    inside = tf.gather(groups, group, axis=1, batch_dims=1)  # [n, 64]
    place = tf.argmax(inside, axis=1, output_type=tf.int32)
    return group * _GROUP + place, tf.reduce_max(best, axis=1)


def assignment_of(
    rows: tf.Tensor, label: tf.Tensor, score: tf.Tensor, num_clusters: tf.Tensor
) -> Assignment:
    """Computes what Lloyd's update needs of labels and scores [N].

    Returns:
      Labels [N] int32, squared distances [N], and per cluster the sum [M, D] and the
      number [M] of its rows.
    """
    norms = tf.reduce_sum(tf.square(rows), axis=1)
    distances = tf.maximum(norms - 2.0 * score, 0.0)
    sums = tf.math.unsorted_segment_sum(rows, label, num_clusters)
    counts = tf.math.bincount(
        label, minlength=num_clusters, maxlength=num_clusters, dtype=tf.int32
    )
    return label, distances, sums, counts


@tf.function(reduce_retracing=True)
def assign_in_groups(
    rows: tf.Tensor,
    centroids: tf.Tensor,
    centers: tf.Tensor,
    group_of: tf.Tensor,
    num_searched: tf.Tensor,
) -> Assignment:
    """Compares every row with the centroids of the groups that are near to it.

    A row is compared with the centers of all groups, and then with the centroids of
    the P groups nearest to its own.  With G about sqrt(M * P) that is 2 * G
    comparisons instead of M.

    Args:
      rows: [N, D] float32.
      centroids: [M, D] float32.
      centers: [G, D] float32, centers of groups of centroids, of which none is empty.
      group_of: [M] int32, group of each centroid.
      num_searched: P, scalar int32, at most G; with P = G the result is exact.
    """
    num_groups = tf.shape(centers)[0]
    near_groups = _nearest_groups(centers, num_searched)  # [G, P]
    members = _lists(group_of, num_groups)  # [G, None] centroids
    home, _ = nearest_centroids(rows, centers)  # [N]
    residents = _lists(home, num_groups)  # [G, None] rows

    labels = tf.TensorArray(
        tf.int32, num_groups, infer_shape=False, element_shape=[None]
    )
    scores = tf.TensorArray(
        tf.float32, num_groups, infer_shape=False, element_shape=[None]
    )
    for group in tf.range(num_groups):
        candidates = tf.gather(members, near_groups[group]).values
        label, score = nearest_centroids(
            tf.gather(rows, residents[group]), tf.gather(centroids, candidates)
        )
        labels = labels.write(group, tf.gather(candidates, label))
        scores = scores.write(group, score)
    place = tf.math.invert_permutation(residents.values)  # [N]
    label = tf.gather(labels.concat(), place)
    score = tf.gather(scores.concat(), place)
    return assignment_of(rows, label, score, tf.shape(centroids)[0])


def _nearest_groups(centers: tf.Tensor, num_searched: tf.Tensor) -> tf.Tensor:
    """Finds the P groups nearest to each group, itself included: [G, P] int32."""
    products = tf.matmul(centers, centers, transpose_b=True)
    scores = products - 0.5 * tf.linalg.diag_part(products)
    return tf.math.top_k(scores, num_searched).indices


def _lists(group: tf.Tensor, num_groups: tf.Tensor) -> tf.RaggedTensor:
    """Lists the positions of each value of [N] int32: [G, None] int32."""
    order = tf.argsort(group, stable=True)
    lengths = tf.math.bincount(
        group, minlength=num_groups, maxlength=num_groups, dtype=tf.int32
    )
    return tf.RaggedTensor.from_row_lengths(order, lengths, validate=False)
