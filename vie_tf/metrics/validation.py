"""Validation of a network in training: accuracies on videos that have labels.

Comes in: clips of a split.  Goes out: top-1 and top-5, by kNN in the memory bank or by
the mean softmax probabilities of a video's clips.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Mapping, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig, KnnConfig
from vie_tf.input import pipeline
from vie_tf.input.clips import Clips
from vie_tf.input.sampling import ClipRecipe
from vie_tf.metrics import knn
from vie_tf.metrics.features import ClipEmbedder, NothingRead
from vie_tf.metrics.split_pass import SplitPass
from vie_tf.metrics.split_probabilities import split_probabilities
from vie_tf.objectives.memory_bank import MemoryBank
from vie_tf.storage.manifest import NO_LABEL, TRAIN_SPLIT, VAL_SPLIT, Manifest

Gather = Callable[[np.ndarray], np.ndarray]


class Scores(NamedTuple):
    """Result of a validation.

    Attributes:
      heads: `top1` and `top5` as fractions, by the name of the head; a single head has
        the name "".
      num_queries: videos that were classified.
    """

    heads: dict[str, dict[str, float]]
    num_queries: int

    @property
    def top1(self) -> float:
        """Mean top-1 accuracy of the heads, by which checkpoints and plateaus go."""
        return float(np.mean([values["top1"] for values in self.heads.values()]))


class Validation(Protocol):
    """A way to validate."""

    @property
    def name(self) -> str:
        """Group of the scores in TensorBoard."""

    @property
    def num_classes(self) -> int:
        """C."""

    def __call__(self, title: str = "") -> Scores:
        """Looks at the videos once; `title` is that of the progress bar, if any."""


@dataclasses.dataclass(frozen=True)
class KnnValidation:
    """The authors' validation: queries of 5 clips, the running bank as gallery.

    Attributes:
      embedder: embedder of the network.
      bank: memory bank of the run.
      clips: clips of the queries.
      labels: [V] classes of the queries.
      own_index: [V] positions of the queries in the bank, None if they are not in it.
      num_classes: C.
      settings: settings of the votes.
      gather: concatenates the arrays of all workers.
    """

    embedder: ClipEmbedder
    bank: MemoryBank
    clips: Clips
    labels: np.ndarray
    own_index: np.ndarray | None
    num_classes: int
    settings: KnnConfig
    gather: Gather

    name = "knn"

    def __call__(self, title: str = "") -> Scores:
        """Classifies the queries.

        Raises:
          NothingRead: no worker could read a video that has a label.
        """
        video_index = np.zeros([0], np.int64)
        votes = np.zeros([0, self.num_classes])
        try:
            features = self.embedder.embed(self.clips, len(self.labels), title)
        except NothingRead:
            pass  # another worker may have read some
        else:
            video_index = features.video_index
            own = None if self.own_index is None else self.own_index[video_index]
            votes = knn.classify_videos(
                tf.convert_to_tensor(self.bank.rows),
                self.bank.labels.numpy(),
                features.values,
                self.num_classes,
                k=self.settings.k,
                temperature=self.settings.temperature,
                own_index=own,
            )
        return _scores({"": votes}, video_index, self.labels, self.gather)


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

    def __call__(self, title: str = "") -> Scores:
        """Classifies the videos.

        Raises:
          NothingRead: no worker could read a video that has a label.
        """
        found = split_probabilities(self.logits, self.clips, len(self.labels), title)
        nothing = np.zeros([0, self.num_classes])
        probabilities = {name: found.values.get(name, nothing) for name in self.heads}
        return _scores(probabilities, found.video_index, self.labels, self.gather)


def _scores(
    heads: Mapping[str, np.ndarray],
    video_index: np.ndarray,
    labels: np.ndarray,
    gather: Gather,
) -> Scores:
    """Scores the labeled videos of all workers, of which this one may have none.

    Args:
      heads: [V', C] by head, for the videos that this worker could read.
      video_index: [V'] positions of these videos among the labels.
      labels: [V] classes of all videos, -1 where one has none.
      gather: concatenates the arrays of all workers.
    """
    has_label = labels[video_index] != NO_LABEL
    wanted = gather(labels[video_index][has_label])
    everyone = {name: gather(scores[has_label]) for name, scores in heads.items()}
    if not len(wanted):
        raise NothingRead(int(np.sum(labels != NO_LABEL)))
    accuracies = {n: knn.accuracies(scores, wanted) for n, scores in everyone.items()}
    return Scores(accuracies, len(wanted))


def split_to_validate(manifest: Manifest, bank_size: int | None) -> str | None:
    """Chooses the videos that a run is validated on.

    Without validation videos, kNN takes the training videos as queries, each without
    its own row; a supervised network has learned their labels, so it is not validated.
    Neither is a run on a subset or on bins of the training videos then
    (`vie_tf.input.instances`), whose bank has not one row for each of them.

    Args:
      manifest: manifest of the data set.
      bank_size: size of the memory bank, None for a supervised network.

    Returns:
      A split, or None where there is no label to validate on.
    """
    labeled = {video.split for video in manifest.videos if video.label != NO_LABEL}
    if VAL_SPLIT in labeled:
        return VAL_SPLIT
    if TRAIN_SPLIT in labeled and not manifest.split(VAL_SPLIT):
        return TRAIN_SPLIT if bank_size == len(manifest.split(TRAIN_SPLIT)) else None
    return None


def make_validation(
    bank: MemoryBank | None,
    data: DataConfig,
    manifest: Manifest,
    recipe: ClipRecipe,
    settings: KnnConfig,
    *,
    network: tf.keras.Model,
    shard: pipeline.ClipShard,
    gather: Gather,
) -> Validation | None:
    """Prepares the validation that fits a run.

    Args:
      bank: memory bank of the run, None for a supervised network.
      data: data settings of the run.
      manifest: manifest of its data set.
      recipe: recipe of its clips.
      settings: number of clips, and settings of the votes.
      network: network that is validated; its weights are read at every validation.
      shard: clips that this worker looks at.
      gather: concatenates the arrays of all workers.

    Returns:
      None where there is nothing to validate on.
    """
    split = split_to_validate(manifest, bank.num_videos if bank else None)
    if split is None:
        return None
    videos = manifest.split(split)
    labels = np.array([video.label for video in videos])
    clips = pipeline.evaluation_clips(
        data, manifest, split, recipe, num_clips=settings.num_clips, shard=shard
    )
    num_classes = len(manifest.class_names)
    if bank is None:
        logits = SplitPass(lambda c: {"": network(c, training=False)["logits"]})
        return SoftmaxValidation(
            "softmax", ("",), logits, clips, labels, num_classes, gather
        )
    return KnnValidation(
        embedder=ClipEmbedder(network),
        bank=bank,
        clips=clips,
        labels=labels,
        own_index=None if split == VAL_SPLIT else np.arange(len(videos)),
        num_classes=num_classes,
        settings=settings,
        gather=gather,
    )
