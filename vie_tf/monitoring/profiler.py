"""A profile of some steps: where their time goes, on the devices and off them.

Comes in: which steps.  Goes out: a trace in `RUN/tensorboard/plugins/profile`, which
TensorBoard's Profile tab shows.
"""

from __future__ import annotations

import contextlib
import os
from typing import Iterator

import tensorflow as tf


class StepProfile:
    """Profiles steps from one to another, both included.

    A run that goes on from a step between them is not profiled.

    Args:
      steps: first and last step; None for no profile.
      model_dir: folder of the run.
    """

    def __init__(self, steps: tuple[int, int] | None, model_dir: str) -> None:
        self._first, self._last = steps or (0, 0)
        self._folder = os.path.join(model_dir, "tensorboard")
        self._is_on = False

    @contextlib.contextmanager
    def of(self, step: int) -> Iterator[None]:
        """Is around a step; where that fails, what there is is written."""
        if self._first and step == self._first:
            tf.profiler.experimental.start(self._folder)
            self._is_on = True
        if not self._is_on:
            yield
            return
        goes_on = False
        try:
            # The tab takes what this name and _r mark for a step.
            with tf.profiler.experimental.Trace("train", step_num=step, _r=1):
                yield
            goes_on = step < self._last
        finally:
            if not goes_on:
                self._stop(step)

    def _stop(self, step: int) -> None:
        # What was given to a device may not be done there yet.
        tf.test.experimental.sync_devices()
        tf.profiler.experimental.stop()
        self._is_on = False
        place = os.path.join(self._folder, "plugins", "profile")
        print(
            f"Wrote the profile of steps {self._first} to {step} to {place}."
            " TensorBoard shows it after pip install tensorboard-plugin-profile.",
            flush=True,
        )
