"""k-means on the rows of the memory bank, inside TensorFlow.

Comes in: the bank's rows.  Goes out: a cluster label for every row, by which
`vie_tf.objectives.local_aggregation` finds the close neighbors.

Letters: N rows, D dimension, M clusters, G groups of centroids.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from typing import Callable

import numpy as np
import tensorflow as tf

from vie_tf.objectives.assignment import (
    Assignment,
    assign_exactly,
    assign_in_groups,
)
from vie_tf.storage.errors import UserError

# Groups of centroids only say where to look, and need not be optimal.
_GROUPING_ITERATIONS = 5


@dataclasses.dataclass(frozen=True)
class Clusters:
    """Result of k-means.

    Attributes:
      labels: [N] int32, the nearest centroid of every row.
      centroids: [M, D] float32.
      objective: sum over rows of the squared distance to their centroid.
      num_iterations: how often the centroids were moved.
      changed_fraction: fraction of the labels that the last iteration changed; 1 where
        no iteration was compared with another.
      num_relocated: clusters that had run empty and were moved, in all iterations.
      seconds: duration of k-means.
      previous_labels: [N] int32, labels of the clustering that this one started from;
        None if it started from random rows.
    """

    labels: tf.Tensor
    centroids: tf.Tensor
    objective: float
    num_iterations: int
    changed_fraction: float
    num_relocated: int
    seconds: float = 0.0
    previous_labels: np.ndarray | None = None


def k_means(
    rows: tf.Tensor,
    num_clusters: int,
    *,
    num_iterations: int = 20,
    tolerance: float = 0.0,
    seed: int = 0,
    start: tf.Tensor | None = None,
    strategy: tf.distribute.Strategy | None = None,
    searched_groups: int | None = None,
) -> Clusters:
    """Lloyd's algorithm from random rows or from given centroids.

    A cluster that runs empty takes over one of the rows that are farthest from their
    centroids, as in scikit-learn.  No iteration raises the objective, unless
    `searched_groups` saves comparisons.

    Args:
      rows: [N, D] float32.
      num_clusters: M, at most N.
      num_iterations: largest number of iterations.
      tolerance: fraction of the labels in [0, 1]; an iteration that changes no more,
        with no cluster empty, is the last.
      seed: seed of the choice of the starting rows.
      start: [M, D] starting centroids instead of random rows.
      strategy: strategy whose replicas divide the rows; None for this device alone.
        All workers have to call.
      searched_groups: P, groups of centroids that a row is compared with; None for
        all centroids.  About 2 * sqrt(M * P) comparisons replace M.

    Raises:
      UserError: more clusters than rows, or fewer than one.
    """
    began, num_rows = time.perf_counter(), int(rows.shape[0])
    if start is None:
        start = _random_rows(rows, num_clusters, seed)
    assign = _assigner(strategy, num_rows, searched_groups, seed)
    centroids, num_relocated, iteration = start, 0, 0
    labels, distances, sums, counts = assign(rows, centroids)
    changed_fraction = 1.0
    while iteration < num_iterations:
        centroids, relocated = _update(rows, centroids, labels, distances, sums, counts)
        num_relocated += int(relocated)
        iteration += 1
        previous = labels
        labels, distances, sums, counts = assign(rows, centroids)
        changed_fraction = float(_fraction_of_unequal(labels, previous))
        has_settled = changed_fraction <= tolerance and int(_num_empty(counts)) == 0
        # Without any change the next iteration would be the same again.
        if has_settled or changed_fraction == 0.0:
            break
    return Clusters(
        labels=labels,
        centroids=centroids,
        objective=float(tf.reduce_sum(distances)),
        num_iterations=iteration,
        changed_fraction=changed_fraction,
        num_relocated=num_relocated,
        seconds=time.perf_counter() - began,
    )


def _assigner(
    strategy: tf.distribute.Strategy | None,
    num_rows: int,
    searched_groups: int | None,
    seed: int,
) -> Callable[[tf.Tensor, tf.Tensor], Assignment]:
    """Chooses how rows and centroids are compared; see `k_means`."""
    pass_over = assign_exactly if searched_groups is None else assign_in_groups
    if strategy is not None and strategy.num_replicas_in_sync > 1:
        pass_over = _distributed(pass_over, strategy, num_rows)
    if searched_groups is None:
        return pass_over
    return lambda rows, centroids: pass_over(
        rows, centroids, *_groups(centroids, searched_groups, seed)
    )


def _groups(
    centroids: tf.Tensor, num_searched: int, seed: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Groups the centroids by a small k-means; see `assign_in_groups`.

    Returns:
      Centers [G, D] of the groups that have a centroid, the group [M] of each centroid,
      and how many groups are searched.
    """
    num_clusters = int(centroids.shape[0])
    wanted = min(math.ceil(math.sqrt(num_clusters * num_searched)), num_clusters)
    groups = k_means(
        centroids, wanted, num_iterations=_GROUPING_ITERATIONS, seed=seed + 1
    )
    used, group_of = np.unique(groups.labels.numpy(), return_inverse=True)
    return (
        tf.gather(groups.centroids, used),
        tf.constant(group_of, tf.int32),
        tf.constant(min(num_searched, len(used)), tf.int32),
    )


def _random_rows(rows: tf.Tensor, num_clusters: int, seed: int) -> tf.Tensor:
    """Draws M different rows, [M, D]."""
    num_rows = int(rows.shape[0])
    if not 1 <= num_clusters <= num_rows:
        raise UserError(
            f"{num_clusters} clusters were asked for, but there are {num_rows} videos:"
            f" give --la_num_clusters between 1 and {num_rows} (the paper takes 8000"
            " for 240,000 videos, about one for 30)."
        )
    order = tf.random.experimental.stateless_shuffle(tf.range(num_rows), [seed, 1])
    return tf.gather(rows, order[:num_clusters])


@tf.function(reduce_retracing=True)
def _fraction_of_unequal(labels: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.cast(labels != others, tf.float32))


@tf.function(reduce_retracing=True)
def _num_empty(counts: tf.Tensor) -> tf.Tensor:
    return tf.math.count_nonzero(counts == 0)


@functools.lru_cache(maxsize=8)
def _distributed(
    pass_over: Callable[..., Assignment],
    strategy: tf.distribute.Strategy,
    num_rows: int,
) -> Callable[..., Assignment]:
    """Makes a pass in which every replica takes a part of the rows."""
    size = -(-num_rows // strategy.num_replicas_in_sync)

    def replica_pass(rows: tf.Tensor, *others: tf.Tensor) -> Assignment:
        context = tf.distribute.get_replica_context()
        first = context.replica_id_in_sync_group * size
        part = rows[first : first + size]
        labels, distances, sums, counts = pass_over(part, *others)
        # All as float32, whole numbers below 2^24 included: TensorFlow keeps int32 in
        # the memory of the host, where collective operations of GPUs do not look.
        total = tf.distribute.ReduceOp.SUM
        sums, counts = context.all_reduce(total, [sums, tf.cast(counts, tf.float32)])
        labels = context.all_gather(tf.cast(labels, tf.float32), axis=0)
        distances = context.all_gather(distances, axis=0)
        return tf.cast(labels, tf.int32), distances, sums, tf.cast(counts, tf.int32)

    @tf.function
    def distributed_pass(rows: tf.Tensor, *others: tf.Tensor) -> Assignment:
        results = strategy.run(replica_pass, args=(rows, *others))
        labels, distances, sums, counts = (
            strategy.experimental_local_results(result)[0] for result in results
        )
        return labels, distances, sums, counts

    return distributed_pass


@tf.function(reduce_retracing=True)
def _update(
    rows: tf.Tensor,
    centroids: tf.Tensor,
    labels: tf.Tensor,
    distances: tf.Tensor,
    sums: tf.Tensor,
    counts: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Means of the clusters, empty ones moved; returns them and how many moved."""
    empty = tf.where(counts == 0)[:, 0]  # [E]
    num_empty = tf.size(empty)
    if num_empty > 0:
        # The farthest rows leave their clusters and become clusters of their own.
        _, farthest = tf.math.top_k(distances, num_empty)
        moved = tf.gather(rows, farthest)  # [E, D]
        donors = tf.gather(labels, farthest)[:, None]  # [E, 1]
        sums = tf.tensor_scatter_nd_sub(sums, donors, moved)
        counts = tf.tensor_scatter_nd_sub(
            counts, donors, tf.ones([num_empty], tf.int32)
        )
        sums = tf.tensor_scatter_nd_update(sums, empty[:, None], moved)
        counts = tf.tensor_scatter_nd_update(
            counts, empty[:, None], tf.ones([num_empty], tf.int32)
        )
    means = sums / tf.cast(tf.maximum(counts, 1), tf.float32)[:, None]
    # A donor may itself be left empty by giving away its only row; it stays put.
    return tf.where(counts[:, None] > 0, means, centroids), num_empty
