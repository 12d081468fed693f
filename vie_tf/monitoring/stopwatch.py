"""How fast a run is, and how long it waits for its input."""

from __future__ import annotations

import dataclasses
import time


@dataclasses.dataclass(frozen=True)
class Interval:
    """Some steps, one after the other.

    Attributes:
      steps: that were taken.
      seconds: that they took, waiting included.
      waited: seconds of waiting for their batches.
    """

    steps: int
    seconds: float
    waited: float

    @property
    def steps_per_second(self) -> float:
        """Mean speed."""
        return self.steps / self.seconds

    @property
    def wait_share(self) -> float:
        """Share of the time that was spent waiting."""
        return self.waited / self.seconds

    def __add__(self, other: Interval) -> Interval:
        """Both together."""
        return Interval(
            self.steps + other.steps,
            self.seconds + other.seconds,
            self.waited + other.waited,
        )


class StepClock:
    """Measures intervals."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Starts a new interval; call after work that is no training step."""
        self._start = time.perf_counter()
        self._waited = 0.0
        self._steps = 0

    def waited(self, seconds: float) -> None:
        """Notes one step and how long its batch was waited for."""
        self._waited += seconds
        self._steps += 1

    def interval(self) -> Interval:
        """The interval until now, after which the next begins."""
        seconds = max(time.perf_counter() - self._start, 1e-9)
        interval = Interval(self._steps, seconds, self._waited)
        self.reset()
        return interval
