"""Logs a training in the terminal and in TensorBoard: lines, scalars and alarms."""

from __future__ import annotations

import collections
import time
from typing import Mapping, Sequence

import tensorflow as tf

from vie_tf.config import LossConfig
from vie_tf.monitoring import alarms as health
from vie_tf.monitoring import console, statistics
from vie_tf.monitoring.alarms import Alarm
from vie_tf.monitoring.learning_report import LearningReport
from vie_tf.monitoring.stopwatch import Interval, StepClock
from vie_tf.monitoring.tensorboard import Summaries
from vie_tf.objectives.clustering import Clusters
from vie_tf.runs.state import TrainState
from vie_tf.terminal.heartbeat import SILENCE_SECS

# Input may be slow for one interval because of a disk.
_INTERVALS = 3


class RunLog:
    """Logs the steps and validations of one start of a training.

    Args:
      state: state before the first step of this start.
      summaries: writer of TensorBoard.
      group: group of the steps' scalars in TensorBoard.
      train_steps: last step of the training.
      log_steps: steps between lines.
      settled_at: step after which alarms are raised; None for no alarms, as their
        advice is for train.py.
      loss: settings of the loss, which alarms on LA compare with.
    """

    def __init__(
        self,
        state: TrainState,
        summaries: Summaries,
        *,
        group: str,
        train_steps: int,
        log_steps: int,
        settled_at: int | None = None,
        loss: LossConfig | None = None,
    ) -> None:
        self._state, self._summaries, self._group = state, summaries, group
        self._train_steps, self._log_steps = train_steps, max(log_steps, 1)
        self._settled_at, self._loss = settled_at, loss
        self._clock = StepClock()
        self._intervals: collections.deque[Interval] = collections.deque([], _INTERVALS)
        self._is_first_interval = True
        self._started, self._first_step = time.perf_counter(), state.steps_taken()
        self._last_line = self._started
        self._skipped = int(state.num_skipped.numpy())
        self._clustered_at: int | None = None
        self._first_loss: float | None = None

    def waited(self, seconds: float) -> None:
        """Adds a step, and the seconds of waiting for its batch."""
        self._clock.waited(seconds)

    def went_on(self) -> None:
        """Restarts the clock after work between two steps, such as a validation."""
        self._clock.reset()

    def clips(self, clips: tf.Tensor, step: int) -> None:
        """Logs a picture of the first clips of a start, [B, T, H, W, C] uint8."""
        self._summaries.clips(clips.numpy(), step)

    def clusterings(self, clusterings: Sequence[Clusters], step: int) -> None:
        """Logs the clusterings before the next step, if there are any."""
        if not clusterings:
            return
        # Small collections are clustered every few steps.
        before, self._clustered_at = self._clustered_at, step
        prints = before is None or step // self._log_steps > before // self._log_steps
        for number, clusters in enumerate(clusterings):
            self._summaries.clusters(clusters, step, number, prints)
        self.went_on()

    def step(self, step: int, title: str, scalars: Mapping[str, tf.Tensor]) -> None:
        """Logs a step, and the interval that ends with it.

        Args:
          step: number of the step.
          title: name of its loss in the terminal.
          scalars: scalars that the step returned.
        """
        interval = self._clock.interval()
        values = {name: float(value) for name, value in scalars.items()}
        if "similarity_to_own_row" in values:
            values["alignment"] = statistics.alignment(values["similarity_to_own_row"])
        speed = {"steps_per_second": interval.steps_per_second}
        self._summaries.scalars(self._group, {**values, **speed}, step)
        seconds_per_step = self._seconds_per_step(step)
        line = console.step_line(
            step, title, values, interval, self._train_steps, seconds_per_step
        )
        print(line, flush=True)
        self._last_line = time.perf_counter()
        if self._first_loss is None:
            self._first_loss = values["loss"]
        if self._settled_at is not None:
            # From the first step on, since no start is that high.
            raised = health.loss_alarms(values["loss"], self._first_loss)
            self._summaries.alarms("loss", raised, step)
            if step > self._settled_at:
                self._summaries.alarms(self._group, self._alarms(values), step)
        self._input(step, interval)

    def between(self, step: int, scalars: Mapping[str, tf.Tensor]) -> None:
        """Prints the loss of a step that is not logged, after half a minute of silence.

        Args:
          step: number of the step.
          scalars: scalars that the step returned.
        """
        if time.perf_counter() - self._last_line < SILENCE_SECS:
            return
        left = self._seconds_per_step(step) * (self._train_steps - step)
        print(
            f"step {step}/{self._train_steps}  loss {float(scalars['loss']):.3f}  left"
            f" {console.duration(left)}",
            flush=True,
        )
        self._last_line = time.perf_counter()

    def _seconds_per_step(self, step: int) -> float:
        """Returns the mean since the start, work between steps included."""
        return (time.perf_counter() - self._started) / (step - self._first_step)

    def _alarms(self, values: Mapping[str, float]) -> list[Alarm]:
        """Returns the alarms on the scalars of a step."""
        # Features after a ReLU are all similar, so that only embeddings are judged.
        has_bank = self._state.bank is not None
        alarms = health.embedding_alarms(values) if has_bank else []
        if "close_share" in values:
            assert self._loss is not None
            assert self._loss.la_num_clusters is not None
            assert self._loss.la_num_background is not None
            alarms += health.close_share_alarms(
                values["close_share"],
                self._loss.la_num_background,
                self._loss.la_num_clusters,
            )
        return alarms

    def _input(self, step: int, interval: Interval) -> None:
        skipped = int(self._state.num_skipped.numpy())
        values = {"skipped_clips": skipped, "wait_share": interval.wait_share}
        self._summaries.scalars("input", values, step)
        if skipped > self._skipped:
            print(f"{skipped} clips of bad records were skipped so far", flush=True)
            self._skipped = skipped
        # In the first one graphs are made, and the input fills its buffers.
        if not self._is_first_interval:
            self._intervals.append(interval)
        self._is_first_interval = False
        if len(self._intervals) == _INTERVALS and self._settled_at is not None:
            seconds = sum(interval.seconds for interval in self._intervals)
            waited = sum(interval.waited for interval in self._intervals)
            self._summaries.alarms("input", health.input_alarms(waited / seconds), step)

    def bank(self, step: int) -> None:
        """Logs statistics of the memory bank, if there is one."""
        if self._state.bank is not None:
            self._summaries.bank(self._state.bank, step)

    def validation(
        self,
        step: int,
        name: str,
        heads: Mapping[str, Mapping[str, float]],
        num_classes: int,
        num_queries: int,
        reference: float | None = None,
        gallery: str = "",
    ) -> None:
        """Logs a validation, and an alarm if its accuracy is below a reference.

        Args:
          step: number of the step before it.
          name: name of the validation, and of its group in TensorBoard.
          heads: `top1` and `top5` of every head, by its name; a single one has none.
          num_classes: C, which the accuracy of chance follows from.
          num_queries: videos that were classified.
          reference: accuracy that the top-1 of a single head should not fall below.
          gallery: what kNN compared with, `bank` or `features`; empty for others.
        """
        values = {
            f"{head}_{metric}" if head else metric: value
            for head, scores in heads.items()
            for metric, value in scores.items()
        }
        if gallery:
            values["gallery_is_features"] = float(gallery == "features")
        self._summaries.scalars(name, values, step)
        line = console.validation_line(step, name, heads, num_classes, gallery)
        print(line, flush=True)
        if reference is not None:
            top1 = heads[""]["top1"]
            alarms = health.knn_alarms(top1, reference, num_queries)
            self._summaries.alarms("knn", alarms, step)

    def learning(self, step: int, report: LearningReport) -> None:
        """Logs a comparison with what has learned nothing; the last says the verdict.

        Alarms wait for the second half of the training, since it takes time to learn.
        """
        self._summaries.scalars("learning", report.scalars(), step)
        is_last = step >= self._train_steps
        line = report.verdict() if is_last else report.describe()
        print(f"step {step}  {line}", flush=True)
        if 2 * step >= self._train_steps:
            self._summaries.alarms("learning", health.learning_alarms(report), step)
