"""kNN validation of a network in training, against the running memory bank."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from vie_tf import input_pipeline
from vie_tf.clip_sampling import ClipRecipe
from vie_tf.config import KnnConfig
from vie_tf.evaluation import knn
from vie_tf.evaluation.features import ClipEmbedder
from vie_tf.memory_bank import MemoryBank
from vie_tf.records import TRAIN_SPLIT, VAL_SPLIT, Manifest


@dataclasses.dataclass(frozen=True)
class KnnValidation:
    """The authors' validation: queries of 5 clips, the bank as gallery.

    Queries are the validation videos, or, where there are none, the training videos
    themselves, each without its own row.

    Attributes:
      batches: of the queries' clips.
      labels: [V] of the queries.
      own_rows: [V] rows of the queries in the bank, None if they are not in it.
      num_classes: C.
      settings: of the votes.
    """

    batches: tf.data.Dataset
    labels: np.ndarray
    own_rows: np.ndarray | None
    num_classes: int
    settings: KnnConfig

    @classmethod
    def make(
        cls,
        data_dir: str,
        manifest: Manifest,
        recipe: ClipRecipe,
        settings: KnnConfig,
    ) -> KnnValidation | None:
        """Prepares the validation; None where the videos have no labels."""
        if not manifest.class_names:
            return None
        split = VAL_SPLIT if manifest.split(VAL_SPLIT) else TRAIN_SPLIT
        videos = manifest.split(split)
        batches = input_pipeline.test_batches(
            data_dir, manifest, split, recipe, num_clips=settings.num_clips
        )
        return cls(
            batches=batches,
            labels=np.array([video.label for video in videos]),
            own_rows=None if split == VAL_SPLIT else np.arange(len(videos)),
            num_classes=len(manifest.class_names),
            settings=settings,
        )

    def __call__(self, embedder: ClipEmbedder, bank: MemoryBank) -> dict[str, float]:
        """Returns `top1` and `top5` as fractions."""
        queries = embedder.embed(self.batches, len(self.labels))
        probabilities = knn.classify_videos(
            tf.convert_to_tensor(bank.rows),
            bank.labels.numpy(),
            queries,
            self.num_classes,
            k=self.settings.k,
            temperature=self.settings.temperature,
            own_rows=self.own_rows,
        )
        return {
            "top1": knn.top_k_accuracy(probabilities, self.labels, 1),
            "top5": knn.top_k_accuracy(probabilities, self.labels, 5),
        }
