"""Features of a whole split: batches of clips in, one array out."""

from __future__ import annotations

from typing import Iterable, NamedTuple

import numpy as np
import tensorflow as tf

from vie_tf.metrics import split_pass


class NothingRead(ValueError):
    """Not one video of those that were to be read."""

    def __init__(self, num_videos: int) -> None:
        super().__init__(
            f"None of the {num_videos} videos could be read; python -m"
            " data_prep.describe --verify says what is wrong with them."
        )


class ClipFeatures(NamedTuple):
    """Features of the clips of a split.

    Attributes:
      values: [V, num_clips, F] float32.
      rows: positions of the videos in the manifest's split, rising, [V] int64; not all
        of them where bad records were skipped.
    """

    values: np.ndarray
    rows: np.ndarray


class ClipEmbedder:
    """Runs a network in inference mode over data sets of clips.

    Kept for the life of a run, so that its graph is made once.

    Args:
      model: from `vie_tf.models.build`.
      endpoint: of the model; [B, F] float32.
    """

    def __init__(self, model: tf.keras.Model, endpoint: str = "embedding") -> None:
        @tf.function(reduce_retracing=True)
        def features_of(clips: tf.Tensor) -> tf.Tensor:
            merged = tf.reshape(clips, tf.concat([[-1], tf.shape(clips)[2:]], axis=0))
            merged = tf.ensure_shape(merged, [None, *clips.shape[2:]])
            features = model(merged, training=False)[endpoint]  # [B * num_clips, F]
            return tf.reshape(features, [-1, tf.shape(clips)[1], features.shape[-1]])

        self._features_of = features_of

    def embed(
        self, batches: Iterable[dict], num_videos: int, title: str = ""
    ) -> ClipFeatures:
        """Runs once over a split.

        Args:
          batches: from `vie_tf.input.pipeline.evaluation_clips`.
          num_videos: V, of the split.
          title: of the pass, for its progress and its speed; none without a title.

        Returns:
          The features, in the order of the manifest's split.

        Raises:
          NothingRead: every video was skipped, or there is none.
        """
        parts, rows = [], []
        for batch in split_pass.watched(batches, num_videos, title):
            parts.append(self._features_of(batch["clips"]).numpy())
            rows.append(batch["rows"].numpy())
        if not rows:
            raise NothingRead(num_videos)
        all_rows = np.concatenate(rows)
        order = np.argsort(all_rows)
        return ClipFeatures(np.concatenate(parts)[order], all_rows[order])


def video_embeddings(clip_embeddings: np.ndarray) -> np.ndarray:
    """Averages the clips of each video and normalizes, equation 1.

    Args:
      clip_embeddings: [V, num_clips, D] float32, or another endpoint of that shape.

    Returns:
      [V, D] float32, unit norm.
    """
    return unit_norm(clip_embeddings.mean(axis=1))


def unit_norm(vectors: np.ndarray) -> np.ndarray:
    """Scales vectors [..., D] to unit norm; those of norm 0 stay."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(norms, 1e-12)
