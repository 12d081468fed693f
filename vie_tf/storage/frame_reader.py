"""A clip's JPEG frames out of the shards: only the bytes that the clip needs.

Two ways to the same frames.  `FrameReader` reads their places of `frame_index` with
plain file calls: a clip of 4 frames is some 100 kB of a record of 7 MB.  `read_record`
needs no Python and so runs in the workers of a tf.data service too, but it reads and
parses the whole record.

Letters: T frames of a clip.
"""

from __future__ import annotations

import os
from typing import Callable

import numpy as np
import tensorflow as tf

from vie_tf.storage import records, remote_files
from vie_tf.storage.frame_index import FrameIndex

_JPEG_START = b"\xff\xd8"
# Frames with less than this between them are read at once: a request to a store takes
# as long as reading a megabyte.
_LOCAL_GAP, _REMOTE_GAP = 2**16, 2**20


class FrameReader:
    """Reads frames of the videos of an index.

    Args:
      index: where the frames lie.
      local_path: where a shard is to be read from now, by its path (see
        `shard_cache`); by default, from that path.
    """

    def __init__(
        self, index: FrameIndex, local_path: Callable[[str], str] | None = None
    ) -> None:
        self._index = index
        self._local_path = local_path or (lambda path: path)

    def __call__(self, video: tf.Tensor, frames: tf.Tensor) -> tuple:
        """Reads within a tf.data graph.

        Args:
          video: position in `index.videos`, scalar.
          frames: [T] int32, each in 0 .. F - 1.

        Returns:
          JPEG strings [T], empty ones where they cannot be read; and what is wrong, a
          scalar string, empty where nothing is.
        """
        jpegs, problem = tf.numpy_function(
            self._read_or_say, [video, frames], [tf.string, tf.string], stateful=False
        )
        return tf.ensure_shape(jpegs, frames.shape), tf.ensure_shape(problem, [])

    def read(self, video: int, frames: np.ndarray) -> list[bytes]:
        """Reads frames [T] of a video.

        Raises:
          OSError: they cannot be read, or are no JPEG frames.
        """
        path = self._index.paths[self._index.shards[video]]
        offsets, sizes = self._index.places(video, frames)
        gap = _REMOTE_GAP if remote_files.is_remote(path) else _LOCAL_GAP
        order = np.argsort(offsets, kind="stable")
        jpegs = [b""] * len(frames)
        with _OpenFile(self._local_path(path)) as read:
            first = 0
            while first < len(order):
                last = first
                end = offsets[order[first]] + sizes[order[first]]
                while last + 1 < len(order) and offsets[order[last + 1]] <= end + gap:
                    last += 1
                    end = max(end, offsets[order[last]] + sizes[order[last]])
                start = offsets[order[first]]
                content = read(int(start), int(end - start))
                for number in order[first : last + 1]:
                    place = offsets[number] - start
                    jpegs[number] = content[place : place + sizes[number]]
                first = last + 1
        for jpeg, size in zip(jpegs, sizes):
            if len(jpeg) != size or not size:
                raise OSError("the shard ends before its frames")
            if not jpeg.startswith(_JPEG_START):
                raise OSError("there is no JPEG frame where the index has one")
        return jpegs

    def _read_or_say(
        self, video: np.ndarray, frames: np.ndarray
    ) -> tuple[np.ndarray, bytes]:
        try:
            return np.array(self.read(int(video), frames), object), b""
        except (OSError, tf.errors.OpError) as error:
            return np.array([b""] * len(frames), object), str(error).encode()


class _OpenFile:
    """Opens a file of any kind for reads `(offset, size) -> bytes` at any place."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> Callable[[int, int], bytes]:
        if remote_files.is_remote(self._path):
            self._file = tf.io.gfile.GFile(self._path, "rb")
            return self._read_remote
        self._file = open(self._path, "rb", buffering=0)
        return lambda offset, size: os.pread(self._file.fileno(), size, offset)

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _read_remote(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)


def read_record(
    index: FrameIndex, video: tf.Tensor, frames: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Reads frames of a video by TensorFlow's operations alone.

    Args and returns as in `FrameReader.__call__`, but that a record that cannot be read
    fails.
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
