"""Features of videos at the endpoints of a trained network, block by block.

Letters: V videos of a batch, T frames of a clip.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Iterator, Protocol, Sequence

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig, EmbeddingConfig
from vie_tf.evaluation import restored_network
from vie_tf.evaluation.restored_network import RestoredNetwork
from vie_tf.input import pipeline, sampling
from vie_tf.input.clip_recipe import check_motion
from vie_tf.input.clips import BadRecord, Clips
from vie_tf.input.fixed_clips import SPREADS, FramesOfClips
from vie_tf.metrics import search_features
from vie_tf.metrics.features import unit_norm
from vie_tf.metrics.search_features import SEARCH_FEATURES
from vie_tf.metrics.split_pass import SplitPass
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.search.video_source import Block
from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.frame_spool import FramesRead
from vie_tf.storage.manifest import RefusedEntry, VideoEntry

# Compared by direction, so their means over clips are scaled to unit norm.
DIRECTIONS = ("embedding", "pooled")


@dataclasses.dataclass(frozen=True)
class VideoFeatures:
    """Features of some videos.

    Attributes:
      videos: videos, [V].
      values: features by endpoint, [V, num_clips, ...] float32.
    """

    videos: tuple[VideoEntry, ...]
    values: dict[str, np.ndarray]


class Embedder(Protocol):
    """Maps videos to vectors: the network of a run, or a baseline.

    Attributes:
      model_name: family of the network, or name of the baseline.
      data_dir: data set whose frame rate and size videos should have; None for any.
      step: step of the checkpoint; 0 for what has learned nothing.
      shapes: shapes of one clip's features, by endpoint.
      endpoints: what is computed.
      block_sizes: sizes of the parts of a video's search features, if it has some.
      fingerprint: hash of what the features depend on beside the videos.
      takes_pictures: whether a single picture has features.
      frames_read: maps the number of frames of a video to those that are read; None
        for all.
    """

    model_name: str
    data_dir: str | None
    step: int
    shapes: dict[str, tuple[int, ...]]
    endpoints: tuple[str, ...]
    block_sizes: list[int]
    fingerprint: str
    takes_pictures: bool
    frames_read: FramesRead | None

    def embed_few(self, block: Block) -> Iterator[VideoFeatures | RefusedEntry]:
        """Yields the same for a few videos, with less time to begin."""

    def embed(self, block: Block) -> Iterator[VideoFeatures | RefusedEntry]:
        """Yields features in the order of the videos, and refused videos."""

    def frames_of(self, videos: Sequence[VideoEntry]) -> np.ndarray:
        """Returns the frame indices of every clip, [V, num_clips, T] int."""


class VideoEmbedder:
    """Computes features of videos with the network of a run.

    Args:
      settings: run, checkpoint, endpoints and clips.
      network: network of that checkpoint; None restores it.

    Attributes:
      model_name: family of the network.
      data_dir: data set that the run was trained on.
      step: step of the checkpoint.
      shapes: shapes of one clip's features, by endpoint of the network, and of what
        videos are searched by (`search_features`).
      endpoints: what is computed: the endpoints of the settings, and what videos are
        searched by where the rows are videos.
      block_sizes: sizes of the parts of the search features of a video.
      fingerprint: hash of the checkpoint.
      takes_pictures: whether a single picture has features.
      frames_read: the frames of its clips; None for a sampling rule that the user's
        program has added.

    Raises:
      UserError: there is no such run or checkpoint, or the network has no such
        endpoint.
    """

    def __init__(
        self, settings: EmbeddingConfig, network: RestoredNetwork | None = None
    ) -> None:
        directory = RunDirectory(settings.model_dir)
        config, _ = directory.load_config()
        # Its index holds the checksums of all tensors.
        index = files.read_bytes(f"{directory.chosen(settings.checkpoint)}.index")
        self.fingerprint = hashlib.sha256(index).hexdigest()[:16]
        if network is None:
            network = restored_network.load(settings.model_dir, settings.checkpoint)
        model = network.model
        self.model_name, self.step = config.model.name, network.step
        self.data_dir: str | None = config.data.data_dir
        self._crop = config.data.crop
        self._settings = settings
        self._recipe = dataclasses.replace(network.recipe, static=settings.static_video)
        recipe = self._recipe
        is_still = recipe.num_frames == 1 or recipe.static
        self.takes_pictures = is_still and not recipe.has_differences
        # A rule of the user's program is not known in other processes.
        spread = sampling.SAMPLING_RULES[recipe.sampling].spread
        is_known = spread is SPREADS.get(recipe.sampling)
        self.frames_read: FramesRead | None = (
            FramesOfClips(recipe, settings.num_clips) if is_known else None
        )
        clip = tf.zeros([1, *recipe.shape], tf.uint8)
        known = model(clip, training=False)
        widths = search_features.stream_widths(model, clip, known)
        known = {**known, **search_features.of_clips(known, widths)}

        def all_endpoints(clips: tf.Tensor) -> dict[str, tf.Tensor]:
            endpoints = model(clips, training=False)
            return {**endpoints, **search_features.of_clips(endpoints, widths)}

        self.shapes = {name: tuple(value.shape[1:]) for name, value in known.items()}
        self.block_sizes = search_features.block_sizes(known, widths)
        self.endpoints = settings.endpoints
        if settings.average == "clips" and SEARCH_FEATURES in self.shapes:
            self.endpoints = (*dict.fromkeys((*settings.endpoints, SEARCH_FEATURES)),)
        for name in settings.endpoints:
            if name not in self.shapes:
                raise UserError(
                    f"--endpoints={name}: --model={self.model_name} has"
                    f" {', '.join(self.shapes)}."
                )

        def features_of(clips: tf.Tensor) -> dict[str, tf.Tensor]:
            endpoints = all_endpoints(clips)
            return {name: endpoints[name] for name in self.endpoints}

        self._features_of, self._pass = features_of, SplitPass(features_of)

    def embed(self, block: Block) -> Iterator[VideoFeatures | RefusedEntry]:
        """Yields features in the order of the videos, and refused videos.

        Raises:
          UserError: the videos are images, and the network takes several frames.
        """
        videos = block.manifest.split(block.split)
        yield from block.manifest.refused
        if not videos:
            return
        clips = self._clips(block, videos)
        unread = set(range(len(videos)))
        for video_index, outputs in self._pass.run(clips, len(videos)):
            unread.difference_update(video_index.tolist())
            yield VideoFeatures(tuple(videos[index] for index in video_index), outputs)
        for index in sorted(unread):
            reason = clips.explain(range(index, index + 1))
            yield RefusedEntry(videos[index].source, reason or "it has no clip")

    def embed_few(self, block: Block) -> Iterator[VideoFeatures | RefusedEntry]:
        """Yields what `embed` does, up to rounding, without building graphs.

        A graph takes seconds to build, and an operation without one some microseconds.

        Raises:
          UserError: as `embed`.
        """
        videos = block.manifest.split(block.split)
        yield from block.manifest.refused
        clips = self._clips(block, videos) if videos else None
        for position, video in enumerate(videos):
            assert clips is not None
            try:
                made = clips.at(position)["clips"]
            except BadRecord as error:
                yield RefusedEntry(video.source, str(error))
                continue
            features = self._features_of(made)
            values = {name: v.numpy()[None] for name, v in features.items()}
            yield VideoFeatures((video,), values)

    def _clips(self, block: Block, videos: Sequence[VideoEntry]) -> Clips:
        data = DataConfig(
            block.data_dir,
            crop=self._crop,
            static_video=self._settings.static_video,
            on_bad_record="skip",
        )
        check_motion(videos, self._recipe, self.model_name)
        return pipeline.evaluation_clips(
            data,
            block.manifest,
            block.split,
            self._recipe,
            num_clips=self._settings.num_clips,
        )

    def frames_of(self, videos: Sequence[VideoEntry]) -> np.ndarray:
        """Returns the frame indices of every clip, [V, num_clips, T] int."""
        return np.stack(
            [
                sampling.evaluation_clips(
                    self._recipe, video.frames, self._settings.num_clips
                )
                for video in videos
            ]
        )


def row_shape(embedder: Embedder, name: str) -> tuple[int, ...]:
    """Returns the shape of a row where rows are videos, without the number of rows."""
    shape = embedder.shapes[name]
    return (2 * shape[0],) if name == SEARCH_FEATURES else shape


def averaged(name: str, values: np.ndarray) -> np.ndarray:
    """Averages the clips of each video.

    Args:
      name: name of the endpoint; `embedding` and `pooled` are scaled to unit norm, and
        the search features of a video have their deviations, too.
      values: [V, num_clips, ...] float32.

    Returns:
      [V, ...] float32; search features [V, 2 * D].
    """
    if name == SEARCH_FEATURES:
        return search_features.of_videos(values)
    means = values.mean(axis=1)
    return unit_norm(means) if name in DIRECTIONS else means
