"""Places of the frames of some videos in their shards; `frame_reader` reads them.

Letters: V videos of the index, F frames of one of them, T frames of a clip.
"""

from __future__ import annotations

import collections
import dataclasses
import os
import sys
from concurrent import futures
from typing import Sequence

import numpy as np
from tqdm import tqdm

from vie_tf.storage import records, shard_index
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest, VideoEntry
from vie_tf.storage.records import ShardError
from vie_tf.storage.shard_index import ShardIndex

_THREADS = 16  # an object store answers slowly, but many requests at a time
_SLOW_SECONDS = 2.0  # before progress is shown


@dataclasses.dataclass(frozen=True)
class FrameIndex:
    """Places of all frames of some videos.

    A video of a cut shard has the place that it should have: reading it fails.

    Attributes:
      videos: the videos, [V], in the order of all arrays.
      paths: paths of the shards.
      shards: shard of each video, an index into `paths`, [V] int64.
      records: offset of each video's record in its shard, [V] int64.
      first_frames: offset of each video's first frame in its shard, [V] int64.
      first_sizes: index of each video's first frame in `sizes`, [V] int64.
      sizes: bytes of every frame, [sum of F] int32.
      checksums: CRC-32C of every frame, [sum of F] uint32; 0 where it is not known.
      faults: what is wrong with a shard, by its path.
    """

    videos: tuple[VideoEntry, ...]
    paths: tuple[str, ...]
    shards: np.ndarray
    records: np.ndarray
    first_frames: np.ndarray
    first_sizes: np.ndarray
    sizes: np.ndarray
    checksums: np.ndarray
    faults: dict[str, str]

    def places(self, video: int, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns where frames of a video lie in its shard.

        Args:
          video: index into `videos`.
          frames: frame indices, [T], each in 0 .. F - 1.

        Returns:
          Offsets [T] int64 and sizes [T] int32, in bytes.
        """
        first = self.first_sizes[video]
        sizes = self.sizes[first : first + self.videos[video].frames]
        offsets = self.first_frames[video] + records.frame_offsets(sizes)
        return offsets[frames], sizes[frames]

    @classmethod
    def load_split(
        cls, data_dir: str, manifest: Manifest, split: str, allow_faults: bool = False
    ) -> FrameIndex:
        """Loads the index of a split; see `load`.

        Raises:
          UserError: there is no video in this split.
        """
        videos = manifest.split(split)
        if not videos:
            raise UserError(f"There is no {split} video in {data_dir!r}.")
        return cls.load(data_dir, manifest, videos, allow_faults)

    @classmethod
    def load(
        cls,
        data_dir: str,
        manifest: Manifest,
        videos: Sequence[VideoEntry],
        allow_faults: bool = False,
    ) -> FrameIndex:
        """Loads the indices of the shards of some videos, and makes missing ones.

        Args:
          data_dir: folder of the shards.
          manifest: manifest of `data_dir`.
          videos: videos of the manifest, [V].
          allow_faults: whether shards may be cut or missing; see `faults`.

        Raises:
          ShardError: a shard is missing, cut, or not the one of the manifest.
        """
        names, shards = np.unique(
            [video.shard for video in videos], return_inverse=True
        )
        indices, faults = _load_shards(data_dir, manifest, names.tolist())
        if faults and not allow_faults:
            (path, fault), *others = faults.items()
            more = f" ({len(others)} more shards are at fault)" if others else ""
            raise ShardError(
                f"The shard {path} {fault}{more}. Run the command that converted the"
                " videos again: it makes what is missing."
            )
        ids = np.array([video.id for video in videos], np.int64)
        columns = np.zeros([3, len(videos)], np.int64)
        num_sizes = 0
        for number, index in enumerate(indices):
            members = np.flatnonzero(shards == number)
            places = np.searchsorted(index.ids, ids[members])  # ids are sorted
            first_sizes = num_sizes + np.cumsum(index.num_frames) - index.num_frames
            found = np.stack([index.records, index.first_frames, first_sizes])
            columns[:, members] = found[:, places]
            num_sizes += len(index.sizes)
        return cls(
            videos=tuple(videos),
            paths=tuple(os.path.join(data_dir, name) for name in names),
            shards=shards.astype(np.int64),
            records=columns[0],
            first_frames=columns[1],
            first_sizes=columns[2],
            sizes=np.concatenate([index.sizes for index in indices]),
            checksums=np.concatenate([index.checksums for index in indices]),
            faults=faults,
        )


def _load_shards(
    data_dir: str, manifest: Manifest, names: Sequence[str]
) -> tuple[list[ShardIndex], dict[str, str]]:
    """Loads the index of each shard; returns faults of shards by path as well."""
    videos_of_shard: dict[str, list[VideoEntry]] = collections.defaultdict(list)
    for video in manifest.videos:
        videos_of_shard[video.shard].append(video)
    entries = {shard.name: shard for shard in manifest.shards}
    indices, faults = [], {}
    progress = tqdm(
        total=len(names),
        desc="indexing frames",
        unit="shard",
        leave=False,
        delay=_SLOW_SECONDS,
        file=sys.stderr,
    )
    with futures.ThreadPoolExecutor(_THREADS) as threads, progress:
        paths = [os.path.join(data_dir, name) for name in names]
        sizes = [entries[name].bytes for name in names]
        loaded = threads.map(shard_index.load_or_make, paths, sizes)
        for name, path, (index, fault) in zip(names, paths, loaded):
            progress.update()
            videos = videos_of_shard[name]
            if index is None or not _holds(index, videos, entries[name].videos):
                fault = fault or "does not hold the videos that the manifest says"
                index = ShardIndex.unknown(videos)
            if fault:
                faults[path] = fault
            indices.append(index)
    return indices, faults


def _holds(index: ShardIndex, videos: Sequence[VideoEntry], num_videos: int) -> bool:
    """Whether a shard has these and no more than `num_videos` videos."""
    ids = [video.id for video in videos]
    return len(index.ids) == num_videos and bool(np.isin(ids, index.ids).all())
