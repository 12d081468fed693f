"""Is the input fast enough, and if not, why?

Measures clips per second of the stations of the input pipeline one after the other, and
sets them beside what the training step takes.
"""

from __future__ import annotations

import dataclasses
import os
import time
from typing import Callable

from vie_tf.input.clip_source import Clips

_WARM_UP = 2  # batches, or steps, that are not counted
_ENOUGH = 1.2  # times what the step takes, since machines have better and worse moments


@dataclasses.dataclass(frozen=True)
class InputRates:
    """Clips per second.

    Attributes:
      read: sampled, their frames read.
      decode: and decoded.
      augment: and augmented.
      batch: whole pipeline.
      step: that the training step takes when it need not wait.
    """

    read: float
    decode: float
    augment: float
    batch: float
    step: float


def measure(
    clips: Clips, take_step: Callable[[dict], None], seconds: float
) -> InputRates:
    """Measures all stations.

    Args:
      clips: of the run.
      take_step: takes a training step on a batch and waits for its end.
      seconds: of each measurement, at least.
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
    """Clips per second of calls, after some that are not counted."""
    for _ in range(_WARM_UP):
        call()
    calls, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds or not calls:
        call()
        calls += 1
    return calls * clips_per_call / elapsed


def verdict(rates: InputRates, color: str, has_gpu: bool) -> str:
    """Says in a sentence what limits, and what to change.

    Args:
      rates: as measured.
      color: form of the color noise.
      has_gpu: whether the step runs on another device than the input.
    """
    if rates.batch >= _ENOUGH * rates.step:
        shared = "" if has_gpu else ", though both share the cores of this machine"
        return (
            f"The network limits: the input gives {rates.batch / rates.step:.1f} times"
            f" what the step takes{shared}. Nothing to change in the input."
        )
    costs = {
        "reading": 1 / rates.read,
        "decoding": max(0.0, 1 / rates.decode - 1 / rates.read),
        "augmentation": max(0.0, 1 / rates.augment - 1 / rates.decode),
    }
    longest = max(costs, key=lambda name: costs[name])
    share = costs[longest] / sum(costs.values())
    cores = "more cores, also of other machines (--data_service)"
    remedies = {
        "reading": "a faster disk, or copies on a local one (--cache_dir)",
        "decoding": f"{cores}, or smaller frames (data_prep.convert --shortest_side)",
        "augmentation": cores if color != "exact" else f"--color=fast, or {cores}",
    }
    return (
        f"The input limits: it gives {rates.batch / rates.step:.1f} times what the step"
        f" takes, and {share:.0%} of its time is {longest}. What helps:"
        f" {remedies[longest]}."
    )


def report(rates: InputRates, verdict_text: str) -> str:
    """The rates as a table, and the verdict below it."""
    cores = len(os.sched_getaffinity(0))
    lines = [
        ("frames read", rates.read),
        ("and decoded", rates.decode),
        ("and augmented", rates.augment),
        ("whole input, in batches", rates.batch),
        ("training step takes", rates.step),
    ]
    table = "\n".join(f"  {name:26}{rate:10.1f}" for name, rate in lines)
    return f"clips per second, input on {cores} cores\n{table}\n{verdict_text}"
