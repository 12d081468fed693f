"""The memory bank: one running average embedding per training video.

Comes in: embeddings of a batch with the bank rows of their videos.  Goes out:
similarities for the losses and for kNN, and the rows to be written after the step.
Every replica reads the old rows; the new ones are written once for the global batch.

Letters: B batch, N videos, D dimension, K rows per embedding.
"""

from __future__ import annotations

import math

import tensorflow as tf

BANK_MOMENTUM = 0.5  # weight of the old row; Wu et al. 2018 and the authors' code


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
        self.num_videos = int(self.labels.shape[0])
        self.rows = tf.Variable(
            tf.cast(random_rows(self.num_videos, dim, seed), dtype),
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

        `tf.gather` reads the value of a mirrored variable first, which after a scatter
        update is a copy of the whole bank; in replica context this does not.
        """
        if tf.distribute.in_cross_replica_context():
            return tf.cast(tf.gather(self.rows, indices), tf.float32)
        rows = tf.raw_ops.ResourceGather(
            resource=self.rows.handle, indices=indices, dtype=self.rows.dtype
        )
        return tf.cast(rows, tf.float32)

    def float_rows(self) -> tf.Tensor:
        """Returns all rows, [N, D] float32: a copy if they have 16 bits."""
        return tf.cast(self.rows, tf.float32)

    def nearest(self, embeddings: tf.Tensor, k: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the k rows nearest to each embedding; see `nearest_rows`."""
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

    def set_first_rows(self, rows: tf.Tensor) -> None:
        """Takes over the rows of a smaller bank; call in cross-replica context.

        Args:
          rows: [M, D] float32, M at most N; the rows after them stay as they are.
        """
        first = tf.cast(rows, self.rows.dtype)
        self.rows.assign(tf.concat([first, self.rows[rows.shape[0] :]], axis=0))


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
    similarities = tf.transpose(
        tf.matmul(rows, tf.stop_gradient(embeddings), transpose_b=True)
    )  # [B, N]
    return tf.math.top_k(similarities, k)


def random_rows(num_videos: int, dim: int, seed: int) -> tf.Tensor:
    """Draws rows [N, D] uniformly in +-1 / sqrt(dim / 3), so of norm 1 on average."""
    limit = 1.0 / math.sqrt(dim / 3)

    @tf.function  # in whose graph one operation takes over the memory of another
    def draw() -> tf.Tensor:
        return tf.random.stateless_uniform(
            [num_videos, dim], seed=[seed, 0], minval=-limit, maxval=limit
        )

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
