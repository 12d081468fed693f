"""One pass of a network over the clips of a split, with progress and speed.

Comes in: batches of `vie_tf.input.pipeline.evaluation_clips`.  Goes out: the network's
outputs for every clip, batch by batch, and a line that says what limited the pass.

Letters: V videos of a batch, B clips of it, T frames of a clip.
"""

from __future__ import annotations

import sys
import time
from typing import Callable, Iterable, Iterator, NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from vie_tf.monitoring.stopwatch import Interval, StepClock

_LOG_SECONDS = 20.0  # between lines of progress where there is no terminal
# Shorter passes are not reported: most of their time goes into tracing the graph.
_SHORT_SECONDS = 10.0


class ClipOutputs(NamedTuple):
    """Outputs of a network for the clips of some videos.

    Attributes:
      video_index: positions of the videos in their split, [V] int64.
      outputs: by name, [V, num_clips, ...] float32.
    """

    video_index: np.ndarray
    outputs: dict[str, np.ndarray]


class SplitPass:
    """Runs a function of clips over batches of videos; its graph is traced once.

    Args:
      outputs_of: takes clips [B, T, H, W, C] uint8 and returns outputs [B, ...] by
        name.
    """

    def __init__(self, outputs_of: Callable[[tf.Tensor], dict[str, tf.Tensor]]) -> None:
        @tf.function(reduce_retracing=True)
        def outputs_of_videos(clips: tf.Tensor) -> dict[str, tf.Tensor]:
            # [V, num_clips, T, H, W, C] to [V * num_clips, T, H, W, C] and back.
            merged = tf.reshape(clips, tf.concat([[-1], tf.shape(clips)[2:]], axis=0))
            merged = tf.ensure_shape(merged, [None, *clips.shape[2:]])
            split = {}
            for name, values in outputs_of(merged).items():
                shape = tf.concat([tf.shape(clips)[:2], tf.shape(values)[1:]], axis=0)
                split[name] = tf.cast(tf.reshape(values, shape), tf.float32)
            return split

        self._outputs_of_videos = outputs_of_videos

    def run(
        self, batches: Iterable[dict], num_videos: int, title: str = ""
    ) -> Iterator[ClipOutputs]:
        """Yields the outputs of one batch after another.

        Args:
          batches: from `vie_tf.input.pipeline.evaluation_clips`; a video may come in
            several of them.
          num_videos: number of videos in the split, for the progress bar.
          title: title of the progress bar and of the line at the end; neither is shown
            without a title.
        """
        for batch in watched(batches, num_videos, title):
            outputs = self._outputs_of_videos(batch["clips"])
            yield ClipOutputs(
                batch["rows"].numpy(),
                {name: values.numpy() for name, values in outputs.items()},
            )


def watched(batches: Iterable[dict], num_videos: int, title: str) -> Iterator[dict]:
    """Yields batches and shows how many of the videos they have covered.

    Args:
      batches: with `clips` [V, num_clips, ...] and `rows` [V].
      num_videos: number of videos in the split.
      title: of the progress bar; nothing is shown without one.
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
        print(f"{title}: {describe_limit(num_clips, interval)}", flush=True)


def describe_limit(num_clips: int, interval: Interval) -> str:
    """Says how long a pass took, and whether the input or the network was the limit."""
    limit = "the input" if interval.wait_share > 0.5 else "the network"
    return (
        f"{num_clips:,} clips in {interval.seconds:,.0f} s,"
        f" {interval.wait_share:.0%} of it waiting for input: {limit} is the limit."
    )
