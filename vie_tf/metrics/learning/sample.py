"""The videos that a training is compared on, and their embeddings by a network.

Letters: N videos of the sample, D dimension.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.keras import keras
from vie_tf.metrics import components, search_features
from vie_tf.metrics.features import ClipFunction, video_embeddings
from vie_tf.metrics.search_features import SEARCH_FEATURES
from vie_tf.storage.manifest import TRAIN_SPLIT, Manifest, VideoEntry

_CLIPS_OF_HALF = 2
NUM_CLIPS = 2 * _CLIPS_OF_HALF  # of a video; the paper's evaluation has 5


@dataclasses.dataclass(frozen=True)
class Sample:
    """The videos that embeddings are compared on.

    Attributes:
      data: where the shards are; bad records are skipped.
      manifest: manifest of the data set.
      videos: videos of the sample, [N].
      recipe: frames and size of the clips.
    """

    data: DataConfig
    manifest: Manifest
    videos: tuple[VideoEntry, ...]
    recipe: ClipRecipe

    @property
    def labels(self) -> np.ndarray:
        """Classes, -1 where a video has none, [N] int."""
        return np.array([video.label for video in self.videos])

    def only(self, video_index: np.ndarray) -> Sample:
        """Returns the sample with some of its videos."""
        videos = tuple(self.videos[index] for index in video_index)
        return dataclasses.replace(self, videos=videos)


class Embedded(NamedTuple):
    """An embedding of the sample.

    Attributes:
      rows: [N', D] float32, unit norm.
      halves: of the halves of each video, [N', 2, D] float32, unit norm.
      video_index: positions of the N' videos that could be read, rising.
    """

    rows: np.ndarray
    halves: np.ndarray
    video_index: np.ndarray


class Embedder:
    """Embeds videos by what they are searched by, or by the embedding.

    Args:
      network: network of the run; one without the layers of the search is compared by
        its embedding.
      recipe: frames and size of its clips.
    """

    def __init__(self, network: keras.Model, recipe: ClipRecipe) -> None:
        clip = tf.zeros([1, *recipe.shape], tf.uint8)
        endpoints_of_clip = network(clip, training=False)
        widths = search_features.stream_widths(network, clip, endpoints_of_clip)
        self._sizes = search_features.block_sizes(endpoints_of_clip, widths)

        def features_of(clips: tf.Tensor) -> dict[str, tf.Tensor]:
            endpoints = network(clips, training=False)
            found = search_features.of_clips(endpoints, widths)
            return found or {SEARCH_FEATURES: endpoints["embedding"]}

        self._function = ClipFunction(features_of, SEARCH_FEATURES)

    def embed(self, sample: Sample) -> Embedded:
        """Embeds a sample, two clips for each half of a video."""
        clips = pipeline.evaluation_clips(
            *(sample.data, sample.manifest, TRAIN_SPLIT, sample.recipe),
            num_clips=NUM_CLIPS,
            videos=sample.videos,
        )
        found = self._function.embed(clips, len(sample.videos))
        # [N', num_clips, D] to [N' * 2, clips of a half, D].
        halves = found.values.reshape(-1, _CLIPS_OF_HALF, found.values.shape[-1])
        rows, of_halves = self._vectors(found.values, halves)
        of_halves = of_halves.reshape(-1, 2, of_halves.shape[-1])
        return Embedded(rows, of_halves, found.video_index)

    def _vectors(
        self, videos: np.ndarray, halves: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns vectors of unit norm of videos and of halves from their clips."""
        if not self._sizes:
            return video_embeddings(videos), video_embeddings(halves)
        rows = search_features.of_videos(videos)
        space = components.fit(rows, search_features.NUM_COMPONENTS, self._sizes)
        return space.project(rows), space.project(search_features.of_videos(halves))
