"""Logits of a whole split: those of a video's clips are averaged (section 4)."""

from __future__ import annotations

from typing import Callable, Iterable, NamedTuple

import numpy as np
import tensorflow as tf

from vie_tf.metrics import knn
from vie_tf.metrics.split_pass import SplitPass


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
        self._pass = SplitPass(logits_of)

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
        for video_index, outputs in self._pass.run(batches, num_videos, title):
            for name, logits in outputs.items():  # [V, num_clips, C]
                zeros = np.zeros([num_videos, logits.shape[-1]])
                summed = logits.sum(axis=1, dtype=np.float64)
                np.add.at(sums.setdefault(name, zeros), video_index, summed)
            np.add.at(counts, video_index, logits.shape[1])
        seen = np.flatnonzero(counts)
        means = {
            name: values[seen] / counts[seen, None] for name, values in sums.items()
        }
        return SplitLogits(means, seen)
