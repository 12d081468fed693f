"""The videos of a split, and the JPEG frames of their clips.

Letters: V videos of the split, T frames of a clip.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig
from vie_tf.storage import frame_reader, remote_files
from vie_tf.storage.frame_index import FrameIndex
from vie_tf.storage.manifest import Manifest, VideoEntry
from vie_tf.storage.shard_cache import ShardCache

_PARALLEL_REMOTE_READS = 32  # a store answers slowly, but many requests at a time
_TYPES = {"id": tf.int64, "label": tf.int64}  # the others are int32

Element = dict[str, tf.Tensor]


class ClipSource:
    """Videos of a split: their metadata as tensors, and their frames.

    Args:
      data: where the shards are, and how they are read.
      manifest: manifest of `data.data_dir`.
      split: split of the videos.
      portable: whether frames are read without Python, for a tf.data service.
      videos: some videos of the split; None for all.

    Attributes:
      videos: videos that clips are taken from, [V].
      metadata: `id`, `label` int64; `frames`, `height`, `width` int32; [V] each.
      portable: whether frames are read without Python.
      skips_bad_records: whether bad records are left out.
      parallel_reads: number of clips that are read at once.
      is_remote: whether a store is read, which answers slowly.

    Raises:
      UserError: there is no video in the split, or a shard is missing or cut.
    """

    def __init__(
        self,
        data: DataConfig,
        manifest: Manifest,
        split: str,
        portable: bool = False,
        videos: Sequence[VideoEntry] | None = None,
    ) -> None:
        self.portable = portable
        self.skips_bad_records = data.on_bad_record == "skip"
        if videos is None:
            self._index = FrameIndex.load_split(
                data.data_dir, manifest, split, self.skips_bad_records
            )
        else:
            self._index = FrameIndex.load(
                data.data_dir, manifest, videos, self.skips_bad_records
            )
        for path, fault in self._index.faults.items():
            print(f"The shard {path} {fault}; what cannot be read of it is skipped.")
        self.videos = self._index.videos
        self.metadata = {
            name: tf.constant(
                [getattr(video, name) for video in self.videos],
                _TYPES.get(name, tf.int32),
            )
            for name in ("id", "label", "frames", "height", "width")
        }
        self.parallel_reads = tf.data.AUTOTUNE
        self.is_remote = remote_files.is_remote(data.data_dir)
        if self.is_remote:
            self.parallel_reads = _PARALLEL_REMOTE_READS
        self._deterministic = data.deterministic
        self._reader = frame_reader.FrameReader(self._index)
        if data.cache_dir:
            cache = ShardCache(data.cache_dir, data.data_dir, manifest, split)
            self._reader = frame_reader.FrameReader(self._index, cache.path, cache.drop)

    def size(self, sample: Element) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns height and width of a sample's frames, scalar int32."""
        video = sample["video"]
        return self.metadata["height"][video], self.metadata["width"][video]

    def read(self, sample: Element) -> Element:
        """Reads the frames of a sample.

        Args:
          sample: `video`, an index into `videos`, and `indices` [T] of its frames.

        Returns:
          The sample with `frames`, JPEG strings [T], and `problem`, a scalar string
          that is empty where they could be read.
        """
        video, indices = sample["video"], sample["indices"]
        if self.portable:
            frames, problem = frame_reader.read_record(self._index, video, indices)
        else:
            frames, problem = self._reader(video, indices)
        return {**sample, "frames": frames, "problem": problem}

    def read_jpegs(self, video: int, indices: np.ndarray) -> list[bytes]:
        """Reads frames of a video as `FrameReader.read` does, outside of a graph."""
        return self._reader.read(video, indices)

    def paths(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the paths of the shards, and the shard of each video, [V] int64."""
        return tf.constant(self._index.paths), tf.constant(self._index.shards)

    def describe(self, video: int) -> str:
        """Names a video and its shard, for messages."""
        entry = self.videos[video]
        path = self._index.paths[self._index.shards[video]]
        return f"Video {entry.id} ({entry.source}) in {path}"

    def options(self) -> tf.data.Options:
        """Returns the options of a whole dataset."""
        options = tf.data.Options()
        # Each replica takes its part of the global batch; files are not divided.
        options.experimental_distribute.auto_shard_policy = (
            tf.data.experimental.AutoShardPolicy.OFF
        )
        options.deterministic = self._deterministic
        if self.is_remote:
            options.threading.private_threadpool_size = _PARALLEL_REMOTE_READS
        return options
