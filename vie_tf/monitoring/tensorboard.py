"""Writes the event files of a run for TensorBoard, and prints its alarms."""

from __future__ import annotations

import collections
import os
from typing import Mapping, Sequence

import numpy as np
import tensorflow as tf

from vie_tf.config import RunConfig
from vie_tf.input.augmentation import differences
from vie_tf.monitoring import alarms as health
from vie_tf.monitoring import hyper_parameters, scalar_descriptions, statistics
from vie_tf.monitoring.alarms import Alarm
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.objectives.clustering import Clusters

_GRID_CLIPS = 8
_GRID_FRAMES = 8
_SAMPLED_PAIRS = 10_000
# An alarm that comes and goes around its bound is reported once, not every other time.
_QUIET_CHECKS = 10


class Summaries:
    """Writes scalars and pictures to `model_dir/tensorboard`."""

    def __init__(self, model_dir: str, writes: bool = True) -> None:
        """Opens an event file, unless another worker `writes` for all of them."""
        self._writer = tf.summary.create_noop_writer()
        if writes:
            folder = os.path.join(model_dir, "tensorboard")
            self._writer = tf.summary.create_file_writer(folder)
        # Number of checks by group, and the check in which an alarm was last raised.
        self._checks: collections.Counter[str] = collections.Counter()
        self._last_raised: dict[tuple[str, str], int] = {}

    def scalars(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Writes `group/name` for every value and flushes the file."""
        with self._writer.as_default(step=step):
            for name, value in values.items():
                meaning = scalar_descriptions.of_scalar(name)
                tf.summary.scalar(f"{group}/{name}", value, description=meaning)
        self._writer.flush()

    def hyper_parameters(self, config: RunConfig) -> None:
        """Writes the settings for the HParams tab; call once in a run."""
        with self._writer.as_default(step=0):
            hyper_parameters.write(config)
        self._writer.flush()

    def clips(self, clips: np.ndarray, step: int) -> None:
        """Writes a picture of clips, [B, T, H, W, C] uint8, as rows of frames."""
        with self._writer.as_default(step=step):
            tf.summary.image("input/clips", clip_grid(clips)[None])

    def bank(self, bank: MemoryBank, step: int) -> None:
        """Writes the similarities of random pairs of rows, and how uniform they are."""
        pairs = np.random.default_rng(step).integers(
            0, bank.num_videos, [2, min(_SAMPLED_PAIRS, bank.num_videos**2)]
        )
        left, right = bank.read(tf.constant(pairs[0])), bank.read(tf.constant(pairs[1]))
        similarities = tf.reduce_sum(left * right, axis=1)[pairs[0] != pairs[1]]
        with self._writer.as_default(step=step):
            tf.summary.histogram("bank/similarity_of_random_pairs", similarities)
        if len(similarities):
            uniformity = statistics.uniformity(similarities.numpy())
            self.scalars("bank", {"uniformity": uniformity}, step)
            self.alarms("bank", health.bank_alarms(uniformity), step)

    def clusters(
        self,
        clusters: Clusters,
        step: int,
        number: int,
        prints: bool,
    ) -> None:
        """Logs a clustering: cluster sizes, the objective of k-means and its time.

        Args:
          clusters: result of k-means.
          step: number of the step.
          number: index of the clustering among those of this step.
          prints: whether a line is printed.
        """
        group = f"clusters_{number + 1}" if number else "clusters"
        described = statistics.cluster_statistics(
            clusters.labels.numpy(),
            int(clusters.centroids.shape[0]),
            clusters.previous_labels,
        )
        values = {
            **described.scalars(),
            "objective": clusters.objective,
            "iterations": clusters.num_iterations,
            "seconds": clusters.seconds,
        }
        with self._writer.as_default(step=step):
            tf.summary.histogram(f"{group}/sizes", described.sizes)
        self.scalars(group, values, step)
        if prints:
            print(
                f"step {step}  {described.describe()}; iterations:"
                f" {clusters.num_iterations}, in {clusters.seconds:.1f} s",
                flush=True,
            )
        self.alarms(group, health.cluster_alarms(described), step)

    def alarms(self, watched: str, alarms: Sequence[Alarm], step: int) -> None:
        """Reports the alarms that were not raised in the last checks.

        Args:
          watched: name of what was checked.
          alarms: all alarms that the check raised.
          step: number of the step.
        """
        self._checks[watched] += 1
        check = self._checks[watched]
        for alarm in alarms:
            last = self._last_raised.get((watched, alarm.name), -_QUIET_CHECKS)
            self._last_raised[watched, alarm.name] = check
            if check - last < _QUIET_CHECKS:
                continue
            print(f"ALARM at step {step}, {alarm.name}: {alarm.message}", flush=True)
            with self._writer.as_default(step=step):
                tf.summary.text(f"alarms/{alarm.name}", alarm.message)
            self._writer.flush()


def clip_grid(clips: np.ndarray) -> np.ndarray:
    """Arranges clips in one picture: clips as rows, equally spaced frames as columns.

    Args:
      clips: [B, T, H, W, C] uint8, or the cells of puzzles, [B, 4, T, H, W, C].

    Returns:
      [rows * H, columns * W, 3] uint8, at most 8 rows and 8 columns.
    """
    clips = clips.reshape(len(clips), -1, *clips.shape[-3:])
    num_frames = clips.shape[1]
    columns = np.linspace(0, num_frames - 1, min(num_frames, _GRID_FRAMES)).astype(int)
    chosen = differences.picture(clips[:_GRID_CLIPS, columns])  # [R, F, H, W, 3]
    return np.concatenate([np.concatenate(list(row), axis=1) for row in chosen])
