"""Validation of a network in training: accuracies of the validation videos."""

from __future__ import annotations

import dataclasses
from typing import Callable, Union

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig, KnnConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_source import Clips
from vie_tf.input.sampling import ClipRecipe
from vie_tf.metrics import knn
from vie_tf.metrics.features import ClipEmbedder, NothingRead
from vie_tf.objectives.memory_bank import MemoryBank
from vie_tf.runs.state import TrainState
from vie_tf.storage.manifest import NO_LABEL, TRAIN_SPLIT, VAL_SPLIT, Manifest

Gather = Callable[[np.ndarray], np.ndarray]
# Scores [V, C] float32 of the videos of a worker, by class, and their rows [V].
_Part = tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class KnnValidation:
    """The authors' validation: queries of 5 clips, the running bank as gallery.

    Attributes:
      embedder: of the network.
      bank: of the run.
      clips: of the queries.
      labels: [V] of the queries.
      own_rows: [V] rows of the queries in the bank, None if they are not in it.
      num_classes: C.
      settings: of the votes.
      gather: puts together what all workers have of something.
    """

    embedder: ClipEmbedder
    bank: MemoryBank
    clips: Clips
    labels: np.ndarray
    own_rows: np.ndarray | None
    num_classes: int
    settings: KnnConfig
    gather: Gather

    name = "knn"

    @property
    def num_queries(self) -> int:
        """Videos that have a label."""
        return _num_labeled(self.labels)

    def __call__(self) -> dict[str, float]:
        """Returns `top1` and `top5` as fractions.

        Raises:
          NothingRead: no worker could read a video.
        """
        return _accuracies(self._votes, self.labels, self.num_classes, self.gather)

    def _votes(self) -> _Part:
        features = self.embedder.embed(self.clips, len(self.labels))
        own_rows = None if self.own_rows is None else self.own_rows[features.rows]
        probabilities = knn.classify_videos(
            tf.convert_to_tensor(self.bank.rows),
            self.bank.labels.numpy(),
            features.values,
            self.num_classes,
            k=self.settings.k,
            temperature=self.settings.temperature,
            own_rows=own_rows,
        )
        return probabilities, features.rows


@dataclasses.dataclass(frozen=True)
class SoftmaxValidation:
    """Of a supervised network: logits averaged over the clips of a video (section 3).

    Attributes:
      embedder: of the network's logits.
      clips: of the videos.
      labels: [V] of the videos.
      num_classes: C.
      gather: puts together what all workers have of something.
    """

    embedder: ClipEmbedder
    clips: Clips
    labels: np.ndarray
    num_classes: int
    gather: Gather

    name = "softmax"

    @property
    def num_queries(self) -> int:
        """Videos that have a label."""
        return _num_labeled(self.labels)

    def __call__(self) -> dict[str, float]:
        """Returns `top1` and `top5` as fractions.

        Raises:
          NothingRead: no worker could read a video.
        """
        return _accuracies(
            self._mean_logits, self.labels, self.num_classes, self.gather
        )

    def _mean_logits(self) -> _Part:
        logits = self.embedder.embed(self.clips, len(self.labels))  # [V, clips, C]
        return logits.values.mean(axis=1), logits.rows


Validation = Union[KnnValidation, SoftmaxValidation]


def _accuracies(
    own_part: Callable[[], _Part], labels: np.ndarray, num_classes: int, gather: Gather
) -> dict[str, float]:
    """Computes accuracies over the labeled videos of all workers.

    A worker may have none of them.
    """
    try:
        scores, rows = own_part()
    except NothingRead:
        scores = np.zeros([0, num_classes], np.float32)
        rows = np.zeros([0], np.int64)
    has_label = labels[rows] != NO_LABEL
    everything = gather(scores[has_label])
    all_labels = gather(labels[rows][has_label])
    if not len(everything):
        raise NothingRead(_num_labeled(labels))
    return knn.accuracies(everything, all_labels)


def _num_labeled(labels: np.ndarray) -> int:
    return int(np.sum(labels != NO_LABEL))


def split_to_validate(manifest: Manifest, num_rows: int | None) -> str | None:
    """Which videos a run is validated on.

    Without validation videos, kNN takes the training videos as queries, each without
    its own row; a supervised network has been told their labels, so it is not
    validated.  Neither is a run on a view of the training videos then
    (`vie_tf.input.instances`), whose rows are not one for each of them.

    Args:
      manifest: of the data set.
      num_rows: of the memory bank, None for a supervised network.

    Returns:
      A split, or None where there is nothing to validate on.
    """
    labeled = {video.split for video in manifest.videos if video.label != NO_LABEL}
    if VAL_SPLIT in labeled:
        return VAL_SPLIT
    if TRAIN_SPLIT in labeled and not manifest.split(VAL_SPLIT):
        return TRAIN_SPLIT if num_rows == len(manifest.split(TRAIN_SPLIT)) else None
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
    """Prepares the validation that fits a run.

    Args:
      state: of the run; supervised if it has no memory bank.
      data: of the run.
      manifest: of its data set.
      recipe: of the clips.
      settings: number of clips, and of the votes.
      network: that is validated; its weights are read at every validation.
      part: of the clips that this worker looks at.
      gather: puts together what all workers have of something.

    Returns:
      None where there is nothing to validate on.
    """
    split = split_to_validate(manifest, state.bank.num_videos if state.bank else None)
    if split is None:
        return None
    videos = manifest.split(split)
    labels = np.array([video.label for video in videos])
    clips = pipeline.evaluation_clips(
        data, manifest, split, recipe, num_clips=settings.num_clips, part=part
    )
    if state.bank is None:
        return SoftmaxValidation(
            embedder=ClipEmbedder(network, "logits"),
            clips=clips,
            labels=labels,
            num_classes=len(manifest.class_names),
            gather=gather,
        )
    return KnnValidation(
        embedder=ClipEmbedder(network),
        bank=state.bank,
        clips=clips,
        labels=labels,
        own_rows=None if split == VAL_SPLIT else np.arange(len(videos)),
        num_classes=len(manifest.class_names),
        settings=settings,
        gather=gather,
    )
