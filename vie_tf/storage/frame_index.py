"""Where each frame lies in the shards, so that a clip is read and nothing else.

A record holds a whole video, megabytes of which a clip needs some kilobytes.  Beside a
shard lies its index, `<split>-<number>.index`, which `data_prep.convert` writes; a
missing one is made from the shard here, by going from length to length.

In a record the frames follow each other, each behind its tag (one byte) and its length
(a varint), so the index has the first one's place and the sizes of all.

Letters: V videos of the index, F frames of one of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import struct
import sys
import tempfile
from concurrent import futures
from typing import BinaryIO, Iterator, Sequence

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from vie_tf.storage import records, remote_files

_SUFFIX = ".index"
_HEADER_BYTES, _FOOTER_BYTES = 12, 4  # around a TFRecord: length, checksums
_TAG_BYTES = 1
_THREADS = 16  # a store answers slowly, but many at a time
_SLOW_SECONDS = 2.0  # before progress is shown

# Numbers of the fields in tensorflow/core/example/{example,feature}.proto.
_KEY_OF_ENTRY, _VALUE_OF_ENTRY = 1, 2
_LENGTH_DELIMITED = 2  # wire type of everything on the way to the frames


class ShardFault(ValueError):
    """A shard that is not what the manifest says, in words."""


@dataclasses.dataclass(frozen=True)
class ShardIndex:
    """Places in one shard.

    Attributes:
      ids: of the videos, in the order of their records, [V] int64.
      records: offset of each record in the file, [V] int64.
      first_frames: offset of each video's first frame, [V] int64.
      num_frames: of each video, [V] int64.
      sizes: bytes of every frame, video after video, [sum of F] int32.
      shard_bytes: size of the shard that was indexed.
    """

    ids: np.ndarray
    records: np.ndarray
    first_frames: np.ndarray
    num_frames: np.ndarray
    sizes: np.ndarray
    shard_bytes: int

    @classmethod
    def of_shard(cls, path: str) -> ShardIndex:
        """Makes the index of a local shard.

        Raises:
          ShardFault: it ends within a record, or is no shard of this program.
        """
        places = []
        with open(path, "rb", buffering=0) as file:
            shard_bytes = os.fstat(file.fileno()).st_size
            try:
                places = list(_places(file, shard_bytes))
            except (struct.error, IndexError, _NotARecord) as error:
                raise ShardFault(
                    f"{path} is cut, or no shard of records: record {len(places)}"
                    f" cannot be read ({error})"
                ) from error
        return cls(
            ids=np.array([place[0] for place in places], np.int64),
            records=np.array([place[1] for place in places], np.int64),
            first_frames=np.array([place[2] for place in places], np.int64),
            num_frames=np.array([len(place[3]) for place in places], np.int64),
            sizes=np.array([size for place in places for size in place[3]], np.int32),
            shard_bytes=shard_bytes,
        )

    def save(self, path: str) -> None:
        """Writes the index to a file of any name, local or remote."""
        content = io.BytesIO()
        np.savez(content, **dataclasses.asdict(self))
        records.write_atomically(path, content.getvalue())

    @classmethod
    def load(cls, path: str) -> ShardIndex | None:
        """Reads an index; None where there is none that can be read."""
        names = [field.name for field in dataclasses.fields(cls)]
        try:
            with tf.io.gfile.GFile(path, "rb") as file:
                content = io.BytesIO(file.read())
            with np.load(content, allow_pickle=False) as arrays:
                values = {name: arrays[name] for name in names}
        except (tf.errors.OpError, OSError, ValueError, KeyError, EOFError):
            return None
        return cls(**{**values, "shard_bytes": int(values["shard_bytes"])})


@dataclasses.dataclass(frozen=True)
class FrameIndex:
    """Places of all frames of some videos, over all their shards.

    A video whose shard is cut has the place that it should have: reading it fails.

    Attributes:
      videos: [V], in the order of all arrays.
      paths: of the shards.
      shards: shard of each video, position in `paths`, [V] int64.
      records: offset of each video's record in its shard, [V] int64.
      first_frames: offset of each video's first frame in its shard, [V] int64.
      first_sizes: position of each video's first frame in `sizes`, [V] int64.
      sizes: bytes of every frame, [sum of F] int32.
      faults: what is wrong with a shard, by its path.
    """

    videos: tuple[records.VideoEntry, ...]
    paths: tuple[str, ...]
    shards: np.ndarray
    records: np.ndarray
    first_frames: np.ndarray
    first_sizes: np.ndarray
    sizes: np.ndarray
    faults: dict[str, str]

    def places(self, video: int, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where frames of a video lie in its shard.

        Args:
          video: position in `videos`.
          frames: [T], each in 0 .. F - 1.

        Returns:
          Offsets [T] int64 and sizes [T] int32, in bytes.
        """
        first = self.first_sizes[video]
        sizes = self.sizes[first : first + self.videos[video].frames]
        steps = sizes[:-1] + _TAG_BYTES + _varint_bytes(sizes[1:])
        offsets = np.concatenate([[0], np.cumsum(steps, dtype=np.int64)])
        return self.first_frames[video] + offsets[frames], sizes[frames]


def load(
    data_dir: str, manifest: records.Manifest, split: str, allow_faults: bool = False
) -> FrameIndex:
    """Loads the indices of all shards of a split, and makes those that are missing.

    Args:
      data_dir: folder of the shards.
      manifest: of `data_dir`.
      split: of the videos.
      allow_faults: whether shards may be cut or missing; see `FrameIndex.faults`.

    Raises:
      ValueError: there is no video in this split.
      ShardFault: a shard is missing, cut, or not the one of the manifest.
    """
    videos = manifest.split(split)
    if not videos:
        raise ValueError(f"There is no {split} video in {data_dir!r}.")
    names = sorted({video.shard for video in videos})
    sizes = {shard.name: shard.bytes for shard in manifest.shards}
    positions: dict[str, list[int]] = {name: [] for name in names}
    for position, video in enumerate(videos):
        positions[video.shard].append(position)

    arrays = {
        name: np.zeros(len(videos), np.int64)
        for name in ("shards", "records", "first_frames", "first_sizes")
    }
    all_sizes, num_sizes, faults = [], 0, {}
    with futures.ThreadPoolExecutor(_THREADS) as threads, _progress(len(names)) as bar:
        loaded = threads.map(
            lambda name: _load_shard(os.path.join(data_dir, name), sizes[name]), names
        )
        for number, (name, result) in enumerate(zip(names, loaded)):
            bar.update()
            index, fault = result
            of_shard = [videos[position] for position in positions[name]]
            if index is None or not np.array_equal(
                index.ids, [video.id for video in of_shard]
            ):
                fault = fault or "does not hold the videos that the manifest says"
                index = _unknown(of_shard)
            if fault:
                faults[os.path.join(data_dir, name)] = fault
            arrays["shards"][positions[name]] = number
            arrays["records"][positions[name]] = index.records
            arrays["first_frames"][positions[name]] = index.first_frames
            starts = np.cumsum(index.num_frames) - index.num_frames
            arrays["first_sizes"][positions[name]] = num_sizes + starts
            all_sizes.append(index.sizes)
            num_sizes += len(index.sizes)
    if faults and not allow_faults:
        path, fault = next(iter(faults.items()))
        more = ""
        if len(faults) > 1:
            more = f" ({len(faults) - 1} more shards are at fault)"
        raise ShardFault(
            f"The shard {path} {fault}{more}. Run the command that converted the"
            " videos again: it makes what is missing."
        )
    return FrameIndex(
        videos=videos,
        paths=tuple(os.path.join(data_dir, name) for name in names),
        sizes=np.concatenate(all_sizes),
        faults=faults,
        **arrays,
    )


def index_path(shard_path: str) -> str:
    """Path of the index of a shard."""
    return os.path.splitext(shard_path)[0] + _SUFFIX


def _load_shard(path: str, wanted_bytes: int) -> tuple[ShardIndex | None, str]:
    """The index of a shard, None where there is none, and what is wrong with it."""
    try:
        num_bytes = tf.io.gfile.stat(path).length
    except tf.errors.NotFoundError:
        return ShardIndex.load(index_path(path)), "is missing"
    fault = ""
    if num_bytes != wanted_bytes:
        fault = (
            f"is cut or was changed: {num_bytes:,} bytes instead of {wanted_bytes:,}"
        )
    index = ShardIndex.load(index_path(path))
    if index is not None and index.shard_bytes == wanted_bytes:
        return index, fault
    if fault:
        return None, fault
    try:
        with local_copy(path) as local_path:
            index = ShardIndex.of_shard(local_path)
    except ShardFault:
        return None, "cannot be read: it is damaged"
    # A folder that cannot be written to is indexed again the next time.
    with contextlib.suppress(tf.errors.OpError, OSError):
        index.save(index_path(path))
    return index, ""


def _unknown(videos: Sequence[records.VideoEntry]) -> ShardIndex:
    """Places of videos whose shard has no index: frames of no size."""
    num_frames = np.array([video.frames for video in videos], np.int64)
    nowhere = np.zeros(len(videos), np.int64)
    ids = np.array([video.id for video in videos], np.int64)
    sizes = np.zeros(num_frames.sum(), np.int32)
    return ShardIndex(ids, nowhere, nowhere, num_frames, sizes, 0)


@contextlib.contextmanager
def local_copy(path: str) -> Iterator[str]:
    """Path of a file on this machine: the file itself, or a copy for the time being."""
    if not remote_files.is_remote(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        local_path = os.path.join(folder, "shard")
        tf.io.gfile.copy(path, local_path)
        yield local_path


class _NotARecord(Exception):
    """Bytes that are not what a record has in this place."""


def _places(
    file: BinaryIO, shard_bytes: int
) -> Iterator[tuple[int, int, int, list[int]]]:
    """Id, offsets of record and first frame, and frame sizes; record by record."""
    position = 0
    while position < shard_bytes:
        (length,) = struct.unpack("<Q", _read(file, position, 8))
        content = position + _HEADER_BYTES
        end = content + length
        if end + _FOOTER_BYTES > shard_bytes:
            raise _NotARecord("it ends too early")
        ids: list[int] = []
        frames: list[tuple[int, int]] = []
        for _, features, size in _fields(file, content, end):
            for _, entry, entry_size in _fields(file, features, features + size):
                parts = {
                    number: (start, part_size)
                    for number, start, part_size in _fields(
                        file, entry, entry + entry_size
                    )
                }
                key = _read(file, *parts[_KEY_OF_ENTRY])
                start, part_size = parts[_VALUE_OF_ENTRY]
                if key == records.ID_KEY.encode():
                    feature = tf.train.Feature.FromString(_read(file, start, part_size))
                    ids = list(feature.int64_list.value)
                elif key == records.FRAMES_KEY.encode():
                    ((_, values, values_size),) = _fields(
                        file, start, start + part_size
                    )
                    frames = [
                        (frame, frame_size)
                        for _, frame, frame_size in _fields(
                            file, values, values + values_size
                        )
                    ]
        if len(ids) != 1:
            raise _NotARecord("it has no id")
        first_frame = frames[0][0] if frames else content
        yield ids[0], position, first_frame, [size for _, size in frames]
        position = end + _FOOTER_BYTES


def _fields(file: BinaryIO, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, place and size of every field of a message."""
    while position < end:
        head = _read(file, position, min(_TAG_BYTES + 10, end - position))
        if head[0] > 127 or head[0] & 7 != _LENGTH_DELIMITED:
            raise _NotARecord("it is no Example")
        size, num_bytes = 0, 0
        while True:
            byte = head[_TAG_BYTES + num_bytes]
            size |= (byte & 127) << (7 * num_bytes)
            num_bytes += 1
            if byte < 128:
                break
        position += _TAG_BYTES + num_bytes
        if position + size > end:
            raise _NotARecord("a field is longer than its message")
        yield head[0] >> 3, position, size
        position += size


def _read(file: BinaryIO, position: int, size: int) -> bytes:
    return os.pread(file.fileno(), size, position)


def _varint_bytes(values: np.ndarray) -> np.ndarray:
    """Bytes that numbers take at seven bits a byte."""
    return 1 + np.sum([values >= 1 << bits for bits in (7, 14, 21, 28)], axis=0)


def _progress(num_shards: int) -> tqdm:
    return tqdm(
        total=num_shards,
        desc="indexing frames",
        unit="shard",
        leave=False,
        delay=_SLOW_SECONDS,
        file=sys.stderr,
    )
