"""SIGTERM in a training: all workers stop after the same step."""

from __future__ import annotations

import contextlib
import time
from typing import Iterator

import numpy as np

from vie_tf.terminal import termination
from vie_tf.terminal.termination import Terminated
from vie_tf.training.distribution import Distribution

_CHECK_SECS = 1.0  # a message to all workers takes a few milliseconds
_MOST_STEPS = 100


class StopRequests:
    """Requests to stop that the workers of a run have received.

    Args:
      devices: devices of the run.
    """

    def __init__(self, devices: Distribution) -> None:
        self._devices = devices
        self._is_asked = False
        self._every, self._count = 1, 0
        self._start = time.monotonic()

    @contextlib.contextmanager
    def noticed(self) -> Iterator[None]:
        """Notices SIGTERM in this block.

        A process that trains alone stops at once, by `Terminated`.  TensorFlow's own
        handler, which is set when workers join, would ignore the signal.
        """
        alone = self._devices.num_workers == 1
        with termination.handled(termination.interrupt if alone else self._ask):
            yield

    def after_step(self) -> None:
        """Stops all workers if one of them was asked; call it after every step.

        Raises:
          Terminated: in all workers after the same step, at most about a second after
            the request.
        """
        if self._devices.num_workers == 1:
            return
        self._count += 1
        if self._count % self._every:
            return
        secs = (time.monotonic() - self._start) / self._count
        # The chief's clock decides, so that all ask each other at the same steps.
        wanted = min(max(round(_CHECK_SECS / max(secs, 1e-9)), 1), _MOST_STEPS)
        own = np.array([[self._is_asked, wanted]], np.int32)
        of_workers = self._devices.gather(own)  # [workers, 2]
        if of_workers[:, 0].any():
            raise Terminated
        self._every, self._count = int(of_workers[0, 1]), 0
        self._start = time.monotonic()

    def _ask(self) -> None:
        self._is_asked = True
