"""How fast the input is, stage by stage, beside the training step.

`measure` counts clips per second, and `advice` names the slowest part.
"""

from __future__ import annotations

import dataclasses
import os
import time
from typing import Callable

from vie_tf.input.clips import Clips

_WARM_UP = 2  # batches, or steps, that are not counted
_MARGIN = 1.2  # times the rate of the step, as the speed of a machine varies


@dataclasses.dataclass(frozen=True)
class InputRates:
    """Clips per second.

    Attributes:
      read: rate of sampling and reading.
      decode: rate of the above and decoding.
      augment: rate of the above and augmentation.
      batch: rate of the whole pipeline.
      step: rate of the training step when it need not wait for input.
    """

    read: float
    decode: float
    augment: float
    batch: float
    step: float

    def table(self) -> str:
        """Formats the rates, one line each."""
        cores = len(os.sched_getaffinity(0))
        lines = [
            ("frames read", self.read),
            ("and decoded", self.decode),
            ("and augmented", self.augment),
            ("whole input, in batches", self.batch),
            ("training step", self.step),
        ]
        rows = "\n".join(f"  {name:26}{rate:10.1f}" for name, rate in lines)
        return f"clips per second, input on {cores} cores\n{rows}"

    def advice(self, color: str, has_gpu: bool) -> str:
        """Names the slowest part, and settings that make it faster.

        Args:
          color: implementation of the color jitter.
          has_gpu: whether the step runs on another device than the input.
        """
        ratio = self.batch / self.step
        if ratio >= _MARGIN:
            shared = "" if has_gpu else ", though both share the cores of this machine"
            return (
                f"The network limits: the input is {ratio:.1f} times as fast as the"
                f" step{shared}. Nothing to change in the input."
            )
        costs = {
            "reading": 1 / self.read,
            "decoding": max(0.0, 1 / self.decode - 1 / self.read),
            "augmentation": max(0.0, 1 / self.augment - 1 / self.decode),
        }
        slowest = max(costs, key=lambda name: costs[name])
        fraction = costs[slowest] / sum(costs.values())
        cores = "more cores, also of other machines (--data_service)"
        remedies = {
            "reading": "a faster disk, or copies on a local one (--cache_dir)",
            "decoding": f"{cores}, or smaller frames (data_prep.convert"
            " --shortest_side)",
            "augmentation": cores if color != "exact" else f"--color=fast, or {cores}",
        }
        return (
            f"The input limits: it is {ratio:.1f} times as fast as the step, and spends"
            f" {fraction:.0%} of its time on {slowest}. What helps:"
            f" {remedies[slowest]}."
        )


def measure(
    clips: Clips, take_step: Callable[[dict], None], seconds: float
) -> InputRates:
    """Measures all stages.

    Args:
      clips: clips of the run.
      take_step: takes a training step on a batch and waits until it ends.
      seconds: duration of each measurement, at least.
    """
    batch = next(iter(clips))
    size = int(batch["rows"].shape[0])
    rates = {
        name: _rate(iter(stage.batch(size)).get_next, size, seconds)
        for name, stage in clips.stages().items()
    }
    rates["batch"] = _rate(iter(clips.dataset).get_next, size, seconds)
    rates["step"] = _rate(lambda: take_step(batch), size, seconds)
    return InputRates(**rates)


def _rate(call: Callable[[], object], clips_per_call: int, seconds: float) -> float:
    """Returns the clips per second of calls, after some that are not counted."""
    for _ in range(_WARM_UP):
        call()
    calls, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds or not calls:
        call()
        calls += 1
    return calls * clips_per_call / elapsed
