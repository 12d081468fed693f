"""Validation of a network in training: accuracies on videos that have labels.

Comes in: clips of a split.  Goes out: top-1 and top-5, by kNN
(`vie_tf.metrics.knn_validation`) or by the mean class probabilities of a video's clips.
"""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np

from vie_tf.config import DataConfig, KnnConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.clips import Clips
from vie_tf.keras import keras
from vie_tf.metrics import knn
from vie_tf.metrics.features import ClipEmbedder
from vie_tf.metrics.knn_validation import (
    BANK,
    FEATURES,
    KnnValidation,
    clips_of_gallery,
)
from vie_tf.metrics.split_pass import SplitPass
from vie_tf.metrics.split_probabilities import split_probabilities
from vie_tf.metrics.validation_scores import Gather, Scores, scores_of_workers
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.storage.manifest import NO_LABEL, TRAIN_SPLIT, VAL_SPLIT, Manifest


class Validation(Protocol):
    """A way to validate."""

    @property
    def name(self) -> str:
        """Group of the scores in TensorBoard."""

    @property
    def num_classes(self) -> int:
        """C."""

    @property
    def gallery(self) -> str:
        """Gallery of a kNN, `bank` or `features`; empty for others."""

    def __call__(self, title: str = "") -> Scores:
        """Looks at the videos once; `title` is that of the progress bar, if any."""


@dataclasses.dataclass(frozen=True)
class SoftmaxValidation:
    """Classification by the mean class probabilities of a video's clips.

    Attributes:
      name: group of the scores in TensorBoard.
      heads: names of the heads; a single one is "".
      logits: pass that computes their logits.
      clips: clips of the videos.
      labels: [V] classes of the videos.
      num_classes: C.
      gather: concatenates the arrays of all workers.
    """

    name: str
    heads: tuple[str, ...]
    logits: SplitPass
    clips: Clips
    labels: np.ndarray
    num_classes: int
    gather: Gather = np.asarray

    gallery = ""

    def __call__(self, title: str = "") -> Scores:
        """Classifies the videos.

        Raises:
          NothingRead: no worker could read a video that has a label.
        """
        found = split_probabilities(self.logits, self.clips, len(self.labels), title)
        nothing = np.zeros([0, self.num_classes])
        probabilities = {name: found.values.get(name, nothing) for name in self.heads}
        counted = self.labels != NO_LABEL
        return scores_of_workers(
            probabilities, found.video_index, self.labels, counted, self.gather
        )


def split_to_validate(manifest: Manifest, num_rows: int | None) -> str | None:
    """Chooses the videos that a run is validated on.

    Without validation videos, kNN takes the training videos as queries, each without
    its own row; a supervised network has learned their labels, so it is not validated.
    Neither is a run on a subset or on bins of the training videos then
    (`vie_tf.input.instances`), whose bank has not one row for each of them, or a run
    whose training videos are each alone in their class, so that no query can be right.

    Args:
      manifest: manifest of the data set.
      num_rows: instances of the run, None for a supervised network.

    Returns:
      A split, or None where there is no label to validate on.
    """
    labeled = {video.split for video in manifest.videos if video.label != NO_LABEL}
    if VAL_SPLIT in labeled:
        return VAL_SPLIT
    if TRAIN_SPLIT in labeled and not manifest.split(VAL_SPLIT):
        videos = manifest.split(TRAIN_SPLIT)
        labels = np.array([video.label for video in videos])
        has_answer = knn.can_be_right(labels, labels, leaves_one_out=True).any()
        return TRAIN_SPLIT if num_rows == len(videos) and has_answer else None
    return None


def left_out_note(manifest: Manifest, num_rows: int | None) -> str:
    """Says which training videos kNN leaves out as queries, since none can be right.

    Args:
      manifest: manifest of the data set.
      num_rows: instances of the run, None for a supervised network.

    Returns:
      A line; empty where there is nothing to say.
    """
    videos = manifest.split(TRAIN_SPLIT)
    if num_rows != len(videos) or manifest.split(VAL_SPLIT):
        return ""
    labels = np.array([video.label for video in videos])
    can_be_right = knn.can_be_right(labels, labels, leaves_one_out=True)
    num_single = int(np.sum((labels != NO_LABEL) & ~can_be_right))
    if num_single and not can_be_right.any():
        return (
            "There is no kNN validation, as no query can be right: every class has one"
            " training video, which is left out of the gallery as the query."
        )
    return (
        f"kNN validations leave out {num_single} of {len(labels)} training videos, each"
        " of which is alone in its class and cannot be right."
        if num_single
        else ""
    )


def gallery_of_run(
    manifest: Manifest, num_rows: int | None, num_trained_clips: int, num_clips: int
) -> tuple[str, int]:
    """Decides what `--knn_gallery=auto` is for a run; see `clips_of_gallery`.

    Args:
      manifest: manifest of the data set.
      num_rows: instances of the run, None for a supervised network.
      num_trained_clips: clips that are trained on between two validations.
      num_clips: clips of a query.

    Returns:
      `bank` or `features`, and the clips of a gallery video if it is `features`, at
      least 1.
    """
    split = split_to_validate(manifest, num_rows)
    if split is None or num_rows is None:
        return BANK, 1
    if split == TRAIN_SPLIT:  # the queries are the gallery, and embedded anyway
        return FEATURES, num_clips
    num_videos = len(manifest.split(TRAIN_SPLIT))
    found = clips_of_gallery(num_videos, num_trained_clips, num_clips)
    return (FEATURES if found else BANK), max(found, 1)


def make_validation(
    bank: MemoryBank | None,
    data: DataConfig,
    manifest: Manifest,
    recipe: ClipRecipe,
    settings: KnnConfig,
    *,
    network: keras.Model,
    shard: pipeline.ClipShard,
    gather: Gather,
    gallery: str = BANK,
    num_gallery_clips: int | None = None,
    num_rows: int | None = None,
) -> Validation | None:
    """Prepares the validation that fits a run.

    Args:
      bank: memory bank of the run, None for one without.
      data: data settings of the run.
      manifest: manifest of its data set.
      recipe: recipe of its clips.
      settings: number of clips, and settings of the votes.
      network: network that is validated; its weights are read at every validation.
      shard: clips that this worker looks at.
      gather: concatenates the arrays of all workers.
      gallery: `bank` or `features`, what kNN compares with.
      num_gallery_clips: clips of a gallery video; None for as many as of a query.
      num_rows: instances of a run without a bank; None for a supervised network.

    Returns:
      None where there is nothing to validate on.
    """
    num_rows = bank.num_videos if bank else num_rows
    split = split_to_validate(manifest, num_rows)
    if split is None:
        return None
    labels = _labels_of(manifest, split)

    def clips_of(split: str, num_clips: int) -> Clips:
        return pipeline.evaluation_clips(
            data, manifest, split, recipe, num_clips=num_clips, shard=shard
        )

    clips, num_classes = clips_of(split, settings.num_clips), len(manifest.class_names)
    if num_rows is None:
        logits = SplitPass(lambda c: {"": network(c, training=False)["logits"]})
        own = ("softmax", ("",), logits, clips, labels, num_classes, gather)
        return SoftmaxValidation(*own)
    gallery_clips, gallery_labels = None, None
    if gallery == FEATURES and split == VAL_SPLIT:
        gallery_labels = _labels_of(manifest, TRAIN_SPLIT)
        gallery_clips = clips_of(TRAIN_SPLIT, num_gallery_clips or settings.num_clips)
    own_index = None if split == VAL_SPLIT else np.arange(len(labels))
    return KnnValidation(
        *(ClipEmbedder(network), bank, clips, labels, own_index, num_classes),
        *(settings, gather, gallery),
        gallery_clips=gallery_clips,
        gallery_labels=gallery_labels,
        dim=int(bank.rows.shape[1]) if bank else network.num_channels["embedding"],
    )


def _labels_of(manifest: Manifest, split: str) -> np.ndarray:
    return np.array([video.label for video in manifest.split(split)])
