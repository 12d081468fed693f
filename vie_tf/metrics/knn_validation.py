"""kNN as a validation in training: queries against the memory bank or fresh embeddings.

A row of the memory bank is the mean of what the network gave for augmented clips while
it was trained, in training mode, over the last epochs.  On large collections it agrees
with the embedding of the video.  On small ones it may not: batch norm in training mode
sees the batch, and augmentation may hide what a class is.  Fresh embeddings are what
evaluate.py compares with.

Letters: V queries, N gallery videos, D dimension, C classes.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from vie_tf.config import KnnConfig
from vie_tf.input.clips import Clips
from vie_tf.metrics import knn
from vie_tf.metrics.features import (
    ClipEmbedder,
    ClipFeatures,
    NothingRead,
    video_embeddings,
)
from vie_tf.metrics.validation_scores import Gather, Scores, scores_of_workers
from vie_tf.objectives.bank.memory_bank import MemoryBank

BANK = "bank"
FEATURES = "features"
_TRAINED_CLIPS_PER_CLIP = 5


def clips_of_gallery(num_videos: int, num_trained_clips: int, num_clips: int) -> int:
    """Decides how many clips of a gallery video a validation may embed.

    The gallery's clips are a fifth of the training clips since the last validation at
    most.  Each takes half to all of the time of a training clip, as its frames are
    decoded whole and nothing is prefetched.

    Args:
      num_videos: N.
      num_trained_clips: clips that are trained on between two validations.
      num_clips: most clips of a video.

    Returns:
      At most `num_clips`; 0 where one clip of each video would take too long.
    """
    budget = num_trained_clips // _TRAINED_CLIPS_PER_CLIP
    return min(budget // max(num_videos, 1), num_clips)


class Gallery(NamedTuple):
    """What queries are compared with.

    Attributes:
      rows: [N, D] float32, unit norm.
      labels: [N] classes, -1 where a video has none.
      own_index: [V'] rows of the queries of this worker, None if they have none.
    """

    rows: np.ndarray | tf.Tensor
    labels: np.ndarray
    own_index: np.ndarray | None


@dataclasses.dataclass(frozen=True)
class KnnValidation:
    """kNN validation: queries of some clips, each with its votes.

    Attributes:
      embedder: embedder of the network.
      bank: memory bank of the run; None where the gallery is `features`.
      clips: clips of the queries that this worker looks at.
      labels: [V] classes of the queries.
      own_index: [V] positions of the queries in the gallery, None if they are not in
        it.
      num_classes: C.
      settings: settings of the votes.
      gather: concatenates the arrays of all workers.
      gallery: `bank` or `features`.
      gallery_clips: clips of the gallery that this worker looks at; None where the
        gallery is the bank, or the queries themselves.
      gallery_labels: [N] classes of the gallery's videos.
      dim: D.
    """

    embedder: ClipEmbedder
    bank: MemoryBank | None
    clips: Clips
    labels: np.ndarray
    own_index: np.ndarray | None
    num_classes: int
    settings: KnnConfig
    gather: Gather
    gallery: str = BANK
    gallery_clips: Clips | None = None
    gallery_labels: np.ndarray | None = None
    dim: int = 0

    name = "knn"

    def __call__(self, title: str = "") -> Scores:
        """Classifies the queries.

        Raises:
          NothingRead: no worker could read a video that is scored, or one of the
            gallery.
        """
        features = self._embed(self.clips, len(self.labels), title)
        if self.gallery == FEATURES:
            gallery = self._fresh(features, title)
        else:
            gallery = self._bank(features)
        votes = np.zeros([0, self.num_classes])
        if len(features.video_index):
            votes = knn.classify_videos(
                tf.convert_to_tensor(gallery.rows),
                gallery.labels,
                features.values,
                self.num_classes,
                k=self.settings.k,
                temperature=self.settings.temperature,
                own_index=gallery.own_index,
            )
        counted = knn.can_be_right(
            self.labels, gallery.labels, self.own_index is not None
        )
        return scores_of_workers(
            {"": votes}, features.video_index, self.labels, counted, self.gather
        )

    def _bank(self, features: ClipFeatures) -> Gallery:
        assert self.bank is not None
        own = None if self.own_index is None else self.own_index[features.video_index]
        return Gallery(self.bank.float_rows(), self.bank.labels.numpy(), own)

    def _fresh(self, features: ClipFeatures, title: str) -> Gallery:
        """Embeds the gallery; all workers take a part of it and have the whole."""
        labels, own = self.labels, features
        if self.gallery_clips is not None:
            assert self.gallery_labels is not None
            labels = self.gallery_labels
            own = self._embed(self.gallery_clips, len(labels), title)
        video_index = self.gather(own.video_index)
        rows = self.gather(video_embeddings(own.values))
        if not len(rows):
            raise NothingRead(len(labels))
        order = np.argsort(video_index)
        video_index = video_index[order]
        own_index = None
        if self.own_index is not None:
            own_index = np.searchsorted(video_index, features.video_index)
        return Gallery(rows[order], labels[video_index], own_index)

    def _embed(self, clips: Clips, num_videos: int, title: str) -> ClipFeatures:
        """Embeds what this worker can read, which may be nothing."""
        try:
            return self.embedder.embed(clips, num_videos, title)
        except NothingRead:  # another worker may have read some
            shape = [0, self.settings.num_clips, self.dim]
            return ClipFeatures(np.zeros(shape, np.float32), np.zeros([0], np.int64))
