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
    DividedRows,
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
    rows: tf.Tensor | DividedRows,
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
      rows: [N, D] float32, or rows that the replicas of the strategy hold.
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
    began, (num_rows, read) = time.perf_counter(), _reader(rows)
    if start is None:
        start = _random_rows(read, num_rows, num_clusters, seed)
    assign = _assigner(rows, strategy, searched_groups, seed)
    centroids, num_relocated, iteration = start, 0, 0
    labels, distances, sums, counts = assign(centroids)
    changed_fraction = 1.0
    while iteration < num_iterations:
        previous = labels
        centroids, relocated = _move(centroids, read, labels, distances, sums, counts)
        num_relocated += relocated
        iteration += 1
        labels, distances, sums, counts = assign(centroids)
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


def _reader(
    rows: tf.Tensor | DividedRows,
) -> tuple[int, Callable[[tf.Tensor], tf.Tensor]]:
    """Returns N, and what reads the rows at some indices."""
    if isinstance(rows, DividedRows):
        return rows.count, rows.read
    return int(rows.shape[0]), lambda indices: tf.gather(rows, indices)


def _assigner(
    rows: tf.Tensor | DividedRows,
    strategy: tf.distribute.Strategy | None,
    searched_groups: int | None,
    seed: int,
) -> Callable[[tf.Tensor], Assignment]:
    """Chooses how rows and centroids are compared; see `k_means`."""
    pass_over = assign_exactly if searched_groups is None else assign_in_groups
    given = rows
    if isinstance(rows, DividedRows):
        assert strategy is not None
        given, pass_over = rows.parts, _distributed(pass_over, strategy, None)
    elif strategy is not None and strategy.num_replicas_in_sync > 1:
        pass_over = _distributed(pass_over, strategy, int(rows.shape[0]))
    if searched_groups is None:
        return lambda centroids: pass_over(given, centroids)
    return lambda centroids: pass_over(
        given, centroids, *_groups(centroids, searched_groups, seed)
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


def _random_rows(
    read: Callable[[tf.Tensor], tf.Tensor], num_rows: int, num_clusters: int, seed: int
) -> tf.Tensor:
    """Draws M different rows, [M, D]."""
    if not 1 <= num_clusters <= num_rows:
        raise UserError(
            f"{num_clusters} clusters were asked for, but there are {num_rows} videos:"
            f" give --la_num_clusters between 1 and {num_rows} (the paper takes 8000"
            " for 240,000 videos, about one for 30)."
        )
    order = tf.random.experimental.stateless_shuffle(tf.range(num_rows), [seed, 1])
    return read(order[:num_clusters])


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
    num_rows: int | None,
) -> Callable[..., Assignment]:
    """Makes a pass in which every replica takes a part of the rows.

    Args:
      pass_over: what a replica does with its part.
      strategy: strategy of the replicas.
      num_rows: N; None if every replica is given its own part.
    """
    size = None if num_rows is None else -(-num_rows // strategy.num_replicas_in_sync)

    def replica_pass(rows: tf.Tensor, *others: tf.Tensor) -> Assignment:
        context = tf.distribute.get_replica_context()
        if size is not None:
            first = context.replica_id_in_sync_group * size
            rows = rows[first : first + size]
        labels, distances, sums, counts = pass_over(rows, *others)
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


def _move(
    centroids: tf.Tensor,
    read: Callable[[tf.Tensor], tf.Tensor],
    labels: tf.Tensor,
    distances: tf.Tensor,
    sums: tf.Tensor,
    counts: tf.Tensor,
) -> tuple[tf.Tensor, int]:
    """Moves centroids to the means; returns them, and how many clusters were empty."""
    # The farthest rows leave their clusters and become clusters of their own.
    farthest = _farthest(distances, counts)
    num_empty = int(farthest.shape[0])
    moved = read(farthest) if num_empty else centroids[:0]
    donors = tf.gather(labels, farthest)
    return _update(centroids, donors, moved, sums, counts), num_empty


@tf.function(reduce_retracing=True)
def _farthest(distances: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """Finds as many of the farthest rows as there are empty clusters, [E] int32."""
    num_empty = tf.math.count_nonzero(counts == 0, dtype=tf.int32)
    return tf.math.top_k(distances, num_empty).indices


@tf.function(reduce_retracing=True)
def _update(
    centroids: tf.Tensor,
    donors: tf.Tensor,
    moved: tf.Tensor,
    sums: tf.Tensor,
    counts: tf.Tensor,
) -> tf.Tensor:
    """Computes the means of the clusters, [M, D].

    Args:
      centroids: [M, D] before.
      donors: [E] clusters that the moved rows leave.
      moved: [E, D] rows, one for each cluster that is empty.
      sums: [M, D] sums of the clusters.
      counts: [M] their rows.
    """
    empty = tf.where(counts == 0)  # [E, 1]
    if tf.size(empty) > 0:
        ones = tf.ones_like(donors)
        sums = tf.tensor_scatter_nd_sub(sums, donors[:, None], moved)
        counts = tf.tensor_scatter_nd_sub(counts, donors[:, None], ones)
        sums = tf.tensor_scatter_nd_update(sums, empty, moved)
        counts = tf.tensor_scatter_nd_update(counts, empty, ones)
    means = sums / tf.cast(tf.maximum(counts, 1), tf.float32)[:, None]
    # A donor may itself be left empty by giving away its only row; it stays put.
    return tf.where(counts[:, None] > 0, means, centroids)
