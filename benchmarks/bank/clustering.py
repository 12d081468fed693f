"""Costs of k-means on the memory bank, for an iteration and for an epoch.

python -m benchmarks.bank.clustering [--num_videos=239888] [--num_clusters=8000]
    [--epoch]

Prints seconds of an iteration beside the time of its matrix product at the rate of a
large one on this machine.

--epoch clusters a bank, moves it by an epoch, and clusters it again: by 20 iterations
from random rows (cold), and from its last centroids until the labels converge (warm).
It measures CPU time, which other load disturbs less than wall time.

The bank is a model of a run.  A video has a content: the mean of a class, a group (as
many as clusters) and a vector of its own.  An embedding is the content plus noise of
the same norm, which differs between clips.  In an epoch the network rotates all
contents together and moves each one by itself; each row then moves half of the way to
an embedding, as in `vie_tf.objectives.bank.memory_bank`.  LA would also pull rows to
their centroids, which makes a warm start easier; the model omits that.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import tensorflow as tf

from benchmarks.machine import matmul_peak
from vie_tf.config import LossConfig
from vie_tf.objectives import clustering
from vie_tf.objectives.bank.memory_bank import BANK_MOMENTUM, random_rows

DIM = 128
# Fractions of changed labels at which a warm start may end, including the default.
SETTLED_SHARES = (0.05, 0.02, 0.01, LossConfig.la_kmeans_tolerance)


class MovingBank:
    """A model of the bank while a network learns, which the module describes.

    Attributes:
      rows: [N, D] float32, unit norm.
      contents: [N, D] float32, unit norm: embeddings without the noise of a clip.
    """

    num_classes = 400
    own_norm = 1.0  # norm of a video's own vector; class and group have norm 1
    clip_norm = 1.0  # norm of the noise of a clip; contents have norm 1
    turn = 0.4  # distance that the common rotation moves a content
    drift = 0.4  # distance that a content moves by itself
    epochs_before = 5

    def __init__(self, num_videos: int, num_groups: int) -> None:
        """Starts from a bank that has averaged some epochs."""
        self._num_draws = 0
        classes = unit(self._noise(self.num_classes))
        groups = unit(self._noise(num_groups))
        self.contents = unit(
            tf.gather(classes, self._choices(num_videos, self.num_classes))
            + tf.gather(groups, self._choices(num_videos, num_groups))
            + self.own_norm * self._noise(num_videos)
        )
        self.rows = unit(self._noise(num_videos))
        for _ in range(self.epochs_before):
            self._show_all_videos()

    def take_epoch(self) -> None:
        """Moves the contents, and then the rows."""
        moved = unit(self.contents + self.drift * self._noise(len(self.contents)))
        # The exponential of an antisymmetric matrix is a rotation.
        square = self._noise(DIM)
        antisymmetric = (square - tf.transpose(square)) / 2**0.5
        self.contents = tf.matmul(moved, tf.linalg.expm(self.turn * antisymmetric))
        self._show_all_videos()

    def _show_all_videos(self) -> None:
        noise = self._noise(len(self.contents))
        embeddings = unit(self.contents + self.clip_norm * noise)
        self.rows = unit(BANK_MOMENTUM * self.rows + (1 - BANK_MOMENTUM) * embeddings)

    def embeddings_of(self, indices: np.ndarray) -> tf.Tensor:
        """Draws an embedding [B, D] of a clip of each of [B] videos."""
        noise = self._noise(len(indices))
        return unit(tf.gather(self.contents, indices) + self.clip_norm * noise)

    def _noise(self, count: int) -> tf.Tensor:
        """Draws normal vectors [count, D] of norm about 1."""
        normal = tf.random.stateless_normal([count, DIM], self._seed())
        return normal / DIM**0.5

    def _choices(self, count: int, bound: int) -> tf.Tensor:
        return tf.random.stateless_uniform([count], self._seed(), 0, bound, tf.int32)

    def _seed(self) -> list[int]:
        self._num_draws += 1
        return [self._num_draws, 0]


def unit(vectors: tf.Tensor) -> tf.Tensor:
    """Scales [N, D] to unit norm."""
    return tf.math.l2_normalize(vectors, axis=1)


def mean_similarity(left: tf.Tensor, right: tf.Tensor) -> float:
    """Averages the similarities of corresponding rows [N, D]."""
    return float(tf.reduce_mean(tf.reduce_sum(left * right, axis=1)))


def print_iteration(num_videos: int, num_clusters: int, iterations: int) -> None:
    """Measures an iteration on uniformly distributed rows."""
    peak = matmul_peak()
    rows = unit(random_rows(num_videos, DIM, 0))
    start = time.perf_counter()
    clusters = clustering.k_means(rows, num_clusters, num_iterations=iterations)
    # One more pass than iterations: labels are those of the last centroids.
    seconds = (time.perf_counter() - start) / (iterations + 1)
    product = 2 * num_videos * num_clusters * (DIM + 1) / peak
    print(f"matrix product, 4096 x 4096: {peak / 1e9:.0f} GFLOP/s")
    print(
        f"k-means, {num_videos} x {DIM}, {num_clusters} clusters:"
        f" {seconds:.2f} s an iteration; its product at that rate: {product:.2f} s;"
        f" {clusters.num_relocated} empty clusters moved"
    )


def print_epoch(num_videos: int, num_clusters: int) -> None:
    """Clusters a bank before and after an epoch, cold and warm."""
    bank = MovingBank(num_videos, num_clusters)
    rows, contents = bank.rows, bank.contents
    before = clustering.k_means(
        rows, num_clusters, tolerance=LossConfig.la_kmeans_tolerance
    )
    print(
        f"k-means, {num_videos} x {DIM}, {num_clusters} clusters, before the epoch:"
        f" {before.num_iterations} iterations"
    )
    bank.take_epoch()
    start = time.process_time()
    cold = clustering.k_means(bank.rows, num_clusters, seed=1)
    cold_seconds = time.process_time() - start
    print(
        "similarity of before and after: rows"
        f" {mean_similarity(rows, bank.rows):.2f}, contents"
        f" {mean_similarity(contents, bank.contents):.2f}\n"
        "start settled share  iterations    CPU s  times cheaper  objective"
        "  to cold  new labels"
    )
    print(
        f"cold             -  {cold.num_iterations:10}  {cold_seconds:7.2f}"
        f"  {1:13.1f}  {cold.objective:9.1f}  {0:+7.2%}           -"
    )
    for share in SETTLED_SHARES:
        start = time.process_time()
        warm = clustering.k_means(
            bank.rows, num_clusters, tolerance=share, start=before.centroids
        )
        seconds = time.process_time() - start
        changed = tf.reduce_mean(tf.cast(warm.labels != before.labels, tf.float32))
        print(
            f"warm {share:13.3f}  {warm.num_iterations:10}  {seconds:7.2f}"
            f"  {cold_seconds / seconds:13.1f}  {warm.objective:9.1f}"
            f"  {warm.objective / cold.objective - 1:+7.2%}  {float(changed):10.1%}"
        )


def main() -> None:
    """Prints a line for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--num_videos", type=int, default=239_888)
    parser.add_argument("--num_clusters", type=int, default=8000)
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--epoch", action="store_true")
    arguments = parser.parse_args()
    # Traces the graphs.
    clustering.k_means(unit(random_rows(1000, DIM, 0)), 10, num_iterations=1)
    if arguments.epoch:
        print_epoch(arguments.num_videos, arguments.num_clusters)
    else:
        print_iteration(
            arguments.num_videos, arguments.num_clusters, arguments.iterations
        )


if __name__ == "__main__":
    main()
