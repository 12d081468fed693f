"""The network of a run, to be used from Python: `vie_tf.load`.

Letters: V videos, F frames of a video, T frames and C channels of a clip, S its height
and width, D dimensions.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from typing import Any, Iterator, Mapping, Sequence, Union

import numpy as np
import tensorflow as tf

from data_prep.config import DecodingConfig
from data_prep.convert import decode_blocks
from data_prep.index.video_row import FoundVideo
from vie_tf.api.frames import check_clips, checked_frames
from vie_tf.commands import queries
from vie_tf.config import EmbeddingConfig
from vie_tf.evaluation import restored_network
from vie_tf.evaluation.restored_network import RestoredNetwork
from vie_tf.export import video_clips
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.keras import keras
from vie_tf.search.embedder import VideoEmbedder, averaged
from vie_tf.search.video_source import Block, blocks_of_data_set
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest, RefusedEntry, is_data_set

# A path, paths, the frames of one video, or videos of a tf.data.Dataset.
Videos = Union[str, os.PathLike, Sequence[str], np.ndarray, tf.Tensor, tf.data.Dataset]


def load(
    model_dir: str,
    checkpoint: str = "latest",
    *,
    num_clips: int = EmbeddingConfig.num_clips,
    static_video: bool = False,
) -> LoadedRun:
    """Loads the network of a run.

    Args:
      model_dir: folder of a train.py run.
      checkpoint: `latest`, or `best` by the run's own validation.
      num_clips: equally spaced clips of a video that are averaged.
      static_video: whether one frame is repeated to make a clip, for images.

    Raises:
      UserError: there is no such run or checkpoint.
    """
    settings = EmbeddingConfig(
        os.fspath(model_dir),
        checkpoint=checkpoint,
        num_clips=num_clips,
        static_video=static_video,
    )
    return LoadedRun(restored_network.load(settings.model_dir, checkpoint), settings)


class LoadedRun:
    """The network of a run with what comes before and after it; `vie_tf.load` makes it.

    Attributes:
      model: Keras model, which maps clips [N, T, S, S, C] uint8 to named endpoints.
      clip: recipe of the clips: frames, distance between them, size, channels.
      step: step of the checkpoint.
    """

    def __init__(self, network: RestoredNetwork, settings: EmbeddingConfig) -> None:
        self.model: keras.Model = network.model
        self.clip: ClipRecipe = dataclasses.replace(
            network.recipe, static=settings.static_video
        )
        self.step = network.step
        self._network, self._settings = network, settings
        # One for each choice of endpoints, so that its graph is traced once.
        self._embedders: dict[tuple[str, ...], VideoEmbedder] = {}
        frames = tf.TensorSpec([None, None, None, 3], tf.uint8)
        self._clips_of = tf.function(self._clips_of_frames, input_signature=[frames])
        self._endpoints_of = tf.function(
            lambda clips: self.model(clips, training=False), reduce_retracing=True
        )

    def preprocess(self, frames: np.ndarray) -> tf.Tensor:
        """Makes the clips of a video as at test time: sampled, resized and cropped.

        Args:
          frames: [F, H, W, 3] uint8, frames of a video at the frame rate of the data
            set that the run was trained on (25 per second), of any size.

        Returns:
          [num_clips, T, S, S, C] uint8, which `model` takes.

        Raises:
          UserError: the frames are no bytes, or have another shape.
        """
        return self._clips_of(checked_frames(frames, self.clip))

    def embed(self, videos: Videos) -> np.ndarray:
        """Computes the embeddings of videos, the mean of their clips at unit norm.

        Args:
          videos: path of a video file, of a folder of them (in the order of their
            names) or of a data set; a list of files; the frames of one video,
            [F, H, W, 3] uint8; or a tf.data.Dataset of such frames, or of the batches
            of `vie_tf.dataset`.

        Returns:
          [V, D] float32, a row for each video.

        Raises:
          UserError: a video cannot be read, frames are no bytes or of another shape, or
            the data set of the run is gone, which says how files are decoded.
        """
        return self.endpoints(videos, ("embedding",))["embedding"]

    def endpoints(
        self, videos: Videos, names: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """Computes layers of the network for videos, the means of their clips.

        Args:
          videos: as for `embed`.
          names: endpoints, among them `embedding`, `pooled`, `conv1` .. `conv5`; all,
            if none is given.

        Returns:
          [V, ...] float32 by name; `embedding` and `pooled` are at unit norm.

        Raises:
          UserError: as for `embed`, or there is no such endpoint.
        """
        known = self._endpoint_names()
        unknown = sorted(set(names) - set(known))
        if unknown:
            raise UserError(
                f"The network has no endpoint {unknown[0]!r}; there are"
                f" {', '.join(known)}."
            )
        names = tuple(names) or tuple(known)
        parts = list(self._features_of(videos, names))
        if not parts:
            raise UserError("There is no video.")
        return {
            name: np.concatenate([averaged(name, part[name]) for part in parts])
            for name in names
        }

    def _endpoint_names(self) -> Sequence[str]:
        clips = tf.TensorSpec([1, *self.clip.shape], tf.uint8)
        traced = self._endpoints_of.get_concrete_function(clips)
        return list(traced.structured_outputs)

    def _features_of(
        self, videos: Videos, names: tuple[str, ...]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """Yields endpoints [V, num_clips, ...] of some videos at a time."""
        if isinstance(videos, tf.data.Dataset):
            for element in videos:
                is_batch = isinstance(element, Mapping)
                yield self._of_clips(
                    element["clips"] if is_batch else self.preprocess(element)[None],
                    names,
                )
        elif isinstance(videos, (str, os.PathLike)):
            yield from self._of_path(os.fspath(videos), names)
        elif isinstance(videos, (list, tuple)) and all(
            isinstance(video, (str, os.PathLike)) for video in videos
        ):
            yield from self._of_files([os.fspath(video) for video in videos], names)
        else:
            frames = np.asarray(videos)
            yield self._of_clips(self.preprocess(frames)[None], names)

    def _of_path(
        self, path: str, names: tuple[str, ...]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        if is_data_set(path):
            blocks = blocks_of_data_set(path, Manifest.load(path))
            yield from self._of_blocks(blocks, names)
        else:
            yield from self._decoded(decode_blocks.find(path), names)

    def _of_files(
        self, paths: Sequence[str], names: tuple[str, ...]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        for path in paths:
            if not os.path.isfile(path):
                raise UserError(f"{path!r} is not a file; give video files.")
        found = [FoundVideo(os.path.abspath(path), path, None) for path in paths]
        yield from self._decoded(found, names)

    def _decoded(
        self, videos: Sequence[FoundVideo], names: tuple[str, ...]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        data = Manifest.load(self._network.config.data.data_dir)
        frames = decode_blocks.frame_settings(data.settings)
        per_block = decode_blocks.block_size(len(videos))
        with tempfile.TemporaryDirectory(prefix="vie_tf-") as folder:
            read = self._embedder(names).frames_read
            blocks = queries.decoded(
                videos, frames, folder, 1, per_block, DecodingConfig(), read
            )
            yield from self._of_blocks(blocks, names)

    def _of_blocks(
        self, blocks: Iterator[Block] | Sequence[Block], names: tuple[str, ...]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        for block in blocks:
            for features in self._embedder(names).embed(block):
                if isinstance(features, RefusedEntry):
                    raise UserError(
                        f"The video {features.source!r} cannot be read:"
                        f" {features.reason}."
                    )
                yield features.values

    def _embedder(self, names: tuple[str, ...]) -> VideoEmbedder:
        if names not in self._embedders:
            settings = dataclasses.replace(
                self._settings, endpoints=names, average="none"
            )
            self._embedders[names] = VideoEmbedder(settings, self._network)
        return self._embedders[names]

    def _of_clips(
        self, clips: tf.Tensor, names: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        """Computes endpoints of clips [V, num_clips, T, S, S, C] or [V, T, S, S, C]."""
        check_clips(tuple(clips.shape), self.clip)
        groups = clips.shape[:2] if clips.shape.rank == 6 else [clips.shape[0], 1]
        outputs: dict[str, Any] = self._endpoints_of(
            tf.reshape(clips, [-1, *self.clip.shape])
        )
        return {
            name: tf.cast(outputs[name], tf.float32)
            .numpy()
            .reshape(*groups, *outputs[name].shape[1:])
            for name in names
        }

    def _clips_of_frames(self, frames: tf.Tensor) -> tf.Tensor:
        return video_clips.clips_of_frames(
            frames, self.clip, self._settings.num_clips, self._network.config.data.crop
        )
