"""Logits of a whole split: those of a video's clips are averaged (section 4)."""

from __future__ import annotations

from typing import Callable, Iterable, NamedTuple

import numpy as np
import tensorflow as tf

from vie_tf.metrics import knn, split_pass


class SplitLogits(NamedTuple):
    """Logits of the videos of a split.

    Attributes:
      values: by read-out, [V, C] float64.
      rows: positions of the videos in the manifest's split, rising, [V] int64; not all
        of them where bad records were skipped.
    """

    values: dict[str, np.ndarray]
    rows: np.ndarray

    def accuracies(self, labels: np.ndarray) -> dict[str, dict[str, float]]:
        """Accuracies by read-out: `top1` and `top5` as fractions.

        Args:
          labels: of all videos of the split, integers.
        """
        return {
            name: knn.accuracies(logits, labels[self.rows])
            for name, logits in self.values.items()
        }


class VideoLogits:
    """Runs read-outs over data sets of test clips; its graph is made once.

    Args:
      logits_of: takes clips [B, T, H, W, 3] uint8; returns logits [B, C] by read-out.
    """

    def __init__(self, logits_of: Callable[[tf.Tensor], dict[str, tf.Tensor]]) -> None:
        @tf.function(reduce_retracing=True)
        def sums_of(clips: tf.Tensor) -> dict[str, tf.Tensor]:
            merged = tf.reshape(clips, tf.concat([[-1], tf.shape(clips)[2:]], axis=0))
            merged = tf.ensure_shape(merged, [None, *clips.shape[2:]])
            num_clips, sums = tf.shape(clips)[1], {}
            for name, logits in logits_of(merged).items():  # [B * num_clips, C]
                per_clip = tf.reshape(logits, [-1, num_clips, logits.shape[-1]])
                sums[name] = tf.reduce_sum(per_clip, axis=1)
            return sums

        self._sums_of = sums_of

    def of_split(
        self, batches: Iterable[dict], num_videos: int, title: str = ""
    ) -> SplitLogits:
        """Runs once over a split.

        Args:
          batches: from `vie_tf.input.pipeline.evaluation_clips`; a video may come in
            several elements.
          num_videos: of the split.
          title: of the pass, for its progress and its speed; none without a title.
        """
        sums: dict[str, np.ndarray] = {}
        counts = np.zeros(num_videos, np.int64)
        for batch in split_pass.watched(batches, num_videos, title):
            rows = batch["rows"].numpy()
            for name, values in self._sums_of(batch["clips"]).items():
                if name not in sums:
                    sums[name] = np.zeros([num_videos, values.shape[-1]])
                np.add.at(sums[name], rows, values.numpy())
            np.add.at(counts, rows, batch["clips"].shape[1])
        seen = np.flatnonzero(counts)
        means = {
            name: values[seen] / counts[seen, None] for name, values in sums.items()
        }
        return SplitLogits(means, seen)
