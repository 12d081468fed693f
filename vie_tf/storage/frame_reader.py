"""Reads the JPEG frames of a clip from the shards.

`FrameReader` reads only the places of the frames, by plain file calls: some 100 kB of a
record of 7 MB for a clip of 4 frames.  `read_record` reads and parses the whole record,
but needs no Python, so that the workers of a tf.data service can run it.

Letters: F frames of a video, T frames of a clip.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from typing import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from vie_tf.storage import records, remote_files, shard_index
from vie_tf.storage.frame_index import FrameIndex
from vie_tf.storage.manifest import Manifest, VideoEntry

_JPEG_START = b"\xff\xd8"
# Frames with less than this between them are read at once: a request to a store takes
# as long as reading a megabyte.
_LOCAL_GAP, _REMOTE_GAP = 2**16, 2**20


class FrameReader:
    """Reads frames of the videos of an index.

    Args:
      index: places of the frames.
      local_path: maps the path of a shard to the path of a copy, if there is one (see
        `ShardCache.path`).
      on_bad_copy: called with the path of a shard that can be read, unlike its copy.
    """

    def __init__(
        self,
        index: FrameIndex,
        local_path: Callable[[str], str] | None = None,
        on_bad_copy: Callable[[str], None] | None = None,
    ) -> None:
        self._index = index
        self._local_path = local_path or (lambda path: path)
        self._on_bad_copy = on_bad_copy or (lambda path: None)
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls, data_dir: str, manifest: Manifest, videos: Sequence[VideoEntry]
    ) -> FrameReader:
        """Makes a reader for some videos; reading those of a cut shard fails."""
        return cls(FrameIndex.load(data_dir, manifest, videos, allow_faults=True))

    def __call__(
        self, video: tf.Tensor, frames: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads within a tf.data graph.

        Args:
          video: index into the videos of the frame index, scalar.
          frames: [T] int32, each in 0 .. F - 1.

        Returns:
          JPEG strings [T], empty if they cannot be read; and the reason, a scalar
          string, empty if they were read.
        """
        jpegs, problem = tf.numpy_function(
            self._read_or_say, [video, frames], [tf.string, tf.string], stateful=False
        )
        return tf.ensure_shape(jpegs, frames.shape), tf.ensure_shape(problem, [])

    def read_jpegs(
        self, video: VideoEntry, frames: Sequence[int] | np.ndarray
    ) -> list[bytes]:
        """Reads the JPEG strings of a video's frames, whose indices are modulo F.

        Raises:
          OSError: they cannot be read, or are not JPEG images.
        """
        indices = np.asarray(frames, np.int64) % video.frames
        return self.read(self._position_of_id[video.id], indices)

    def read_images(
        self, video: VideoEntry, frames: Sequence[int] | np.ndarray
    ) -> list[np.ndarray]:
        """Reads frames as `read_jpegs`, and decodes them to [H, W, 3] uint8 RGB."""
        try:
            return [
                tf.io.decode_jpeg(jpeg, channels=3).numpy()
                for jpeg in self.read_jpegs(video, frames)
            ]
        except tf.errors.InvalidArgumentError as error:
            raise OSError(
                f"a frame of {video.source} is no whole JPEG image"
            ) from error

    def read(self, video: int, frames: np.ndarray) -> list[bytes]:
        """Reads as `read_jpegs`.

        Args:
          video: index into the videos of the frame index.
          frames: frame indices, [T], each in 0 .. F - 1.
        """
        path = self._index.paths[self._index.shards[video]]
        sizes_end = self._index.first_sizes[video] + self._index.videos[video].frames
        if sizes_end > len(self._index.sizes):
            raise OSError("its shard has fewer frames than the manifest says")
        copy = self._local_path(path)
        if copy == path:
            return self._read_from(path, video, frames)
        try:
            return self._read_from(copy, video, frames)
        except OSError:
            jpegs = self._read_from(path, video, frames)  # else the shard is at fault
        with self._lock:
            if self._local_path(path) == copy:  # no other thread has found it before
                self._on_bad_copy(path)
        return jpegs

    def _read_from(self, path: str, video: int, frames: np.ndarray) -> list[bytes]:
        """Reads frames from a shard or its copy, and compares their checksums."""
        starts, sizes = (array.tolist() for array in self._index.places(video, frames))
        jpegs = [b""] * len(frames)
        with _opened(path) as read:
            gap = _REMOTE_GAP if remote_files.is_remote(path) else _LOCAL_GAP
            for numbers in _neighbors(starts, sizes, gap):
                start = starts[numbers[0]]
                end = max(starts[number] + sizes[number] for number in numbers)
                content = read(start, end - start)
                for number in numbers:
                    first = starts[number] - start
                    jpegs[number] = content[first : first + sizes[number]]
        for jpeg, size in zip(jpegs, sizes):
            if len(jpeg) != size or not size:
                raise OSError("the shard ends before its frames")
            if not jpeg.startswith(_JPEG_START):
                raise OSError("there is no JPEG frame where the index has one")
        first = int(self._index.first_sizes[video])
        expected = self._index.checksums[first + np.asarray(frames)].tolist()
        for jpeg, checksum in zip(jpegs, expected):
            if checksum and shard_index.checksum_of(jpeg) != checksum:
                raise OSError("a frame was damaged since it was written")
        return jpegs

    @functools.cached_property
    def _position_of_id(self) -> dict[int, int]:
        return {video.id: number for number, video in enumerate(self._index.videos)}

    def _read_or_say(
        self, video: np.ndarray, frames: np.ndarray
    ) -> tuple[np.ndarray, bytes]:
        try:
            return np.array(self.read(int(video), frames), object), b""
        except (OSError, tf.errors.OpError) as error:
            return np.array([b""] * len(frames), object), str(error).encode()


def _neighbors(
    starts: Sequence[int], sizes: Sequence[int], gap: int
) -> list[list[int]]:
    """Groups numbers of frames that are at most `gap` bytes apart in the file."""
    groups: list[list[int]] = []
    end = -1
    for number in sorted(range(len(starts)), key=starts.__getitem__):
        if groups and starts[number] <= end + gap:
            groups[-1].append(number)
        else:
            groups.append([number])
        end = max(end, starts[number] + sizes[number])
    return groups


@contextlib.contextmanager
def _opened(path: str) -> Iterator[Callable[[int, int], bytes]]:
    """Opens a local or remote file for reads `(offset, size) -> bytes`."""
    if not remote_files.is_remote(path):
        with open(path, "rb", buffering=0) as local:
            yield lambda offset, size: os.pread(local.fileno(), size, offset)
        return
    with tf.io.gfile.GFile(path, "rb") as remote:

        def read(offset: int, size: int) -> bytes:
            remote.seek(offset)
            return remote.read(size)

        yield read


def read_record(
    index: FrameIndex, video: tf.Tensor, frames: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Reads frames of a video by TensorFlow's operations alone.

    Args and returns as in `FrameReader.__call__`, but a bad record raises an error.
    """
    shard = tf.constant(index.shards)[video]
    record = tf.data.experimental.from_variant(
        tf.raw_ops.TFRecordDatasetV2(
            filenames=tf.constant(index.paths)[shard],
            compression_type="",
            buffer_size=tf.constant(0, tf.int64),
            byte_offsets=tf.constant(index.records)[video],
        ),
        tf.TensorSpec([], tf.string),
    )
    parsed = records.parse(record.take(1).get_single_element())
    return tf.gather(parsed["frames"], frames), tf.constant("")
