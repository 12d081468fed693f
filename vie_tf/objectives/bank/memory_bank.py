"""The memory bank: one running average embedding per training video.

Comes in: embeddings of a batch with the bank rows of their videos.  Goes out:
similarities for the losses and for kNN, and the rows to be written after the step.
Every replica reads the old rows; the new ones are written once for the global batch.

Letters: B batch, N videos, D dimension, K rows per embedding.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from vie_tf.objectives.assignment import DividedRows

BANK_MOMENTUM = 0.5  # weight of the old row; Wu et al. 2018 and the authors' code
# Rows of a group of an exact search, and from how many groups for each neighbor on
# comparing groups first pays (python -m benchmarks.bank.searches).
_GROUP, _GROUPS_FROM = 32, 4


class Find(Protocol):
    """A search in the rows that a device holds; see `MemoryBank.nearest`."""

    def __call__(
        self, embeddings: tf.Tensor, rows: HeldRows, k: int
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns similarities [B, k], largest first, and rows [B, k] int32."""


class HeldRows(Protocol):
    """The rows of a bank that a device holds, for a search within a step."""

    def read_held(self, indices: tf.Tensor) -> tf.Tensor:
        """Reads rows at [...] indices, [..., D] float32; any for one that it lacks."""

    def is_held(self, indices: tf.Tensor) -> tf.Tensor | None:
        """Tells which of [...] indices it holds, [...] bool; None for all."""


class MemoryBank(tf.Module):
    """[N, D] rows on the unit sphere, the same on all replicas; random at first.

    Create it inside the strategy's scope.

    Args:
      labels: [N] integer labels, -1 where a video has none.
      dim: D.
      seed: seed of the random rows.
      dtype: of the rows; 16 bits take half the memory.

    Attributes:
      rows: [N, D] variable of the dtype; what reads it outside of this class takes
        `float_rows`.
      labels: [N] int64; not a variable, as it comes from the manifest at every start.
      num_videos: N.
      dim: D.
    """

    def __init__(
        self,
        labels: tf.Tensor,
        dim: int = 128,
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        super().__init__(name="memory_bank")
        self._strategy = tf.distribute.get_strategy()
        self.labels = tf.convert_to_tensor(labels, tf.int64)
        self.num_videos, self.dim = int(self.labels.shape[0]), dim
        self.rows: tf.Variable = self._make_rows(seed, dtype)

    def _make_rows(self, seed: int, dtype: str) -> tf.Variable:
        return tf.Variable(
            tf.cast(random_rows(self.num_videos, self.dim, seed), dtype),
            trainable=False,
            name="rows",
            # Written in cross-replica context with the rows of the global batch, so
            # there is nothing to aggregate; other modes refuse scatter updates.
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def similarities(self, embeddings: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
        """Computes dot products of embeddings with chosen rows; differentiable.

        Args:
          embeddings: [B, D] float32.
          indices: [B] or [B, K] rows of the bank.

        Returns:
          [B] or [B, K] float32.
        """
        rows = self.read(indices)  # [B, D] or [B, K, D]
        if indices.shape.rank == 1:
            return tf.reduce_sum(embeddings * rows, axis=1)
        return tf.linalg.matvec(rows, embeddings)  # [B, K]

    def read(self, indices: tf.Tensor) -> tf.Tensor:
        """Reads rows at [...] indices, [..., D] float32, and no others.

        All workers have to call.
        """
        # `tf.gather` reads the value of a mirrored variable first, which after a
        # scatter update is a copy of the whole bank.
        if tf.distribute.in_cross_replica_context():
            return tf.cast(tf.gather(self.rows, indices), tf.float32)
        return self.read_held(indices)

    def read_held(self, indices: tf.Tensor) -> tf.Tensor:
        """Reads rows that this device holds; see `HeldRows`."""
        rows = tf.raw_ops.ResourceGather(
            resource=self.rows.handle, indices=indices, dtype=self.rows.dtype
        )
        return tf.cast(rows, tf.float32)

    def is_held(self, indices: tf.Tensor) -> tf.Tensor | None:
        """Tells that this device holds all rows; see `HeldRows`."""
        return None

    def float_rows(self) -> tf.Tensor:
        """Returns all rows, [N, D] float32: a copy if they have 16 bits.

        All workers have to call, in cross-replica context.
        """
        return tf.cast(self.rows, tf.float32)

    def rows_to_cluster(self) -> tf.Tensor | DividedRows:
        """Returns all rows as `vie_tf.objectives.clustering.k_means` takes them."""
        return self.float_rows()

    def nearest(
        self, embeddings: tf.Tensor, k: int, find: Find | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the k rows nearest to each embedding; call in replica context.

        Args:
          embeddings: [B, D] float32, unit norm.
          k: at most N.
          find: how the rows of a device are searched; None for exactly.

        Returns:
          Similarities [B, k], largest first, and rows [B, k] int32.  No gradient.
        """
        if find is not None:
            return find(embeddings, self, k)
        return nearest_rows(self.float_rows(), embeddings, k)

    def updated_rows(self, embeddings: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
        """Computes the rows to be written: l2_normalize(0.5 * old + 0.5 * embedding).

        Args:
          embeddings: [B, D] float32, unit norm.
          indices: [B] rows of the bank.

        Returns:
          [B, D] float32.
        """
        old = self.read(indices)
        new = BANK_MOMENTUM * old + (1.0 - BANK_MOMENTUM) * tf.stop_gradient(embeddings)
        return tf.math.l2_normalize(new, axis=1)

    def write(self, indices: tf.Tensor, new_rows: tf.Tensor) -> None:
        """Writes the rows of a global batch; call in cross-replica context.

        A video that appears more than once gets the row of its last appearance,
        whatever the number of threads or replicas.

        Args:
          indices: [B] rows of the bank.
          new_rows: [B, D] float32.
        """
        indices, new_rows = last_of_each(indices, new_rows)
        new_rows = tf.cast(new_rows, self.rows.dtype)
        self._strategy.extended.update(
            self.rows,
            lambda rows, where, what: rows.scatter_nd_update(where[:, None], what),
            args=(indices, new_rows),
        )

    def set_first_rows(self, rows: np.ndarray | tf.Tensor) -> None:
        """Takes over the rows of a smaller bank; call in cross-replica context.

        Args:
          rows: [M, D] float32, M at most N; the rows after them stay as they are.
        """
        first = tf.cast(rows, self.rows.dtype)
        self.rows.assign(tf.concat([first, self.rows[rows.shape[0] :]], axis=0))

    def checkpoint(self) -> Any:
        """Returns what a checkpoint holds: `rows`, [N, D] of the dtype."""
        return self


def nearest_rows(
    rows: tf.Tensor, embeddings: tf.Tensor, k: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the exact k nearest rows of each embedding of a batch, within a step.

    `vie_tf.metrics.nearest` searches for many queries.

    Args:
      rows: [N, D] float32, unit norm.
      embeddings: [B, D] float32, unit norm.
      k: at most N.

    Returns:
      Similarities [B, k], largest first, and rows [B, k] int32.  No gradient.
    """
    # The product is computed as [N, B] and transposed: at N = 240k, D = 128 the other
    # way round takes five times as long on the CPU (measured on AVX2).
    similarities = tf.matmul(rows, tf.stop_gradient(embeddings), transpose_b=True)
    num_rows = similarities.shape[0]
    if num_rows is None or num_rows <= _GROUPS_FROM * k * _GROUP:
        return tf.math.top_k(tf.transpose(similarities), k)
    return _largest(similarities, num_rows, k)


def _largest(products: tf.Tensor, num_rows: int, k: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Does the same as `top_k` of transposed products [N, B], in less time.

    The k largest lie in the k groups of rows with the largest maxima, so only the
    products of these groups are sorted, and those of the rows that make no whole group.
    Of equal ones, the first row comes first.
    """
    num_grouped = num_rows // _GROUP * _GROUP
    whole = tf.transpose(products[:num_grouped])
    whole = tf.reshape(whole, [-1, num_rows // _GROUP, _GROUP])  # [B, groups, 32]
    maxima = tf.reduce_max(whole, axis=2)
    groups = tf.sort(tf.math.top_k(maxima, k, sorted=False).indices, axis=1)  # [B, k]
    rows = tf.reshape(groups[:, :, None] * _GROUP + tf.range(_GROUP), [-1, k * _GROUP])
    candidates = tf.gather(whole, groups, axis=1, batch_dims=1)
    candidates = tf.reshape(candidates, [-1, k * _GROUP])
    if num_grouped < num_rows:
        rest = tf.range(num_grouped, num_rows)[None]
        rest = tf.tile(rest, [tf.shape(rows)[0], 1])
        rows = tf.concat([rows, rest], axis=1)  # rising
        ungrouped = tf.transpose(products[num_grouped:])
        candidates = tf.concat([candidates, ungrouped], axis=1)
    similarities, places = tf.math.top_k(candidates, k)
    return similarities, tf.gather(rows, places, batch_dims=1)


def random_rows(num_videos: int, dim: int, seed: int, first: int = 0) -> tf.Tensor:
    """Draws rows [N, D] uniformly in +-1 / sqrt(dim / 3), so of norm 1 on average.

    Args:
      num_videos: N.
      dim: D.
      seed: seed of the numbers.
      first: rows before them, which have the same seed and are not drawn.
    """
    limit = 1.0 / math.sqrt(dim / 3)
    low, high = tf.constant(-limit), tf.constant(limit)
    # A counter gives four numbers; those before `first` in its four are cut off.
    skipped, cut = divmod(first * dim, 4)

    @tf.function  # in whose graph one operation takes over the memory of another
    def draw() -> tf.Tensor:
        key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=[seed, 0])
        numbers = tf.raw_ops.StatelessRandomUniformV2(
            shape=[cut + num_videos * dim],
            key=key,
            counter=counter + tf.constant([skipped, 0], tf.uint64),
            alg=tf.random.Algorithm.PHILOX.value,
        )
        return tf.reshape(numbers[cut:] * (high - low) + low, [num_videos, dim])

    return draw()


def last_of_each(indices: tf.Tensor, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Keeps the last value of every index.

    Args:
      indices: [B] integers.
      values: [B, ...].

    Returns:
      Unique indices [U] and their last values [U, ...], U <= B.
    """
    unique, group = tf.unique(indices)  # group: [B], position in unique
    positions = tf.range(tf.size(indices))
    last = tf.math.unsorted_segment_max(positions, group, tf.size(unique))
    return unique, tf.gather(values, last)
