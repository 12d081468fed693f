"""Accuracy of a network on the validation videos while it trains.

Videos without a label are left out, as in `vie_tf.evaluation`.

Letters: V videos, D dimension, C classes.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Union

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig, KnnConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_source import Clips
from vie_tf.input.sampling import ClipRecipe
from vie_tf.metrics import knn
from vie_tf.metrics.features import ClipEmbedder, ClipFeatures, NothingRead
from vie_tf.objectives.memory_bank import MemoryBank
from vie_tf.runs.state import TrainState
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT, Manifest

Gather = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class _VideoValidation:
    """Accuracies of the class scores that a subclass computes from features.

    Attributes:
      embedder: of the network.
      clips: evaluation clips of this worker.
      labels: classes of all videos of the split, -1 without one, [V].
      num_classes: C.
      gather: concatenates an array of all workers.
    """

    embedder: ClipEmbedder
    clips: Clips
    labels: np.ndarray
    num_classes: int
    gather: Gather

    @property
    def num_queries(self) -> int:
        """Number of videos that have a label."""
        return int(np.sum(self.labels >= 0))

    def __call__(self) -> dict[str, float]:
        """Returns `top1` and `top5` as fractions.

        Raises:
          NothingRead: no worker could read a video that has a label.
        """
        try:
            features = self.embedder.embed(self.clips, len(self.labels))
            scores, video_index = self._scores(features), features.video_index
        except NothingRead:  # another worker may have some
            scores = np.zeros([0, self.num_classes], np.float32)
            video_index = np.zeros([0], np.int64)
        all_scores, labels = self.gather(scores), self.gather(self.labels[video_index])
        has_label = labels >= 0
        if not has_label.any():
            raise NothingRead(self.num_queries)
        return knn.accuracies(all_scores[has_label], labels[has_label])

    def _scores(self, features: ClipFeatures) -> np.ndarray:
        """Returns class scores, [V, C] float32."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class KnnValidation(_VideoValidation):
    """kNN against the running memory bank, as in the authors' code.

    Attributes:
      bank: memory bank of the run.
      own_index: positions of the queries in the bank, [V]; None if they are not in it.
      settings: number of neighbors, and temperature.
    """

    bank: MemoryBank
    own_index: np.ndarray | None
    settings: KnnConfig

    name = "knn"

    def _scores(self, features: ClipFeatures) -> np.ndarray:
        own = None if self.own_index is None else self.own_index[features.video_index]
        return knn.classify_videos(
            tf.convert_to_tensor(self.bank.rows),
            self.bank.labels.numpy(),
            features.values,
            self.num_classes,
            k=self.settings.k,
            temperature=self.settings.temperature,
            own_index=own,
        )


@dataclasses.dataclass(frozen=True)
class SoftmaxValidation(_VideoValidation):
    """Logits of a supervised network, averaged over a video's clips (section 3)."""

    name = "softmax"

    def _scores(self, features: ClipFeatures) -> np.ndarray:
        return features.values.mean(axis=1)


Validation = Union[KnnValidation, SoftmaxValidation]


def split_to_validate(manifest: Manifest, bank_size: int | None) -> str | None:
    """Chooses the videos that a run is validated on.

    Without validation videos, kNN takes the training videos as queries and
    leaves each out of the gallery.  That is not possible for a supervised network,
    which has learned their labels, nor for a bank of a subset or of bins
    (`vie_tf.input.instances`), which does not have one entry for each of them.

    Args:
      manifest: of the data set.
      bank_size: size of the memory bank, None for a supervised network.

    Returns:
      A split, or None where there is nothing to validate on.
    """
    labeled = {video.split for video in manifest.videos if video.label >= 0}
    if VAL_SPLIT in labeled:
        return VAL_SPLIT
    if TRAIN_SPLIT in labeled and not manifest.split(VAL_SPLIT):
        return TRAIN_SPLIT if bank_size == len(manifest.split(TRAIN_SPLIT)) else None
    return None


def make_validation(
    state: TrainState,
    data: DataConfig,
    manifest: Manifest,
    recipe: ClipRecipe,
    settings: KnnConfig,
    *,
    network: tf.keras.Model,
    part: pipeline.ClipShard,
    gather: Gather,
) -> Validation | None:
    """Makes the validation of a run.

    Args:
      state: state of the run; supervised if it has no memory bank.
      data: where the records are and how they are read.
      manifest: manifest of the data set.
      recipe: frames and size of a clip.
      settings: number of clips, neighbors, and temperature.
      network: network whose current weights are validated.
      part: clips that this worker reads.
      gather: concatenates an array of all workers.

    Returns:
      None where there is nothing to validate on.
    """
    bank = state.bank
    split = split_to_validate(manifest, bank.num_videos if bank else None)
    if split is None:
        return None
    videos = manifest.split(split)
    clips = pipeline.evaluation_clips(
        data, manifest, split, recipe, num_clips=settings.num_clips, part=part
    )
    shared: dict[str, Any] = {
        "embedder": ClipEmbedder(network, "embedding" if bank else "logits"),
        "clips": clips,
        "labels": np.array([video.label for video in videos]),
        "num_classes": len(manifest.class_names),
        "gather": gather,
    }
    if bank is None:
        return SoftmaxValidation(**shared)
    own_index = None if split == VAL_SPLIT else np.arange(len(videos))
    return KnnValidation(**shared, bank=bank, own_index=own_index, settings=settings)
