"""One pass over the clips of a split: its progress, and what limited it.

Comes in: batches of `vie_tf.input.pipeline.evaluation_clips`.  Goes out: the same
batches, and a line at the end.
"""

from __future__ import annotations

import sys
import time
from typing import Iterable, Iterator

import numpy as np
from tqdm import tqdm

from vie_tf.monitoring.stopwatch import Interval, StepClock

_LOG_SECONDS = 20.0  # between lines of progress where there is no terminal
# Of shorter passes nothing is said: most of their time goes into making the graph.
_SHORT_SECONDS = 10.0


def watched(batches: Iterable[dict], num_videos: int, title: str) -> Iterator[dict]:
    """Hands batches on while it tells of the progress.

    Args:
      batches: with `clips` [B, num_clips, ...] and `rows` [B]; a video may come in
        several of them.  Each is done with when the next is asked for.
      num_videos: that are looked at.
      title: of the pass, for the reader; nothing is told without one.
    """
    seen: set[int] = set()
    num_clips = 0
    iterator, clock = iter(batches), StepClock()
    with tqdm(
        total=num_videos,
        desc=title,
        unit="video",
        disable=not title,
        leave=False,
        mininterval=0.2 if sys.stderr.isatty() else _LOG_SECONDS,
    ) as bar:
        while True:
            asked = time.perf_counter()
            batch = next(iterator, None)
            clock.waited(time.perf_counter() - asked)
            if batch is None:
                break
            yield batch
            num_clips += int(np.prod(batch["clips"].shape[:2]))
            seen.update(batch["rows"].numpy().tolist())
            bar.update(len(seen) - bar.n)
    interval = clock.interval()
    if title and interval.seconds >= _SHORT_SECONDS:
        print(f"{title}: {limit_in_words(num_clips, interval)}", flush=True)


def limit_in_words(num_clips: int, interval: Interval) -> str:
    """Says how long a pass took, and whether its input or the network held it up.

    Args:
      num_clips: that went through the network.
      interval: of the whole pass.
    """
    seconds, share = interval.seconds, interval.wait_share
    limit = "the input" if share > 0.5 else "the network"
    return (
        f"{num_clips:,} clips in {seconds:,.0f} s, {share:.0%} of it waiting for input:"
        f" {limit} is the limit."
    )
