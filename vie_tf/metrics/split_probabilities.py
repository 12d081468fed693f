"""Class probabilities of the videos of a split, averaged over the clips of a video.

Letters: V videos, C classes.
"""

from __future__ import annotations

from typing import Iterable, NamedTuple

import numpy as np
import tensorflow as tf

from vie_tf.metrics.split_pass import SplitPass


class SplitProbabilities(NamedTuple):
    """Class probabilities of the videos of a split.

    Attributes:
      values: by head, [V, C] float64.
      video_index: positions of the videos in `manifest.split`, rising, [V] int64;
        videos that could not be read are missing.
    """

    values: dict[str, np.ndarray]
    video_index: np.ndarray


def split_probabilities(
    logits_of: SplitPass, batches: Iterable[dict], num_videos: int, title: str = ""
) -> SplitProbabilities:
    """Computes mean class probabilities over the clips of every video of a split.

    Source: paper, section 4 ("softmax logits"); the authors' train_transfer_KN.

    Args:
      logits_of: pass of a function that returns logits by head.
      batches: from `vie_tf.input.pipeline.evaluation_clips`; a video may come in
        several elements.
      num_videos: number of videos in the split.
      title: title of the progress bar; none is shown without a title.
    """
    sums: dict[str, np.ndarray] = {}
    counts = np.zeros(num_videos, np.int64)
    for video_index, outputs in logits_of.run(batches, num_videos, title):
        for name, logits in outputs.items():  # [V, num_clips, C]
            zeros = np.zeros([num_videos, logits.shape[-1]])
            summed = tf.nn.softmax(logits.astype(np.float64)).numpy().sum(axis=1)
            np.add.at(sums.setdefault(name, zeros), video_index, summed)
        np.add.at(counts, video_index, logits.shape[1])
    seen = np.flatnonzero(counts)
    means = {name: values[seen] / counts[seen, None] for name, values in sums.items()}
    return SplitProbabilities(means, seen)
