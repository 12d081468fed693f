"""What is said of a run while it trains, in the terminal and in TensorBoard.

Comes in: what steps and validations return.  Goes out: lines, scalars and alarms.  The
loop says when.
"""

from __future__ import annotations

import collections
import time
from typing import Mapping

import tensorflow as tf

from vie_tf.config import RunConfig
from vie_tf.input.instances import Instances
from vie_tf.monitoring import alarms as health
from vie_tf.monitoring import console, statistics
from vie_tf.monitoring.alarms import Alarm
from vie_tf.monitoring.stopwatch import Interval, StepClock
from vie_tf.monitoring.tensorboard import Summaries
from vie_tf.runs.state import UNKNOWN, TrainState

# Input that is slow for one interval may have had a disk to wait for.
_INTERVALS = 3


class RunLog:
    """Tells of the steps and validations of one start of a run.

    Args:
      config: of the run.
      state: of the run, before its first step of this start.
      summaries: that are written.
      instances: that the run trains on.
    """

    def __init__(
        self,
        config: RunConfig,
        state: TrainState,
        summaries: Summaries,
        instances: Instances,
    ) -> None:
        self._config, self._state, self._summaries = config, state, summaries
        batch_size = config.train.batch_size
        assert batch_size is not None
        # Untrained networks give all videos similar embeddings.
        epoch_steps = -(-instances.count // batch_size)
        self._settled_at = max(epoch_steps, config.train.lr_warmup_steps)
        self._clock = StepClock()
        self._intervals: collections.deque[Interval] = collections.deque([], _INTERVALS)
        self._is_first_interval = True
        self._started, self._first_step = time.perf_counter(), state.steps_taken()
        self._skipped = int(state.num_skipped.numpy())

    def waited(self, seconds: float) -> None:
        """Notes a step and how long its batch was waited for."""
        self._clock.waited(seconds)

    def went_on(self) -> None:
        """Notes that work between two steps, such as a validation, has ended."""
        self._clock.reset()

    def step(self, step: int, loss: str, scalars: Mapping[str, tf.Tensor]) -> None:
        """Tells of a step, and of the interval that ends with it.

        Args:
          step: of the run.
          loss: `ir`, `la` or `supervised`.
          scalars: that the step returned.
        """
        interval = self._clock.interval()
        values = {name: float(value) for name, value in scalars.items()}
        if "similarity_to_own_row" in values:
            values["alignment"] = statistics.alignment(values["similarity_to_own_row"])
        speed = {"steps_per_second": interval.steps_per_second}
        self._summaries.scalars("train", {**values, **speed}, step)
        seconds = time.perf_counter() - self._started
        seconds_per_step = seconds / (step - self._first_step)
        train_steps = self._config.train.train_steps
        line = console.step_line(
            step, loss, values, interval, train_steps, seconds_per_step
        )
        print(line, flush=True)
        if step > self._settled_at:
            self._summaries.alarms("train", self._alarms(values), step)
        self._input(step, interval)

    def _alarms(self, values: Mapping[str, float]) -> list[Alarm]:
        """Alarms on what a step returned."""
        alarms = health.embedding_alarms(values)
        if "close_share" in values:
            settings = self._config.loss
            assert settings.la_num_clusters is not None
            alarms += health.close_share_alarms(
                values["close_share"],
                settings.la_num_background,
                settings.la_num_clusters,
            )
        return alarms

    def _input(self, step: int, interval: Interval) -> None:
        skipped = int(self._state.num_skipped.numpy())
        values = {"skipped_clips": skipped, "wait_share": interval.wait_share}
        self._summaries.scalars("input", values, step)
        if skipped > self._skipped:
            print(f"skipped so far: {skipped} clips of bad records", flush=True)
            self._skipped = skipped
        # In the first one graphs are made, and the input fills its buffers.
        if not self._is_first_interval:
            self._intervals.append(interval)
        self._is_first_interval = False
        if len(self._intervals) == _INTERVALS:
            lately = sum(self._intervals, Interval(0, 0.0, 0.0))
            alarms = health.input_alarms(lately.wait_share)
            self._summaries.alarms("input", alarms, step)

    def bank(self, step: int) -> None:
        """Tells what the rows of the memory bank look like, where there is one."""
        if self._state.bank is not None:
            self._summaries.bank(self._state.bank, step)

    def validation(
        self,
        step: int,
        loss: str,
        name: str,
        scores: Mapping[str, float],
        num_classes: int,
        num_queries: int,
    ) -> None:
        """Logs a validation, and whether LA has lost what IR had.

        Args:
          step: of the run.
          loss: of that step.
          name: of the validation, its group in TensorBoard.
          scores: `top1` and `top5`.
          num_classes: C, which the accuracy of chance follows from.
          num_queries: videos that were classified.
        """
        self._summaries.scalars(name, scores, step)
        print(console.validation_line(step, name, scores, num_classes), flush=True)
        before = float(self._state.ir_accuracy.numpy())
        if loss == "la" and before != UNKNOWN:
            alarms = health.knn_alarms(scores["top1"], before, num_queries)
            self._summaries.alarms("knn", alarms, step)
