"""Vectors of videos by a baseline, which needs no run, in the place of a network."""

from __future__ import annotations

import dataclasses
from typing import Iterator, Sequence

import numpy as np

from vie_tf.config import READY_NETWORKS, RUN, EmbeddingConfig
from vie_tf.metrics.baselines import reading
from vie_tf.metrics.baselines.vectors import BASELINES, MOVING
from vie_tf.runs.ready import ready_network
from vie_tf.search.embedder import Embedder, VideoEmbedder, VideoFeatures
from vie_tf.search.video_source import Block
from vie_tf.storage.frame_spool import FramesRead
from vie_tf.storage.manifest import RefusedEntry, VideoEntry

ENDPOINT = "embedding"
_VERSION = 1  # another one makes new rows of what was embedded before
_VIDEOS_AT_ONCE = 16


def make_embedder(settings: EmbeddingConfig) -> Embedder:
    """Makes the embedder that the settings ask for.

    Raises:
      UserError: there is no such run, checkpoint or endpoint.
    """
    if settings.network == RUN:
        return VideoEmbedder(settings)
    if settings.network in READY_NETWORKS:
        return _ready_embedder(settings)
    return BaselineEmbedder(settings.network)


def _ready_embedder(settings: EmbeddingConfig) -> VideoEmbedder:
    folder = ready_network.unpacked(settings.network)
    embedder = VideoEmbedder(dataclasses.replace(settings, model_dir=folder))
    embedder.fingerprint = ready_network.fingerprint(settings.network)
    embedder.data_dir = None  # its videos are nowhere
    return embedder


class BaselineEmbedder:
    """Computes the vectors of a baseline, with the attributes of an `Embedder`.

    Args:
      name: name of the baseline, one of `BASELINES`.
    """

    def __init__(self, name: str) -> None:
        self.model_name, self.step = name, 0
        self.data_dir: str | None = None
        self.shapes: dict[str, tuple[int, ...]] = {ENDPOINT: (BASELINES[name].size,)}
        self.endpoints: tuple[str, ...] = (ENDPOINT,)
        self.block_sizes: list[int] = []
        self.fingerprint = f"{name}-{_VERSION}"
        self.takes_pictures = name not in MOVING
        self.frames_read: FramesRead | None = None

    def embed(self, block: Block) -> Iterator[VideoFeatures | RefusedEntry]:
        """Yields features in the order of the videos, and refused videos.

        Raises:
          UserError: the videos are images, and the baseline compares frames.
        """
        yield from block.manifest.refused
        videos = block.manifest.split(block.split)
        for start in range(0, len(videos), _VIDEOS_AT_ONCE):
            some = videos[start : start + _VIDEOS_AT_ONCE]
            vectors = reading.each_vector(
                block.data_dir, block.manifest, some, self.model_name
            )
            for video, vector in zip(some, vectors):  # [1, D]
                if isinstance(vector, OSError):
                    yield RefusedEntry(video.source, str(vector))
                else:
                    yield VideoFeatures((video,), {ENDPOINT: vector[None]})

    embed_few = embed  # there is no graph to do without

    def frames_of(self, videos: Sequence[VideoEntry]) -> np.ndarray:
        """Returns no frame indices, as the whole video is looked at, [V, 1, 0]."""
        return np.zeros([len(videos), 1, 0], int)
