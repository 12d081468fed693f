"""Costs of a checkpoint, beside the steps between two checkpoints.

python -m benchmarks.checkpoint [--model=single] [--num_videos=239888] [--folder=FOLDER]

Prints the time of a save, its fraction of the steps between two saves at the default
interval, and the shortest step for which that fraction stays below 1%.  The best
validation so far writes a second checkpoint, which doubles the fraction.
"""

from __future__ import annotations

import argparse
import pathlib
import tempfile
import time

import tensorflow as tf

from vie_tf import models
from vie_tf.config import LossConfig, TrainConfig
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.objectives.instance_recognition import InstanceRecognition
from vie_tf.runs import schedules
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.state import TrainState

MOST = 0.01  # fraction of a run that checkpoints may take


def save_seconds(state: TrainState, folder: str, repeats: int) -> tuple[float, float]:
    """Measures the median and longest time of a save, after one that is not counted."""
    run = RunDirectory(folder)
    times = []
    for number in range(repeats + 1):
        state.step.assign(number)
        start = time.perf_counter()
        run.save(state)
        times.append(time.perf_counter() - start)
    later = sorted(times[1:])
    return later[len(later) // 2], later[-1]


def main() -> None:
    """Prints the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="single")
    parser.add_argument("--num_videos", type=int, default=239_888)
    parser.add_argument(
        "--step_seconds", type=float, default=7.16
    )  # docs/benchmarks.md
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", help="on the disk of the runs; default: temporary")
    arguments = parser.parse_args()
    bank = MemoryBank(tf.zeros([arguments.num_videos], tf.int64))
    state = TrainState(
        model=models.build(arguments.model),
        optimizer=schedules.TF1MomentumSGD(0.03, 0.9),
        objective=InstanceRecognition(bank, LossConfig(), batch_size=128, seed=0),
    )
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        median, longest = save_seconds(state, folder, arguments.repeats)
        last = RunDirectory(folder).latest()
        files = pathlib.Path(folder, "checkpoints").glob(f"{pathlib.Path(last).name}.*")
        size = sum(path.stat().st_size for path in files)
    steps = TrainConfig.checkpoint_steps
    share = median / (steps * arguments.step_seconds)
    print(
        f"checkpoint of {arguments.model}, {arguments.num_videos} videos:"
        f" {size / 1e6:.0f} MB in {median:.2f} s (longest {longest:.2f} s)"
    )
    print(
        f"of {steps} steps of {arguments.step_seconds:g} s: {share:.4%}; below"
        f" {MOST:.0%} where a step takes {median / MOST / steps * 1000:.1f} ms or more"
    )


if __name__ == "__main__":
    main()
