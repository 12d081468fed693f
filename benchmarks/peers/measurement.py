"""One measurement: what is asked for, on which inputs, and how it is timed.

Comes in: a case, as JSON on the command line.  Goes out: a line of JSON with seconds.
Shared by all codes, so it knows numpy only.

Letters: B batch, T frames, N videos, D dimension.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from typing import Callable

import numpy as np

Call = Callable[[], object]

DIM = 128  # D, the paper's
NUM_CLUSTERS = 8000  # m in appendix A
LEARNING_RATE = 0.03
MOMENTUM = 0.9
WEIGHT_DECAY = 1e-4
TEMPERATURE = 0.07
BANK_MOMENTUM = 0.5
BN_MOMENTUM = 0.997  # of the moving statistics that were
BN_EPSILON = 1e-5
CHANNEL_MEAN = (0.485, 0.456, 0.406)
CHANNEL_STD = (0.229, 0.224, 0.225)

# Calls are not repeated for longer than this: long ones vary less.
ENOUGH_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class Case:
    """What is measured.

    Attributes:
      model: name of the family.
      precision: `float32`, `mixed_bfloat16` or `mixed_float16`.
      batch_size: B.
      num_frames: T.
      crop_size: pixels.
      num_videos: N, rows of the memory bank.
      background: neighbors of the LA loss, k in appendix A.
      repeats: calls whose median is taken, at most.
      num_threads: cores to be used, by libraries that have to be told.
    """

    model: str
    precision: str
    batch_size: int
    num_frames: int
    crop_size: int
    num_videos: int
    background: int
    repeats: int
    num_threads: int

    def to_json(self) -> str:
        """Returns the case in one line."""
        return json.dumps(dataclasses.asdict(self))

    def clips(self) -> np.ndarray:
        """Returns [B, T, H, W, 3] uint8, random."""
        size = [self.batch_size, self.num_frames, self.crop_size, self.crop_size, 3]
        return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)

    def rows(self) -> np.ndarray:
        """Returns the bank rows of the clips' videos, [B] int64, all different."""
        draw = np.random.default_rng(1)
        return draw.choice(self.num_videos, self.batch_size, replace=False)

    def cluster_labels(self) -> np.ndarray:
        """Returns the clusters of all videos, [N] int32, random."""
        draw = np.random.default_rng(2)
        return draw.integers(0, NUM_CLUSTERS, self.num_videos, dtype=np.int32)

    def bank_rows(self) -> np.ndarray:
        """Returns a memory bank at its start, [N, D] float32."""
        limit = (DIM / 3) ** -0.5
        draw = np.random.default_rng(3)
        unit = draw.random([self.num_videos, DIM], dtype=np.float32)
        return limit * (2 * unit - 1)


def median_seconds(call: Call, repeats: int) -> float:
    """Median wall time of a call, after one that is not counted.

    Args:
      call: returns when the work is done, not when it is queued.
      repeats: at most; fewer where calls take long.
    """
    call()
    times: list[float] = []
    while len(times) < repeats and sum(times) < ENOUGH_SECONDS:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def run(make_calls: Callable[[Case], tuple[Call, Call]]) -> None:
    """Measures the case of the command line and prints the result.

    Args:
      make_calls: makes two calls for a case, which return when their work is done:
        inference of the batch, and a whole training step.
    """
    case = Case(**json.loads(sys.argv[1]))
    forward, step = make_calls(case)
    result = {
        "model": case.model,
        "precision": case.precision,
        "forward_seconds": median_seconds(forward, case.repeats),
        "step_seconds": median_seconds(step, case.repeats),
    }
    print(json.dumps(result), flush=True)
