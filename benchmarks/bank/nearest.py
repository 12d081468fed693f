"""Costs of the exact search for nearest videos, which kNN and retrieval share.

python -m benchmarks.bank.nearest [--num_queries=20000] [--num_videos=240000] [--tune]
    [--peers]

Prints seconds and peak memory of the search, beside the time of its matrix product at
the rate of a large one on this machine, and the seconds of the mean average precision,
which ranks the whole gallery for each query.  --tune also measures other sizes of
blocks and groups, and the plain alternative, `tf.math.top_k` of all products.  --peers
measures the same search in scikit-learn and, if faiss-cpu is installed, in the flat
index of faiss, in turns with ours, of which the medians count.
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import Callable
from unittest import mock

import numpy as np
import tensorflow as tf
from sklearn import neighbors

from benchmarks.machine import cpu_facts, matmul_peak
from vie_tf.metrics import nearest, retrieval

DIM = 128
NUM_NEIGHBORS = 50  # of the largest recall of retrieval
NUM_CLASSES = 400
PEER_TURNS = 3
BLOCK_FLOATS = (2**24, 2**25, 2**26, 2**27)
GROUP_ROWS = (16, 32, 64, 128)

Search = Callable[[np.ndarray], np.ndarray]


def unit_rows(count: int, seed: int) -> np.ndarray:
    """Draws [N, D] float32, uniform on the unit sphere."""
    rows = np.random.default_rng(seed).normal(size=[count, DIM]).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def seconds_for(num_queries: int, queries: np.ndarray, work: Callable) -> float:
    """Measures the seconds of some queries, scaled to the number of all queries."""
    work(queries[:2])
    start = time.perf_counter()
    work(queries)
    return (time.perf_counter() - start) * num_queries / len(queries)


def peak_megabytes() -> float:
    """Returns the peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def plain(gallery: np.ndarray, queries: np.ndarray, block: int = 128) -> None:
    """Searches by `top_k` of all products."""
    rows = tf.constant(gallery)
    for start in range(0, len(queries), block):
        some = tf.constant(queries[start : start + block])
        products = tf.transpose(tf.matmul(rows, some, transpose_b=True))
        tf.math.top_k(products, NUM_NEIGHBORS)


def print_search(gallery: np.ndarray, queries: np.ndarray) -> None:
    """Measures the search with its own sizes."""
    peak = matmul_peak()
    before = peak_megabytes()
    search = seconds_for(
        len(queries), queries, lambda q: nearest.search(gallery, q, NUM_NEIGHBORS)
    )
    memory = peak_megabytes()
    product = 2 * len(gallery) * len(queries) * DIM / peak
    print(
        f"{cpu_facts()}; matrix product, 4096 x 4096: {peak / 1e9:.0f} GFLOP/s\n"
        f"search of {len(queries)} queries in {len(gallery)} x {DIM}, k ="
        f" {NUM_NEIGHBORS}: {search:.1f} s; its product at that rate: {product:.1f} s;"
        f" peak memory {memory:.0f} MB, of which {before:.0f} MB before it"
    )


def print_precision(gallery: np.ndarray, queries: np.ndarray) -> None:
    """Measures the mean average precision."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, NUM_CLASSES, len(gallery))
    wanted = rng.integers(0, NUM_CLASSES, len(queries))
    seconds = seconds_for(
        len(queries),
        queries,
        lambda q: retrieval.mean_average_precision(
            gallery, labels, q, wanted[: len(q)]
        ),
    )
    print(
        f"mean average precision of {len(queries)} queries: {seconds:.1f} s;"
        f" peak memory {peak_megabytes():.0f} MB"
    )


def print_sizes(gallery: np.ndarray, queries: np.ndarray, used: int = 2048) -> None:
    """Measures other sizes on some of the queries."""
    some = queries[:used]
    for block in BLOCK_FLOATS:
        for group in GROUP_ROWS:
            with mock.patch.multiple(nearest, _BLOCK_FLOATS=block, _GROUP_SIZE=group):
                seconds = seconds_for(
                    len(queries),
                    some,
                    lambda q: nearest.search(gallery, q, NUM_NEIGHBORS),
                )
            count = max(block // len(gallery), 1)
            print(f"blocks of {count} queries, groups of {group}: {seconds:.1f} s")
    seconds = seconds_for(len(queries), some, lambda q: plain(gallery, q))
    print(f"top_k of all products, blocks of 128 queries: {seconds:.1f} s")


def peers_of(gallery: np.ndarray) -> dict[str, Search]:
    """Makes the search of each code that is installed: [Q, D] to neighbors [Q, k]."""
    brute = neighbors.NearestNeighbors(
        n_neighbors=NUM_NEIGHBORS, algorithm="brute", metric="cosine"
    ).fit(gallery)
    found: dict[str, Search] = {
        "vie_tf": lambda q: nearest.search(gallery, q, NUM_NEIGHBORS).neighbor_index,
        "scikit-learn": lambda q: brute.kneighbors(q, return_distance=False),
    }
    try:
        import faiss
    except ImportError:
        print("faiss is not installed: pip install faiss-cpu, for this benchmark alone")
    else:
        flat = faiss.IndexFlatIP(DIM)
        flat.add(gallery)
        found["faiss"] = lambda q: flat.search(q, NUM_NEIGHBORS)[1]
    return found


def print_peers(gallery: np.ndarray, queries: np.ndarray) -> None:
    """Measures all codes in turns, and how many neighbors they have in common."""
    searches = peers_of(gallery)
    results = {code: search(queries[:100]) for code, search in searches.items()}
    seconds: dict[str, list[float]] = {code: [] for code in searches}
    for _ in range(PEER_TURNS):
        for code, search in searches.items():
            start = time.perf_counter()
            search(queries)
            seconds[code].append(time.perf_counter() - start)
    own = float(np.median(seconds["vie_tf"]))
    print(f"{len(queries)} queries in {len(gallery)} x {DIM}, median of {PEER_TURNS}:")
    for code, times in seconds.items():
        same = np.mean(
            [np.isin(a, b).mean() for a, b in zip(results["vie_tf"], results[code])]
        )
        median = float(np.median(times))
        print(
            f"  {code:<14}{median:8.2f} s{median / own:7.2f} x ours"
            f"{same:9.2%} of the neighbors the same"
        )


def main() -> None:
    """Parses the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--num_queries", type=int, default=20_000)
    parser.add_argument("--num_videos", type=int, default=240_000)
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    gallery = unit_rows(options.num_videos, seed=0)
    queries = unit_rows(options.num_queries, seed=1)
    if options.peers:
        print(cpu_facts())
        print_peers(gallery, queries)
        return
    print_search(gallery, queries)
    print_precision(gallery, queries)
    if options.tune:
        print_sizes(gallery, queries)


if __name__ == "__main__":
    main()
