"""kNN over CPU seconds: clips of one size against small clips first.

    python -m benchmarks.progressive --data_dir=DATA --output_dir=STUDY

DATA is that of `run_scripts/motion_study.sh`.  For each seed, `3dresnet` learns by IR
on clips of full size, and with `--progressive_steps` for fewer steps.  CPU seconds are
those of the process between validations, without these and without the first step of
each size, which traces its graph.
"""

from __future__ import annotations

import argparse
import os
from typing import Any
from unittest import mock

import tensorflow as tf

from vie_tf.config import (
    DataConfig,
    KnnConfig,
    LossConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
)
from vie_tf.training import loop
from vie_tf.training.train import train


def main() -> None:
    """Trains all runs, and prints a line for each validation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.progressive")
    parser.add_argument("--data_dir", required=True)
    parser.add_argument("--output_dir", required=True)
    parser.add_argument("--seeds", type=int, nargs="*", default=(0, 1, 2))
    parser.add_argument("--steps", type=int, default=240, help="of full size")
    parser.add_argument("--num_filters", type=int, default=8)
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    lines = []
    for seed in arguments.seeds:
        # A small step costs a quarter at best, and then all of them cost half.  On
        # narrow networks it costs more: read the seconds.
        for name, small, full in (("fixed", 0, 8), ("progressive", 4, 3)):
            counts = small * arguments.steps // 8, full * arguments.steps // 8
            for step, seconds, accuracy in curve(arguments, name, seed, *counts):
                line = f"{name} | {seed} | {step} | {seconds:.1f} | {accuracy:.1%}"
                lines.append(line)
                print(line, flush=True)
    print("clips | seed | step | CPU s | kNN", *lines, sep="\n")


def curve(
    arguments: argparse.Namespace, name: str, seed: int, num_small: int, num_full: int
) -> list[tuple[int, float, float]]:
    """Trains a run; returns step, CPU seconds and kNN of its validations."""
    folder = os.path.join(arguments.output_dir, f"{name}-{seed}")
    config = RunConfig(
        data=DataConfig(arguments.data_dir, color="none"),
        model=ModelConfig(
            "3dresnet",
            num_filters=arguments.num_filters,
            num_frames=8,
            frame_interval=1,
            crop_size=64,
            batch_norm_momentum=0.9,
        ),
        loss=LossConfig(name="ir", ir_normalizer="batch"),
        train=TrainConfig(
            folder,
            train_steps=num_small + num_full,
            progressive_steps=num_small,
            batch_size=32,
            learning_rate=0.01,
            lr_warmup_steps=60,
            seed=seed,
            eval_steps=arguments.steps // 8,
            checkpoint_steps=arguments.steps,
            learning_videos=0,
        ),
        knn=KnnConfig(num_clips=2),
    )
    clock = _Clock()
    with mock.patch.multiple(
        loop, take_step=clock.around_step, _validate=clock.around_validation
    ):
        train(config)
    return clock.points


class _Clock:
    """CPU seconds of training, without those of tracing and of validations."""

    def __init__(self) -> None:
        self.points: list[tuple[int, float, float]] = []
        self._seconds, self._last = 0.0, 0.0
        self._take_step, self._validate = loop.take_step, loop._validate
        self._shapes: set[tuple[int, ...]] = set()

    def around_step(self, function: Any, batch: dict, *rest: Any) -> dict:
        """Takes a step, and counts the time since the one before."""
        scalars = self._take_step(function, batch, *rest)
        shape = tuple(batch["clips"].shape)
        if shape in self._shapes:
            self._seconds += _cpu_seconds() - self._last
        self._shapes.add(shape)
        self._last = _cpu_seconds()
        return scalars

    def around_validation(self, training: Any, step: int) -> Any:
        """Validates, and notes the accuracy."""
        scores = self._validate(training, step)
        self.points.append((step, self._seconds, scores.top1))
        self._last = _cpu_seconds()
        return scores


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system


if __name__ == "__main__":
    main()
