"""A memory bank that is divided among replicas, beside a whole one on each.

python -m benchmarks.bank.sharded [--num_videos=1000000] [--replicas=2]
    [--batch_size=128] [--background=512]

Divides the CPU into replicas.  Prints for `--bank=whole` and `--bank=sharded` the
memory of the rows on each device, the largest memory of the process, and the CPU
seconds of all cores for what LA adds to a step: search, loss, gradient and update.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
import tensorflow as tf

from benchmarks.machine import cpu_facts
from vie_tf.objectives import losses
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.objectives.bank.sharded_bank import ShardedBank

DIM, TURNS = 128, 5
BANKS = {"whole": MemoryBank, "sharded": ShardedBank}


def step_seconds(
    strategy: tf.distribute.Strategy,
    bank: MemoryBank,
    batch_size: int,
    background: int,
) -> float:
    """Measures LA's part of a step, in CPU seconds; the median of some."""
    size = batch_size // strategy.num_replicas_in_sync
    draw = np.random.default_rng(0)
    all_rows = tf.constant(draw.choice(bank.num_videos, batch_size, replace=False))
    embeddings = tf.math.l2_normalize(
        tf.constant(draw.normal(size=[batch_size, DIM]), tf.float32), axis=1
    )

    def of_replica() -> tuple[tf.Tensor, tf.Tensor]:
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        own = tf.reshape(embeddings, [-1, size, DIM])[number]
        rows = tf.reshape(all_rows, [-1, size])[number]
        nearest = bank.nearest(own, background)[1]
        with tf.GradientTape() as tape:
            tape.watch(own)
            similarities = bank.similarities(own, nearest)
            loss = losses.local_aggregation_loss(similarities, nearest % 2 == 0)
        return tape.gradient(loss, own), bank.updated_rows(own, rows)

    @tf.function
    def step() -> tf.Tensor:
        gradients, new_rows = strategy.run(of_replica)
        bank.write(all_rows, strategy.gather(new_rows, axis=0))
        return strategy.gather(gradients, axis=0)

    step()
    times = []
    for _ in range(TURNS):
        began = time.process_time()
        step().numpy()
        times.append(time.process_time() - began)
    return float(np.median(times))


def measure(arguments: argparse.Namespace) -> str:
    """Measures one kind of bank in this process; returns a line."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration()] * arguments.replicas
    tf.config.set_logical_device_configuration(cpu, parts)
    names = [f"/cpu:{number}" for number in range(arguments.replicas)]
    strategy = tf.distribute.MirroredStrategy(names)
    with strategy.scope():
        bank = BANKS[arguments.bank](tf.zeros([arguments.num_videos], tf.int64), DIM)
    (rows, *_) = strategy.experimental_local_results(bank.rows)
    of_device = rows.shape.num_elements() * rows.dtype.size / 1e9
    cost = step_seconds(strategy, bank, arguments.batch_size, arguments.background)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return f"{arguments.bank:<8}{of_device:14.3f} GB{peak:13.2f} GB{cost:10.2f} s"


def main() -> None:
    """Prints a line for each kind of bank, from a process of its own."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bank.sharded",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--num_videos", type=int, default=1_000_000)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--background", type=int, default=512)
    parser.add_argument("--bank", choices=tuple(BANKS), help="only this, in here")
    arguments = parser.parse_args()
    if arguments.bank:
        print(measure(arguments), flush=True)
        return
    print(cpu_facts())
    print(f"{'bank':<8}{'rows a device':>17}{'peak':>16}{'CPU':>12}", flush=True)
    command = [sys.executable, "-m", "benchmarks.bank.sharded", *sys.argv[1:]]
    for kind in BANKS:
        subprocess.run([*command, f"--bank={kind}"], check=True)


if __name__ == "__main__":
    main()
