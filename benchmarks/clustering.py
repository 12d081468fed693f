"""What an iteration of k-means on the memory bank costs.

python -m benchmarks.clustering [--num_videos=239888] [--num_clusters=8000]

Prints seconds per iteration beside the time of its matrix product at the rate that this
machine reaches on a large one.
"""

from __future__ import annotations

import argparse
import time

import tensorflow as tf

from benchmarks.machine import matmul_peak
from vie_tf import clustering
from vie_tf.memory_bank import random_rows


def main() -> None:
    """Prints one line per measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--num_videos", type=int, default=239_888)
    parser.add_argument("--num_clusters", type=int, default=8000)
    parser.add_argument("--iterations", type=int, default=3)
    arguments = parser.parse_args()
    peak = matmul_peak()
    rows = tf.math.l2_normalize(random_rows(arguments.num_videos, 128, 0), axis=1)
    clustering.k_means(rows[:1000], 10, num_iterations=1)  # traces the graph
    start = time.perf_counter()
    clusters = clustering.k_means(
        rows, arguments.num_clusters, num_iterations=arguments.iterations
    )
    # One more pass than iterations: labels are those of the last centroids.
    seconds = (time.perf_counter() - start) / (arguments.iterations + 1)
    product = 2 * arguments.num_videos * arguments.num_clusters * 129 / peak
    print(f"matrix product, 4096 x 4096: {peak / 1e9:.0f} GFLOP/s")
    print(
        f"k-means, {arguments.num_videos} x 128, {arguments.num_clusters} clusters:"
        f" {seconds:.2f} s an iteration; its product at that rate: {product:.2f} s;"
        f" {clusters.num_relocated} empty clusters moved"
    )


if __name__ == "__main__":
    main()
