"""The index of one shard: the places of its frames, in `<split>-<number>.index`.

With it, a clip is read without the other megabytes of its record.  `data_prep.convert`
writes an index beside every shard; a missing one is made here.

Letters: V videos of the shard, F frames of one of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import tempfile
from typing import Iterator, Sequence

import google_crc32c
import numpy as np

from vie_tf.storage import files, remote_files, small_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import VideoEntry
from vie_tf.storage.records import (
    RecordPlace,
    ShardError,
    frame_offsets,
    locate_records,
)

_SUFFIX = ".index"
# Types of the arrays; those of a damaged index may differ.
_KINDS = {
    **{name: np.int64 for name in ("ids", "records", "first_frames", "num_frames")},
    "sizes": np.int32,
    "checksums": np.uint32,
}


@dataclasses.dataclass(frozen=True)
class ShardIndex:
    """Places of the records and frames in one shard.

    Attributes:
      ids: ids of the videos in the order of their records, [V] int64.
      records: offset of each record in the file, [V] int64.
      first_frames: offset of each video's first frame, [V] int64.
      num_frames: number of frames of each video, [V] int64.
      sizes: bytes of every frame, video after video, [sum of F] int32.
      shard_bytes: size of the shard that was indexed.
      checksums: CRC-32C of every frame, [sum of F] uint32; 0 where it is not known, as
        in an index of an earlier version.
    """

    ids: np.ndarray
    records: np.ndarray
    first_frames: np.ndarray
    num_frames: np.ndarray
    sizes: np.ndarray
    shard_bytes: int
    checksums: np.ndarray

    @classmethod
    def from_shard(cls, path: str, with_checksums: bool = False) -> ShardIndex:
        """Makes the index of a local shard.

        Args:
          path: path of the shard.
          with_checksums: whether the frames are read for their checksums, which is for
            a shard that was just written or checked.

        Raises:
          ShardError: the shard ends within a record, or is no shard of this program.
        """
        places = list(locate_records(path))
        sizes = [size for place in places for size in place.frame_sizes]
        checksums = np.zeros(len(sizes), np.uint32)
        if with_checksums:
            checksums[:] = list(_checksums_of_frames(path, places))
        return cls(
            ids=np.array([place.id for place in places], np.int64),
            records=np.array([place.offset for place in places], np.int64),
            first_frames=np.array([place.first_frame for place in places], np.int64),
            num_frames=np.array([len(place.frame_sizes) for place in places], np.int64),
            sizes=np.array(sizes, np.int32),
            checksums=checksums,
            shard_bytes=os.path.getsize(path),
        )

    @classmethod
    def unknown(cls, videos: Sequence[VideoEntry]) -> ShardIndex:
        """Makes the index of a shard that cannot be read: its frames have no bytes."""
        num_frames = np.array([video.frames for video in videos], np.int64)
        return cls(
            ids=np.array([video.id for video in videos], np.int64),
            records=np.zeros(len(videos), np.int64),
            first_frames=np.zeros(len(videos), np.int64),
            num_frames=num_frames,
            sizes=np.zeros(num_frames.sum(), np.int32),
            checksums=np.zeros(num_frames.sum(), np.uint32),
            shard_bytes=0,
        )

    def save(self, path: str) -> None:
        """Writes the index to a local or remote file."""
        content = io.BytesIO()
        np.savez(content, **dataclasses.asdict(self))
        files.write_atomically(path, content.getvalue())

    @classmethod
    def load(cls, path: str) -> ShardIndex | None:
        """Reads an index; returns None if it is missing or damaged."""
        try:
            arrays = small_files.read_arrays(path, "")
            # Earlier versions stored no checksums.
            arrays.setdefault("checksums", np.zeros(arrays["sizes"].shape, np.uint32))
            values = {name: arrays[name].astype(kind) for name, kind in _KINDS.items()}
            index = cls(**values, shard_bytes=int(arrays["shard_bytes"]))
        except (UserError, LookupError, TypeError, ValueError, OverflowError):
            return None
        return index if index._is_possible() else None

    def _is_possible(self) -> bool:
        """Whether the arrays fit together and lie in the shard."""
        starts = (self.records, self.first_frames)
        if any(array.ndim != 1 for array in (*starts, self.ids, self.sizes)):
            return False
        of_videos = {len(array) for array in (*starts, self.ids, self.num_frames)}
        if len(of_videos) != 1 or np.any(np.diff(self.ids) <= 0):
            return False
        if self.checksums.shape != self.sizes.shape or np.any(self.num_frames < 0):
            return False
        return bool(
            len(self.sizes) == self.num_frames.sum()
            and np.all(self.sizes >= 0)
            and all(np.all((0 <= at) & (at <= self.shard_bytes)) for at in starts)
            and self.sizes.sum(dtype=np.int64) <= self.shard_bytes
        )


def _checksums_of_frames(path: str, places: Sequence[RecordPlace]) -> Iterator[int]:
    """Yields the CRC-32C of every frame of a local shard, record after record."""
    with open(path, "rb", buffering=0) as file:
        for place in places:
            sizes = np.array(place.frame_sizes, np.int64)
            if not len(sizes):
                continue
            offsets = place.first_frame + frame_offsets(sizes)
            for offset, size in zip(offsets.tolist(), place.frame_sizes):
                yield checksum_of(os.pread(file.fileno(), size, offset))


def checksum_of(frame: bytes) -> int:
    """Returns the CRC-32C of a frame, never 0, which stands for an unknown one."""
    return google_crc32c.value(frame) or 1


def index_path(shard_path: str) -> str:
    """Returns the path of the index of a shard."""
    return os.path.splitext(shard_path)[0] + _SUFFIX


def load_or_make(path: str, expected_bytes: int) -> tuple[ShardIndex | None, str]:
    """Loads the index of a shard, or makes and keeps it.

    Args:
      path: path of the shard, local or remote.
      expected_bytes: size of the shard according to the manifest.

    Returns:
      The index, None if there is none; and the fault of the shard, empty if it has
      none.
    """
    try:
        num_bytes = files.size_of(path)
    except FileNotFoundError:
        return ShardIndex.load(index_path(path)), "is missing"
    fault = ""
    if num_bytes != expected_bytes:
        fault = (
            f"is cut or was changed: {num_bytes:,} bytes instead of {expected_bytes:,}"
        )
    index = ShardIndex.load(index_path(path))
    if index is not None and index.shard_bytes == expected_bytes:
        return index, fault
    if fault:
        return None, fault
    try:
        with _local_copy(path) as local_path:
            index = ShardIndex.from_shard(local_path)
    except ShardError:
        return None, "cannot be read: it is damaged"
    if files.exists(index_path(path)):
        print(f"{index_path(path)} was damaged and is made again.", flush=True)
    # In a folder that cannot be written to, the next run makes the index again.
    with contextlib.suppress(OSError):
        index.save(index_path(path))
    return index, ""


@contextlib.contextmanager
def _local_copy(path: str) -> Iterator[str]:
    """Gives the path of a local file itself, or of a temporary copy of a remote one."""
    if not remote_files.is_remote(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        local_path = os.path.join(folder, "shard")
        files.copy(path, local_path)
        yield local_path
