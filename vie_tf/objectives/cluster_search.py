"""The nearest rows of the memory bank, looked for in the nearest clusters alone.

Comes in: embeddings, and the clusters of the last k-means.  Goes out: the background
neighbors of the LA loss.  An exhaustive search compares an embedding with all N rows;
this one compares it with M centroids and then with the rows of P clusters, so about
N / 30 + 30 * P at the paper's size of a cluster.

The clusters are those of the last k-means, and the rows are those of today: a row that
has moved since is still found through its old cluster.

Letters: B embeddings, N rows, M clusters, P searched clusters, K neighbors, D
dimension.
"""

from __future__ import annotations

import tensorflow as tf

from vie_tf.objectives.bank.memory_bank import HeldRows
from vie_tf.objectives.objective import variable

NOTHING = -1  # in place of a neighbor, where the searched clusters have fewer than K
# Candidates of this many numbers are compared at once.  More do not stay in the last
# cache, and fewer leave cores without work.
_NUMBERS_PER_BLOCK = 4 * 2**20


class ClusterSearch(tf.Module):
    """The rows of each cluster, and a search in the nearest ones.

    Create it inside the strategy's scope.

    Args:
      num_videos: N.
      num_clusters: M.
      num_searched: P, at most M.

    Attributes:
      rows_by_cluster: [N] int32, rows in the order of their clusters.
      starts: [M + 1] int32, where each cluster begins in `rows_by_cluster`.
      half_norms: [M] float32, half of the squared norm of each centroid.
    """

    def __init__(self, num_videos: int, num_clusters: int, num_searched: int) -> None:
        super().__init__(name="cluster_search")
        self.num_searched = num_searched
        self.rows_by_cluster = variable(
            tf.range(num_videos, dtype=tf.int32), "rows_by_cluster"
        )
        self.starts = variable(tf.zeros([num_clusters + 1], tf.int32), "starts")
        self.half_norms = variable(tf.zeros([num_clusters]), "half_norms")

    def take(self, labels: tf.Tensor, centroids: tf.Tensor) -> None:
        """Lists the rows of each cluster again; call in cross-replica context.

        Args:
          labels: [N] int32, cluster of every row.
          centroids: [M, D] float32.
        """
        num_clusters = int(self.starts.shape[0]) - 1
        sizes = tf.math.bincount(
            labels, minlength=num_clusters, maxlength=num_clusters, dtype=tf.int32
        )
        self.rows_by_cluster.assign(tf.argsort(labels, stable=True))
        self.starts.assign(tf.concat([[0], tf.cumsum(sizes)], axis=0))
        self.half_norms.assign(0.5 * tf.reduce_sum(tf.square(centroids), axis=1))

    def nearest(
        self,
        centroids: tf.Tensor,
        embeddings: tf.Tensor,
        rows: HeldRows,
        k: int,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the k nearest among the rows of the P nearest clusters.

        Args:
          centroids: [M, D] float32, of the clusters that were taken.
          embeddings: [B, D] float32.
          rows: rows of the bank that are searched.
          k: K.

        Returns:
          Similarities [B, K] and rows [B, K] int32, nearest first; the least number
          and `NOTHING` after the last, where there are fewer.  No gradient.
        """
        embeddings = tf.stop_gradient(embeddings)
        found = self._nearest_clusters(embeddings, centroids)  # [B, P]
        begins = tf.gather(self.starts, found)
        ends = tf.gather(self.starts, found + 1)
        places = tf.ragged.range(tf.reshape(begins, [-1]), tf.reshape(ends, [-1]))
        candidates = tf.RaggedTensor.from_row_lengths(
            tf.gather(self.rows_by_cluster, places.values),
            tf.reduce_sum(ends - begins, axis=1),
            validate=False,
        )  # [B, None]
        is_held = rows.is_held(candidates.values)
        if is_held is not None:
            is_held = candidates.with_values(is_held)
            candidates = tf.ragged.boolean_mask(candidates, is_held)
        table = candidates.to_tensor(NOTHING)
        missing = tf.maximum(k - tf.shape(table)[1], 0)
        table = tf.pad(table, [[0, 0], [0, missing]], constant_values=NOTHING)
        return _best_of(embeddings, table, rows, k)

    def _nearest_clusters(
        self, embeddings: tf.Tensor, centroids: tf.Tensor
    ) -> tf.Tensor:
        """Finds the nearest centroids, [B, P] int32."""
        # |e - c|^2 = |e|^2 - 2 (e.c - |c|^2 / 2).
        products = tf.matmul(embeddings, centroids, transpose_b=True)  # [B, M]
        return tf.math.top_k(products - self.half_norms, self.num_searched).indices


def _best_of(
    embeddings: tf.Tensor, candidates: tf.Tensor, rows: HeldRows, k: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Selects the k candidates that are nearest, a block of embeddings at a time.

    Args:
      embeddings: [B, D].
      candidates: [B, W] rows of the bank, W at least k; `NOTHING` fills up.
      rows: see `ClusterSearch.nearest`.
      k: K.

    Returns:
      Similarities [B, K], and rows [B, K] int32.
    """
    batch_size, dim = tf.shape(embeddings)[0], embeddings.shape[1]
    block = tf.maximum(_NUMBERS_PER_BLOCK // (tf.shape(candidates)[1] * dim), 1)
    num_blocks = (batch_size + block - 1) // block
    best = tf.TensorArray(
        tf.int32, num_blocks, infer_shape=False, element_shape=[None, k]
    )
    found = tf.TensorArray(
        tf.float32, num_blocks, infer_shape=False, element_shape=[None, k]
    )
    for number in tf.range(num_blocks):
        part = slice(number * block, (number + 1) * block)
        indices = candidates[part]  # [b, W]
        similarities = tf.linalg.matvec(
            rows.read_held(tf.maximum(indices, 0)), embeddings[part]
        )
        similarities = tf.where(indices == NOTHING, -tf.float32.max, similarities)
        nearest, places = tf.math.top_k(similarities, k)  # [b, K]
        found = found.write(number, nearest)
        best = best.write(number, tf.gather(indices, places, batch_dims=1))
    return (
        tf.ensure_shape(found.concat(), [None, k]),
        tf.ensure_shape(best.concat(), [None, k]),
    )
