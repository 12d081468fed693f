"""Features of a whole split: batches of clips in, one array out."""

from __future__ import annotations

from typing import Callable, Iterable, NamedTuple

import numpy as np
import tensorflow as tf

from vie_tf.keras import keras
from vie_tf.metrics.split_pass import SplitPass
from vie_tf.storage.errors import UserError
from vie_tf.terminal.wording import counted


class NothingRead(UserError):
    """None of the videos of a split could be read."""

    def __init__(self, num_videos: int) -> None:
        super().__init__(
            f"No video could be read ({counted(num_videos, 'video')} tried); python -m"
            " data_prep.describe --verify says what is wrong with them."
        )


class ClipFeatures(NamedTuple):
    """Features of the clips of a split.

    Attributes:
      values: [V, num_clips, D] float32.
      video_index: positions of the videos in `manifest.split`, rising, [V] int64;
        videos that could not be read are missing.
    """

    values: np.ndarray
    video_index: np.ndarray


class ClipFunction:
    """Computes features of clips by a function.

    Args:
      outputs_of: takes clips [B, T, H, W, C] uint8; returns features [B, D] by name.
      name: name of the features that are taken.
    """

    def __init__(
        self, outputs_of: Callable[[tf.Tensor], dict[str, tf.Tensor]], name: str
    ) -> None:
        self._name, self._pass = name, SplitPass(outputs_of)

    def embed(
        self, batches: Iterable[dict], num_videos: int, title: str = ""
    ) -> ClipFeatures:
        """Computes the features of all clips of a split, in the order of its videos.

        Args:
          batches: from `vie_tf.input.pipeline.evaluation_clips`.
          num_videos: number of videos in the split.
          title: title of the progress bar; none is shown without a title.

        Raises:
          NothingRead: every video was skipped, or there is none.
        """
        parts = list(self._pass.run(batches, num_videos, title))
        if not parts:
            raise NothingRead(num_videos)
        video_index = np.concatenate([part.video_index for part in parts])
        values = np.concatenate([part.outputs[self._name] for part in parts])
        order = np.argsort(video_index)
        return ClipFeatures(values[order], video_index[order])


class ClipEmbedder(ClipFunction):
    """Computes features of clips with a network in inference mode.

    Args:
      model: from `vie_tf.models.build`.
      endpoint: name of an endpoint of the model, [B, D] float32.
    """

    def __init__(self, model: keras.Model, endpoint: str = "embedding") -> None:
        def features_of(clips: tf.Tensor) -> dict[str, tf.Tensor]:
            return {endpoint: model(clips, training=False)[endpoint]}

        super().__init__(features_of, endpoint)


def video_embeddings(clip_features: np.ndarray) -> np.ndarray:
    """Averages the clips of each video and scales to unit norm (equation 1).

    Args:
      clip_features: [V, num_clips, D] float32.

    Returns:
      [V, D] float32.
    """
    return unit_norm(clip_features.mean(axis=1))


def unit_norm(vectors: np.ndarray) -> np.ndarray:
    """Scales vectors [..., D] to unit norm; zero vectors stay as they are."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(norms, 1e-12)
