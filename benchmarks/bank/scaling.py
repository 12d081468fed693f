"""How the cost of a step grows with the videos, and with the replicas.

python -m benchmarks.bank.scaling [--plot=docs/pictures/scaling.png]
    [--most_videos=1000000]

Prints for N videos the time of what LA adds to a step, and of an iteration of k-means
with 8000 clusters, both of which should grow as N; beside them the step of the network
alone.  Then the whole LA step on 1 and on 2 logical replicas of the same cores, which
says what dividing a batch costs where there is nothing to gain.  Draws the curves.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from typing import Sequence

import numpy as np
import tensorflow as tf
from matplotlib import ticker
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.bank import la_step
from benchmarks.bank.clustering import DIM, unit
from benchmarks.machine import cpu_facts, seconds
from vie_tf.config import (
    DataConfig,
    DistributionConfig,
    KnnConfig,
    LossConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
)
from vie_tf.models.from_config import with_family_defaults
from vie_tf.objectives import clustering
from vie_tf.objectives.bank.memory_bank import random_rows
from vie_tf.objectives.local_aggregation import LocalAggregation
from vie_tf.training import distribution, start
from vie_tf.training.step import make_train_step

NUMS_VIDEOS = (10_000, 30_000, 100_000, 239_888, 1_000_000)
KINETICS = 239_888
NUM_CLUSTERS = 8000
BACKGROUND = 512
BATCH_SIZE = 128
REPLICA_BATCH_SIZE = 16
PIXELS = 224


def clustering_seconds(num_videos: int) -> float:
    """Seconds of an iteration of k-means."""
    rows = unit(random_rows(num_videos, DIM, 0))
    start = time.perf_counter()
    clustering.k_means(rows, min(NUM_CLUSTERS, num_videos), num_iterations=1)
    return (time.perf_counter() - start) / 2  # two passes over the rows


def replica_step_seconds(num_replicas: int, num_videos: int) -> float:
    """Seconds of a whole LA step of `single`; takes the devices of this process."""
    loss = LossConfig(name="la", la_num_clusters=NUM_CLUSTERS)
    config = with_family_defaults(
        RunConfig(
            DataConfig("none"),
            ModelConfig("single", crop_size=PIXELS),
            loss,
            TrainConfig("none", batch_size=REPLICA_BATCH_SIZE),
            KnnConfig(),
        )
    )
    devices = distribution.join(DistributionConfig(num_replicas=num_replicas))
    with devices.strategy.scope():
        state = start.make_state(config, np.full(num_videos, -1))
    labels = np.random.default_rng(0).integers(0, NUM_CLUSTERS, [1, num_videos])
    assert isinstance(state.objective, LocalAggregation)
    state.objective.cluster_labels.assign(labels)
    step = make_train_step(
        *(state, state.objective, devices.strategy, config.train),
        weight_decay=config.loss.weight_decay,
    )
    clips = tf.zeros([REPLICA_BATCH_SIZE, 1, PIXELS, PIXELS, 3], tf.uint8)
    rows = tf.range(REPLICA_BATCH_SIZE, dtype=tf.int64)
    batch = tf.data.Dataset.from_tensors({"clips": clips, "rows": rows}).repeat()
    share = batch.unbatch().batch(REPLICA_BATCH_SIZE // num_replicas)
    batches = devices.batches(share)
    return seconds(lambda: step(next(batches)))


def draw(nums_videos: Sequence[int], curves: dict[str, Sequence[float]]) -> Figure:
    """Draws seconds over the number of videos, both logarithmic.

    Args:
      nums_videos: N.
      curves: seconds at each of them, by the name of the curve.
    """
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    FigureCanvasAgg(figure)  # no display is needed
    axes = figure.add_subplot()
    for name, curve in curves.items():
        axes.loglog(nums_videos, curve, marker="o", linewidth=2, label=name)
    axes.set_xlabel("number of videos")
    axes.set_ylabel("time in seconds")
    axes.set_xticks(nums_videos, [f"{n:,}" for n in nums_videos])
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    axes.grid(color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def main() -> None:
    """Prints a table, a line for each number of replicas, and draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most_videos", type=int, default=NUMS_VIDEOS[-1])
    parser.add_argument("--plot", default="scaling.png")
    parser.add_argument("--replicas", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.replicas:
        videos = min(KINETICS, arguments.most_videos)
        print(replica_step_seconds(arguments.replicas, videos))
        return
    print(cpu_facts())
    nums_videos = [n for n in NUMS_VIDEOS if n <= arguments.most_videos]
    clustering.k_means(unit(random_rows(1000, DIM, 0)), 10, num_iterations=1)  # traces
    network = la_step.network_step(BATCH_SIZE)
    print(f"step of single without a bank, batch {BATCH_SIZE}: {network:.2f} s")
    print(f"{'videos':>10}{'LA part':>12}{'of the step':>13}{'k-means iteration':>20}")
    la, kmeans = [], []
    for n in nums_videos:
        la.append(la_step.la_part(n, BATCH_SIZE, BACKGROUND)["all of LA"])
        kmeans.append(clustering_seconds(n))
        print(
            f"{n:>10,}{la[-1]:>10.3f} s{la[-1] / network:>13.1%}{kmeans[-1]:>18.2f} s"
        )
    for replicas in (1, 2):
        # Devices cannot be divided twice in a process.
        command = [sys.executable, "-m", "benchmarks.bank.scaling"]
        command += [f"--replicas={replicas}", f"--most_videos={nums_videos[-1]}"]
        output = subprocess.run(command, check=True, capture_output=True, text=True)
        taken = float(output.stdout.split()[-1])
        print(
            f"LA step of single, batch {REPLICA_BATCH_SIZE}, number of replicas"
            f" {replicas}: {taken:.2f} s"
        )
    curves = {
        "k-means iteration": kmeans,
        "what LA adds": la,
        "step of single": [network] * len(nums_videos),
    }
    draw(nums_videos, curves).savefig(arguments.plot, dpi=110)
    print(f"Wrote {arguments.plot}.")


if __name__ == "__main__":
    main()
