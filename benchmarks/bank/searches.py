"""Costs and recall of the memory bank's searches as the number of videos grows.

python -m benchmarks.bank.searches [--nums_videos=120000,1000000]
    [--searched=64,256,1024] [--random | --bank_of=RUN]

For each number of videos N there are N / 30 clusters, as in the paper.  Prints

* an iteration of k-means that compares rows with all centroids, and with those of 16
  groups (`--la_kmeans=grouped`), and the objective of the second to the first;
* the search for 512 neighbors (`--num_neighbors`) of 128 embeddings in the whole bank,
  and in the nearest clusters (`--la_search=clusters`); of the second the recall: the
  fraction of the true neighbors that is found.

The bank is the model of a run in `benchmarks.bank.clustering`: clusters are those of
one epoch before, which is the oldest that a search meets.  `--random` has random rows
and clusters instead, which cost the same, take a third of the memory, and have no
recall.  `--bank_of` takes the memory bank of a run and looks for the neighbors of some
of its rows: what the recall is on your videos.  A run of LA is searched by the clusters
that it has, which are older than its rows; another bank is clustered as it is.

Times are CPU seconds over all cores, which other load disturbs less than wall time;
`--wall` prints wall time, for GPUs.
Where the comparison with everything would take more than `--most_bytes`, it is left
out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from benchmarks.bank.clustering import DIM, MovingBank, unit
from benchmarks.machine import cpu_facts
from vie_tf.objectives import clustering
from vie_tf.objectives.bank.memory_bank import MemoryBank, nearest_rows, random_rows
from vie_tf.objectives.cluster_search import ClusterSearch
from vie_tf.objectives.local_aggregation import NEVER, SEARCHED_GROUPS
from vie_tf.runs import checkpoint_path
from vie_tf.runs.run_directory import RunDirectory

BATCH_SIZE = 128
VIDEOS_PER_CLUSTER = 30
TURNS = 3
ITERATIONS = 5
# Comparing all rows with all centroids takes hours beyond.
MOST_EXACT_CLUSTERS = 10_000


Clock = Callable[[], float]


def seconds_of(call: Callable[[], tf.Tensor], clock: Clock) -> float:
    """Returns the median time of a call, after one that is not counted."""
    call()
    times = []
    for _ in range(TURNS):
        start = clock()
        call().numpy()  # waits for the result
        times.append(clock() - start)
    return float(np.median(times))


def print_k_means(
    rows: tf.Tensor, num_clusters: int, clock: Clock
) -> clustering.Clusters:
    """Clusters rows by both ways; returns the grouped clusters."""
    objectives = {}
    for name, searched in (("exact", None), ("grouped", SEARCHED_GROUPS)):
        if searched is None and num_clusters > MOST_EXACT_CLUSTERS:
            continue
        start = clock()
        clusters = clustering.k_means(
            rows, num_clusters, num_iterations=ITERATIONS, searched_groups=searched
        )
        seconds = (clock() - start) / (clusters.num_iterations + 1)
        objectives[name] = clusters.objective
        print(f"  k-means, {name:<8}{seconds:10.2f} s", end="")
        if "exact" in objectives:
            change = clusters.objective / objectives["exact"] - 1
            print(f"  objective {change:+8.2%}", end="")
        print(flush=True)
    return clusters


def clusters_of(run: str) -> tuple[tf.Tensor, tf.Tensor] | None:
    """Returns labels [N] and centroids [M, D] of a run of LA; None of another."""
    path = RunDirectory(run).chosen("latest")
    stored = tf.train.load_checkpoint(checkpoint_path.plain(path))
    names = ("clustered_at", "cluster_labels", "cluster_centroids")
    keys = [f"{name}/.ATTRIBUTES/VARIABLE_VALUE" for name in names]
    if not stored.has_tensor(keys[0]) or stored.get_tensor(keys[0]) == NEVER:
        return None
    labels, centroids = (stored.get_tensor(key)[0] for key in keys[1:])
    print(f"  the run has {len(centroids):,} clusters")
    return tf.constant(labels), tf.constant(centroids)


def recall(exact: np.ndarray, found: np.ndarray) -> float:
    """Returns the fraction of [B, K] true neighbors that are among the found ones."""
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(exact, found)]))


def print_search(
    bank: MemoryBank,
    labels: tf.Tensor,
    centroids: tf.Tensor,
    embeddings: tf.Tensor,
    arguments: argparse.Namespace,
    clock: Clock,
) -> None:
    """Prints the cost of the exact search, and cost and recall of the other."""
    # Similarities of a batch to all rows, and their transpose.
    needed = 2 * 4 * BATCH_SIZE * bank.num_videos
    exact = None
    num_neighbors = arguments.num_neighbors
    if needed <= arguments.most_bytes:
        search_all = tf.function(
            lambda given: nearest_rows(bank.rows, given, num_neighbors)[1]
        )
        exact = search_all(embeddings).numpy()
        seconds = seconds_of(lambda: search_all(embeddings), clock)
        print(f"  search, {'exact':<16}{seconds:8.3f} s", flush=True)
    num_clusters = int(centroids.shape[0])
    for num_searched in arguments.searched:
        if num_searched > num_clusters:
            continue
        search = ClusterSearch(bank.num_videos, num_clusters, num_searched)
        search.take(labels, centroids)
        find = tf.function(
            lambda given, search=search: search.nearest(
                centroids, given, bank, num_neighbors
            )[1]
        )
        found = find(embeddings).numpy()
        part = f"  recall {recall(exact, found):.3f}" if exact is not None else ""
        seconds = seconds_of(lambda find=find: find(embeddings), clock)
        name = f"{num_searched} clusters"
        print(f"  search, {name:<16}{seconds:8.3f} s{part}", flush=True)


def main(given: Sequence[str] | None = None) -> None:
    """Prints a block for each number of videos."""
    arguments = _arguments(given)
    clock = time.perf_counter if arguments.wall else time.process_time
    print(cpu_facts())
    clustering.k_means(unit(random_rows(900, DIM, 0)), 30, num_iterations=1)  # traces
    clustering.k_means(
        unit(random_rows(900, DIM, 0)), 30, num_iterations=1, searched_groups=2
    )
    learned = None
    if arguments.bank_of:
        learned = RunDirectory(arguments.bank_of).checkpoint("latest").read_bank()
    for num_videos in arguments.nums_videos if learned is None else [len(learned)]:
        num_clusters = num_videos // VIDEOS_PER_CLUSTER
        print(f"{num_videos:,} videos, {num_clusters:,} clusters")
        dim = DIM if learned is None else learned.shape[1]
        bank = MemoryBank(tf.zeros([num_videos], tf.int64), dim)
        draw = np.random.default_rng(0)
        rows = draw.choice(num_videos, BATCH_SIZE, replace=False)
        if arguments.random:
            labels = tf.constant(draw.integers(0, num_clusters, num_videos, np.int32))
            centroids = unit(random_rows(num_clusters, DIM, 1))
            embeddings = unit(random_rows(BATCH_SIZE, DIM, 2))
        elif learned is not None:
            bank.rows.assign(learned)
            clusters = print_k_means(bank.rows.read_value(), num_clusters, clock)
            own = clusters_of(arguments.bank_of)
            labels, centroids = own or (clusters.labels, clusters.centroids)
            embeddings = tf.gather(bank.rows, rows)
        else:
            model = MovingBank(num_videos, num_clusters)
            clusters = print_k_means(model.rows, num_clusters, clock)
            labels, centroids = clusters.labels, clusters.centroids
            model.take_epoch()
            bank.rows.assign(model.rows)
            embeddings = model.embeddings_of(rows)
            del model
        print_search(bank, labels, centroids, embeddings, arguments, clock)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bank.searches",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--nums_videos", type=_numbers, default=[120_000])
    parser.add_argument("--searched", type=_numbers, default=[64, 256, 1024])
    parser.add_argument("--num_neighbors", type=int, default=512)
    rows = parser.add_mutually_exclusive_group()
    rows.add_argument("--random", action="store_true")
    rows.add_argument("--bank_of", metavar="RUN")
    parser.add_argument("--wall", action="store_true")
    parser.add_argument("--most_bytes", type=float, default=8e9)
    return parser.parse_args(given)


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


if __name__ == "__main__":
    main()
