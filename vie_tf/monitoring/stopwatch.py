"""Measures the speed of a run, and how long it waits for its input."""

from __future__ import annotations

import dataclasses
import time


@dataclasses.dataclass(frozen=True)
class Interval:
    """Consecutive steps.

    Attributes:
      steps: number of steps.
      seconds: time that they took, waiting included.
      waited: seconds of waiting for their batches.
    """

    steps: int
    seconds: float
    waited: float

    @property
    def steps_per_second(self) -> float:
        """Mean number of steps per second."""
        return self.steps / self.seconds

    @property
    def wait_share(self) -> float:
        """Fraction of the time that was spent waiting."""
        return self.waited / self.seconds


class StepClock:
    """Measures intervals of steps."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Starts a new interval; call after work that is not a training step."""
        self._start = time.perf_counter()
        self._waited = 0.0
        self._steps = 0

    def waited(self, seconds: float) -> None:
        """Adds a step, and the seconds of waiting for its batch."""
        self._waited += seconds
        self._steps += 1

    def interval(self) -> Interval:
        """Returns the interval that ends now, and starts the next."""
        seconds = max(time.perf_counter() - self._start, 1e-9)
        interval = Interval(self._steps, seconds, self._waited)
        self.reset()
        return interval
