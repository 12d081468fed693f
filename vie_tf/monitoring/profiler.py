"""Profiles some steps: how much time each operation takes on which device.

The trace is in `RUN/tensorboard/plugins/profile`, for TensorBoard's Profile tab.
"""

from __future__ import annotations

import contextlib
import os
from typing import Iterator

import tensorflow as tf


class StepProfile:
    """Profiles the steps of a range; a run that resumes within it is not profiled."""

    def __init__(self, steps: tuple[int, int] | None, model_dir: str) -> None:
        """Takes the first and last step, both included; None for no profile."""
        self._first, self._last = steps or (0, 0)
        self._folder = os.path.join(model_dir, "tensorboard")
        self._is_on = False

    @contextlib.contextmanager
    def of(self, step: int) -> Iterator[None]:
        """Profiles the step in this context, up to its error if it fails."""
        if self._first and step == self._first:
            tf.profiler.experimental.start(self._folder)
            self._is_on = True
        if not self._is_on:
            yield
            return
        goes_on = False
        try:
            # The tab recognizes a step by this name and _r.
            with tf.profiler.experimental.Trace("train", step_num=step, _r=1):
                yield
            goes_on = step < self._last
        finally:
            if not goes_on:
                self._stop(step)

    def _stop(self, step: int) -> None:
        # Devices may not have finished their work yet.
        tf.test.experimental.sync_devices()
        tf.profiler.experimental.stop()
        self._is_on = False
        place = os.path.join(self._folder, "plugins", "profile")
        print(
            f"Wrote the profile of steps {self._first} to {step} to {place}."
            " TensorBoard shows it after pip install tensorboard-plugin-profile.",
            flush=True,
        )
