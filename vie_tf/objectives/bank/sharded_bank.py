"""A memory bank that is divided among the replicas of all workers.

Each holds N / R rows.  Embeddings go to all shards, and what is found there comes
back: rows of the batch, similarities, and candidates for the nearest neighbors.

Letters: B videos of a replica, N videos, D dimension, R replicas, S rows of a shard, K
rows per embedding, W the most of them in a shard.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from vie_tf.objectives.assignment import DividedRows
from vie_tf.objectives.bank.memory_bank import (
    Find,
    MemoryBank,
    last_of_each,
    nearest_rows,
    random_rows,
)

NOTHING = -1  # in place of a candidate, where a shard has fewer
_SUM = tf.distribute.ReduceOp.SUM
# Numbers of a shard that are sent at once where all rows are collected.
_NUMBERS_PER_BLOCK = 4 * 2**20


class ShardedBank(MemoryBank):
    """[N, D] rows of which every replica holds a part.

    Replica r holds rows r * S to (r + 1) * S, where S is N / R rounded up.  What is
    beyond N is padding, which no method reads.

    Attributes:
      rows: [S, D] variable of the dtype, another on each replica.
    """

    def _make_rows(self, seed: int, dtype: str) -> tf.Variable:
        self._num_replicas = self._strategy.num_replicas_in_sync
        self.shard_size = -(-self.num_videos // self._num_replicas)
        rows = tf.Variable(
            tf.zeros([self.shard_size, self.dim], dtype),
            trainable=False,
            name="rows",
            # One for each replica, and none that stands for all.
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.NONE,
        )

        def draw() -> None:
            drawn = random_rows(self.shard_size, self.dim, seed, self._first())
            rows.assign(tf.cast(drawn, dtype))

        self._run(draw)
        return rows

    def similarities(self, embeddings: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
        """Computes dot products of embeddings with chosen rows; differentiable.

        See `MemoryBank.similarities`.  Call in replica context.
        """
        if indices.shape.rank == 1:
            return super().similarities(embeddings, indices)
        of_all = self._gather(tf.cast(indices, tf.int64))  # [R * B, K]
        is_held = self.is_held(of_all)
        where, number = tf.where(is_held), tf.math.count_nonzero(is_held, axis=1)

        def table(values: tf.Tensor) -> tf.Tensor:
            """Moves [R * B, K] values of the held rows to the left, [R * B, W]."""
            found = tf.gather_nd(values, where)
            ragged = tf.RaggedTensor.from_row_lengths(found, number, validate=False)
            return ragged.to_tensor()

        @tf.custom_gradient
        def products(own: tf.Tensor) -> tuple[tf.Tensor, Callable]:
            rows = self.read_held(table(of_all))  # [R * B, W, D]
            found = tf.linalg.matvec(rows, self._gather(own))  # [R * B, W]
            found = tf.boolean_mask(found, tf.sequence_mask(number))
            shape = tf.shape(of_all, tf.int64)
            sent = self._own(self._total(tf.scatter_nd(where, found, shape)))

            def gradient(upstream: tf.Tensor) -> tf.Tensor:
                weights = table(self._gather(upstream))  # [R * B, W]
                sums = tf.linalg.matvec(rows, weights, transpose_a=True)
                return self._own(self._total(sums))  # [B, D]

            return tf.ensure_shape(sent, indices.shape), gradient

        return products(embeddings)

    def read(self, indices: tf.Tensor) -> tf.Tensor:
        """Reads rows at [...] indices, [..., D] float32; see `MemoryBank.read`."""
        # Outside of any scope, TensorFlow speaks of a replica of its default strategy.
        if not (tf.distribute.has_strategy() and tf.distribute.get_replica_context()):
            return self._read_once(tf.cast(indices, tf.int64))
        of_all = self._gather(tf.reshape(tf.cast(indices, tf.int64), [-1]))
        rows = self._own(self._total(self._held_or_zero(of_all)))
        return self._shaped(rows, indices)

    def read_held(self, indices: tf.Tensor) -> tf.Tensor:
        """Reads rows that this replica holds; see `HeldRows`."""
        last = self.shard_size - 1
        return super().read_held(tf.clip_by_value(indices - self._first(), 0, last))

    def is_held(self, indices: tf.Tensor) -> tf.Tensor:
        """Tells which rows this replica holds; see `HeldRows`."""
        first = self._first()
        return (indices >= first) & (indices < first + self._num_held())

    def float_rows(self) -> tf.Tensor:
        """Collects [N, D] float32 rows on every host; all workers have to call."""
        rows = np.empty([self._num_replicas, self.shard_size, self.dim], np.float32)
        for start, block in self._blocks():
            rows[:, start : start + block.shape[1]] = block
        with tf.device("/cpu:0"):
            return tf.constant(rows.reshape(-1, self.dim)[: self.num_videos])

    def _blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yields a first row of every shard, and [R, n, D] float32 from there on."""
        size = max(_NUMBERS_PER_BLOCK // (self.dim * self._num_replicas), 1)
        size = min(size, self.shard_size)
        for start in range(0, self.shard_size, size):
            start = min(start, self.shard_size - size)
            block = self._block(tf.constant(start), size).numpy()
            yield start, block.reshape(self._num_replicas, size, self.dim)

    def stored_rows(self) -> tf.Tensor:
        """Collects [N, D] rows on the first worker, which writes; [0, D] on others.

        All have to call, in cross-replica context.
        """
        resolver = self._strategy.cluster_resolver
        if resolver is None or resolver.task_id == 0:
            return tf.cast(self.float_rows(), self.rows.dtype)
        for _ in self._blocks():
            pass
        return tf.zeros([0, self.dim], self.rows.dtype)

    def rows_to_cluster(self) -> DividedRows:
        """Returns the rows where they are; see `vie_tf.objectives.clustering`."""
        return DividedRows(self.num_videos, self._run(self._held_rows), self.read)

    def nearest(
        self, embeddings: tf.Tensor, k: int, find: Find | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the k rows nearest to each embedding; see `MemoryBank.nearest`."""
        everyone = self._gather(tf.stop_gradient(embeddings))  # [R * B, D]
        if find is not None:
            similarities, rows = find(everyone, self, k)
        else:
            similarities, rows = self._nearest_held(everyone, min(k, self.shard_size))
        width = similarities.shape[1]

        def own_candidates(values: tf.Tensor) -> tf.Tensor:
            """Collects [R * B, W] values of all shards, and takes [B, R * W]."""
            shape = [self._num_replicas, -1, width]
            shards = tf.reshape(self._gather(values), shape)
            own = self._own(tf.transpose(shards, [1, 0, 2]))  # [B, R, W]
            return tf.reshape(own, [-1, self._num_replicas * width])

        best, places = tf.math.top_k(own_candidates(similarities), k)
        rows = own_candidates(tf.cast(rows, tf.int64))
        return best, tf.cast(tf.gather(rows, places, batch_dims=1), tf.int32)

    def _nearest_held(
        self, embeddings: tf.Tensor, width: int
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the nearest rows of this shard; `NOTHING` where there are fewer."""
        rows = self._held_rows()
        count = min(width, self._num_held())
        similarities, places = nearest_rows(rows, embeddings, count)
        missing = [[0, 0], [0, width - count]]
        similarities = tf.pad(similarities, missing, constant_values=-np.inf)
        indices = tf.pad(places + self._first(), missing, constant_values=NOTHING)
        return similarities, indices

    def write(self, indices: tf.Tensor, new_rows: tf.Tensor) -> None:
        """Writes the rows of a global batch; see `MemoryBank.write`."""
        indices, new_rows = last_of_each(indices, new_rows)

        def write_held(indices: tf.Tensor, new_rows: tf.Tensor) -> None:
            is_held = self.is_held(indices)
            tf.raw_ops.ResourceScatterUpdate(
                resource=self.rows.handle,
                indices=tf.boolean_mask(indices - self._first(), is_held),
                updates=tf.boolean_mask(new_rows, is_held),
            )

        new_rows = tf.cast(new_rows, self.rows.dtype)
        self._strategy.run(write_held, args=(indices, new_rows))

    def set_first_rows(self, rows: np.ndarray | tf.Tensor) -> None:
        """Takes over the rows of a smaller bank; see `MemoryBank.set_first_rows`."""

        def part(context: tf.distribute.experimental.ValueContext) -> tf.Tensor:
            first = context.replica_id_in_sync_group * self.shard_size
            return tf.cast(rows[first : first + self.shard_size], self.rows.dtype)

        def take(part: tf.Tensor) -> None:
            kept = tf.convert_to_tensor(self.rows)[tf.shape(part)[0] :]
            self.rows.assign(tf.concat([part, kept], axis=0))

        parts = self._strategy.experimental_distribute_values_from_function(part)
        self._run(take, parts)

    def checkpoint(self) -> Any:
        """Returns what a checkpoint holds: the `rows` of a whole bank."""
        stored = tf.Module(name="memory_bank")
        stored.rows = _StoredRows(self)
        return stored

    def _first(self) -> int:
        """Returns the first row of this replica."""
        context = tf.distribute.get_replica_context()
        number = tf.get_static_value(context.replica_id_in_sync_group)
        return int(number) * self.shard_size

    def _num_held(self) -> int:
        """Returns the number of rows of this replica, without the padding."""
        return min(max(self.num_videos - self._first(), 0), self.shard_size)

    def _held_rows(self) -> tf.Tensor:
        """Returns the rows of this replica, [n, D] float32."""
        return tf.cast(self.rows, tf.float32)[: self._num_held()]

    def _held_or_zero(self, indices: tf.Tensor) -> tf.Tensor:
        """Reads rows [n, D] at [n] indices, 0 where another replica holds them."""
        return tf.where(self.is_held(indices)[:, None], self.read_held(indices), 0.0)

    def _shaped(self, rows: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
        """Shapes rows [n, D] like their indices [...], [..., D]."""
        shape = tf.concat([tf.shape(indices), [self.dim]], axis=0)
        return tf.ensure_shape(tf.reshape(rows, shape), [*indices.shape, self.dim])

    def _gather(self, values: tf.Tensor) -> tf.Tensor:
        """Puts the values of all replicas one after the other, [R * B, ...]."""
        gathered = tf.distribute.get_replica_context().all_gather(values, axis=0)
        size = values.shape[0] and self._num_replicas * values.shape[0]
        return tf.ensure_shape(gathered, [size, *values.shape[1:]])

    def _total(self, values: tf.Tensor) -> tf.Tensor:
        """Adds up the values of all replicas."""
        return tf.distribute.get_replica_context().all_reduce(_SUM, values)

    def _own(self, values: tf.Tensor) -> tf.Tensor:
        """Takes this replica's part [B, ...] of values [R * B, ...]."""
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        size = tf.shape(values)[0] // self._num_replicas
        return values[number * size : (number + 1) * size]

    def _run(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Runs a call on all replicas once, in cross-replica context."""
        return tf.function(lambda *given: self._strategy.run(call, given))(*arguments)

    @functools.cached_property
    def _read_once(self) -> Callable[[tf.Tensor], tf.Tensor]:
        """Reads rows at the same indices for all replicas, in cross-replica context."""

        def read(indices: tf.Tensor) -> tf.Tensor:
            rows = self._total(self._held_or_zero(tf.reshape(indices, [-1])))
            return self._shaped(rows, indices)

        return self._of_first_replica(read)

    @functools.cached_property
    def _block(self) -> Callable[..., tf.Tensor]:
        """Collects so many rows of every shard, from one place on: [R * n, D]."""

        def block(start: tf.Tensor, size: int) -> tf.Tensor:
            return self._gather(tf.cast(self.rows[start : start + size], tf.float32))

        return self._of_first_replica(block)

    def _of_first_replica(self, call: Callable[..., tf.Tensor]) -> Any:
        # A graph, since several workers exchange nothing outside of one.
        @tf.function(reduce_retracing=True)
        def run(*arguments: Any) -> tf.Tensor:
            result = self._strategy.run(call, args=arguments)
            return self._strategy.experimental_local_results(result)[0]

        return run


class _StoredRows(tf.__internal__.tracking.Trackable):
    """The rows of a divided bank as a checkpoint has those of a whole one."""

    def __init__(self, bank: ShardedBank) -> None:
        self._bank = bank

    def _serialize_to_tensors(self) -> dict[str, tf.Tensor]:
        return {"VARIABLE_VALUE": self._bank.stored_rows()}

    def _restore_from_tensors(self, restored_tensors: dict[str, tf.Tensor]) -> Any:
        return self._bank.set_first_rows(restored_tensors["VARIABLE_VALUE"])
