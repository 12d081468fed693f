"""What a trained network answers to clips, at any of its endpoints, block by block.

Comes in: the checkpoint of a run, and blocks, which are small data sets or parts of a
large one.  Goes out: the responses of every batch, in the order of the videos.  The
step after is `embedding_files`.

Letters: V videos of a batch, T frames of a clip.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Iterator, Sequence

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig, RunConfig
from vie_tf.input import pipeline, sampling
from vie_tf.input.sampling import ClipRecipe
from vie_tf.metrics.features import unit_norm
from vie_tf.models.from_config import build_model, clip_recipe
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import SPLITS, Manifest, RefusedEntry, VideoEntry

# Compared by their direction, so their mean over clips is scaled to unit norm.
_DIRECTIONS = ("embedding", "pooled")


@dataclasses.dataclass(frozen=True)
class Block:
    """Videos of one split, in whole shards.

    Attributes:
      data_dir: folder of the shards.
      manifest: of these videos, and of those that were refused when they were decoded.
      split: that the videos are in.
      shown_split: what is told of it; empty where the videos are in none.
    """

    data_dir: str
    manifest: Manifest
    split: str
    shown_split: str = ""


@dataclasses.dataclass(frozen=True)
class VideoFeatures:
    """What the network answered to some videos.

    Attributes:
      videos: that could be read, [V].
      values: of every endpoint, [V, num_clips, ...] float32.
    """

    videos: tuple[VideoEntry, ...]
    values: dict[str, np.ndarray]


class Network:
    """The network of a run's checkpoint, which answers at some endpoints.

    Args:
      model_dir: folder of the run.
      checkpoint: `latest` or `best`.
      endpoints: names.
      num_clips: equally spaced ones of a video.
      static_video: whether a clip shows one frame again and again.

    Attributes:
      config: of the run.
      step: of the checkpoint.
      shapes: of one clip's response at every endpoint the network has.
      fingerprint: of the checkpoint: another one has another.

    Raises:
      UserError: no such run or checkpoint, or the network has no such endpoint.
    """

    def __init__(
        self,
        model_dir: str,
        checkpoint: str,
        endpoints: Sequence[str],
        num_clips: int,
        static_video: bool = False,
    ) -> None:
        directory = RunDirectory(model_dir)
        self.config: RunConfig = directory.load_config()[0]
        self.fingerprint = _fingerprint(directory.chosen(checkpoint))
        model = build_model(self.config.model, self.config.train.seed)
        self.step = directory.restore_model(model, checkpoint)
        self._recipe = dataclasses.replace(
            clip_recipe(self.config.model), static=static_video
        )
        self._num_clips, self._static_video = num_clips, static_video
        self._check_endpoints(model, endpoints)

        @tf.function(reduce_retracing=True)
        def respond(clips: tf.Tensor) -> dict[str, tf.Tensor]:
            # [V, num_clips, T, H, W, 3] to [V * num_clips, T, H, W, 3]
            merged = tf.reshape(clips, tf.concat([[-1], tf.shape(clips)[2:]], axis=0))
            merged = tf.ensure_shape(merged, [None, *clips.shape[2:]])
            found = model(merged, training=False)
            return {
                name: tf.cast(
                    tf.reshape(
                        found[name],
                        tf.concat([[-1, num_clips], tf.shape(found[name])[1:]], axis=0),
                    ),
                    tf.float32,
                )
                for name in endpoints
            }

        self._respond = respond

    def answers(self, block: Block) -> Iterator[VideoFeatures | RefusedEntry]:
        """Yields answers in the order of the videos, and what has none with the reason.

        Args:
          block: of videos.

        Raises:
          UserError: images for a network of several frames.
        """
        videos = block.manifest.split(block.split)
        yield from block.manifest.refused
        if not videos:
            return
        sampling.check_motion(videos, self._recipe, self.config.model.name)
        clips = self._clips(block)
        read: set[int] = set()
        for batch in clips:
            rows = batch["rows"].numpy()
            read.update(int(row) for row in rows)
            chosen = tuple(videos[row] for row in rows)
            values = self._respond(batch["clips"])
            yield VideoFeatures(
                chosen,
                {name: value.numpy() for name, value in values.items()},
            )
        for row in sorted(set(range(len(videos))) - read):
            reason = clips.explain(range(row, row + 1))
            yield RefusedEntry(videos[row].source, reason or "it has no clip")

    def frames_of(self, videos: Sequence[VideoEntry]) -> np.ndarray:
        """Indices of the frames of every clip, [V, num_clips, T] int."""
        recipe: ClipRecipe = self._recipe
        return np.stack(
            [
                sampling.evaluation_clips(
                    recipe, tf.constant(video.frames), self._num_clips
                ).numpy()
                for video in videos
            ]
        )

    def _clips(self, block: Block) -> pipeline.Clips:
        data = DataConfig(
            block.data_dir, static_video=self._static_video, on_bad_record="skip"
        )
        return pipeline.evaluation_clips(
            data, block.manifest, block.split, self._recipe, num_clips=self._num_clips
        )

    def _check_endpoints(self, model: tf.keras.Model, endpoints: Sequence[str]) -> None:
        size = self._recipe.crop_size
        clip = tf.zeros([1, self._recipe.num_frames, size, size, 3], tf.uint8)
        self.shapes = {
            name: tuple(value.shape[1:]) for name, value in model(clip).items()
        }
        for name in endpoints:
            if name not in self.shapes:
                raise UserError(
                    f"--endpoints={name}: --model={self.config.model.name} has"
                    f" {', '.join(self.shapes)}."
                )


def averaged(name: str, values: np.ndarray) -> np.ndarray:
    """The mean over the clips of each video.

    Args:
      name: of the endpoint; `embedding` and `pooled` are scaled to unit norm then.
      values: [V, num_clips, ...] float32.

    Returns:
      [V, ...] float32.
    """
    means = values.mean(axis=1)
    return unit_norm(means) if name in _DIRECTIONS else means


def blocks_of_data_set(
    data_dir: str, manifest: Manifest, videos_per_block: int = 512
) -> list[Block]:
    """Divides a data set into blocks of whole shards, split by split.

    Args:
      data_dir: folder of the data set.
      manifest: of it.
      videos_per_block: a block ends with the shard that gives it so many.

    Raises:
      UserError: there is no video.
    """
    if not manifest.videos:
        raise UserError(
            f"The data set {data_dir!r} has no videos; {len(manifest.refused)} were"
            " refused when it was converted."
        )
    blocks: list[Block] = []
    for split in SPLITS:
        by_shard: dict[str, list[VideoEntry]] = {}
        for video in manifest.split(split):
            by_shard.setdefault(video.shard, []).append(video)
        chosen: list[VideoEntry] = []
        last = list(by_shard)[-1:]
        for shard in by_shard:
            chosen += by_shard[shard]
            if len(chosen) >= videos_per_block or [shard] == last:
                part = dataclasses.replace(manifest, videos=tuple(chosen), refused=())
                blocks.append(Block(data_dir, part, split, split))
                chosen = []
    return blocks


def _fingerprint(checkpoint: str) -> str:
    """A hash of the checkpoint's index, which holds the checksums of all tensors."""
    index = files.read_bytes(f"{checkpoint}.index")
    return hashlib.sha256(index).hexdigest()[:16]
