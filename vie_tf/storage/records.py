"""The record of one video in a shard: how its bytes are written, found and parsed.

A shard is a TFRecord file; a record is a serialized `tf.train.Example` with the JPEG
frames of one video and its metadata.  Unlike in a SequenceExample, the frames are
contiguous, each after its tag (one byte) and its length (a varint), so the frames of a
clip can be read without the rest.

This module encodes the wire format itself, since `tf.train.Example` copies the frames
five times on their way to a file: 3 GB for ten minutes of video.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO, Iterator, NamedTuple

import google_crc32c
import numpy as np

from vie_tf.storage.errors import UserError
from vie_tf.storage.frame_spool import FrameSpool
from vie_tf.storage.manifest import NO_LABEL, VideoEntry

if TYPE_CHECKING:
    import tensorflow as tf

_ID = "video/id"
_LABEL = "video/label"
_FRAMES = "video/frames"
_FPS = "video/fps"
_HEIGHT = "video/height"
_WIDTH = "video/width"
_SOURCE = "video/source"

# A TFRecord: length of the content and its checksum, content, checksum.
_LENGTH_BYTES, _HEADER_BYTES, _FOOTER_BYTES = 8, 12, 4
_CHECKSUM_MASK = 0xA282EAD8

# Field numbers in tensorflow/core/example/{example,feature}.proto, and the wire type of
# all fields: numbers are packed.
_FEATURES_OF_EXAMPLE = 1
_ENTRY_OF_FEATURES = 1
_KEY_OF_ENTRY, _VALUE_OF_ENTRY = 1, 2
_BYTES_LIST_OF_FEATURE, _FLOAT_LIST_OF_FEATURE, _INT64_LIST_OF_FEATURE = 1, 2, 3
_VALUE_OF_LIST = 1
_LENGTH_DELIMITED = 2
_TAG_BYTES, _MAX_VARINT_BYTES = 1, 10


class ShardError(UserError):
    """A shard that contradicts the manifest."""


class RecordPlace(NamedTuple):
    """Place of a record and of its frames in a shard.

    Attributes:
      id: id of the video.
      offset: offset of the record in bytes.
      first_frame: offset of the first frame in bytes.
      frame_sizes: size of every frame in bytes.
    """

    id: int
    offset: int
    first_frame: int
    frame_sizes: list[int]


def parse(record: tf.Tensor) -> dict[str, tf.Tensor]:
    """Parses a serialized Example, scalar string, within a tf.data graph.

    Returns:
      `id` [] int64, `label` [] int64, `frames` [F] string (JPEG), `fps` [] float32,
      `height` [] int64, `width` [] int64, `source` [] string.
    """
    # Here, since processes that write records do not wait for it.
    import tensorflow as tf

    features = {
        _ID: tf.io.FixedLenFeature([], tf.int64),
        _LABEL: tf.io.FixedLenFeature([], tf.int64, default_value=NO_LABEL),
        _FRAMES: tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True),
        _FPS: tf.io.FixedLenFeature([], tf.float32),
        _HEIGHT: tf.io.FixedLenFeature([], tf.int64),
        _WIDTH: tf.io.FixedLenFeature([], tf.int64),
        _SOURCE: tf.io.FixedLenFeature([], tf.string),
    }
    parsed = tf.io.parse_single_example(record, features)
    return {key.split("/")[1]: value for key, value in parsed.items()}


def write_record(file: BinaryIO, frames: FrameSpool, video: VideoEntry) -> None:
    """Appends the record of a video to a shard, without all its frames in memory.

    The bytes equal those of `tf.io.TFRecordWriter` and a deterministic serialization
    with sorted keys.

    Args:
      file: shard, open for writing.
      frames: JPEG strings in order of time, all of one size in pixels.
      video: metadata of the record.
    """
    features = {
        _ID: _integer(video.id),
        _LABEL: _integer(video.label),
        _FPS: _feature(_FLOAT_LIST_OF_FEATURE, struct.pack("<f", video.fps)),
        _HEIGHT: _integer(video.height),
        _WIDTH: _integer(video.width),
        _SOURCE: _feature(_BYTES_LIST_OF_FEATURE, video.source.encode()),
    }
    num_bytes, pieces = _example(features, frames)
    length = struct.pack("<Q", num_bytes)
    file.write(length + _masked(google_crc32c.value(length)))
    checksum = 0
    for piece in pieces:
        file.write(piece)
        checksum = google_crc32c.extend(checksum, piece)
    file.write(_masked(checksum))


def locate_records(path: str) -> Iterator[RecordPlace]:
    """Finds the records of a local shard and their frames, without reading these.

    Raises:
      ShardError: the shard ends within a record, or is no shard of this program.
    """
    with open(path, "rb", buffering=0) as file:
        shard_bytes = os.fstat(file.fileno()).st_size
        offset, number = 0, 0
        while offset < shard_bytes:
            try:
                (length,) = struct.unpack("<Q", _read(file, offset, _LENGTH_BYTES))
                start = offset + _HEADER_BYTES
                next_offset = start + length + _FOOTER_BYTES
                if next_offset > shard_bytes:
                    raise ValueError("it ends too early")
                place = _locate_frames(file, offset, start, start + length)
            # A struct.error is a read beyond the end; so is an IndexError.
            except (struct.error, IndexError, KeyError, ValueError) as error:
                raise ShardError(
                    f"{path} is cut, or is not a shard: record {number} cannot be read"
                    f" ({error})"
                ) from error
            yield place
            offset, number = next_offset, number + 1


def frame_offsets(sizes: np.ndarray) -> np.ndarray:
    """Returns the offset of each frame from the first frame of its record, [F] int64.

    Args:
      sizes: size of each frame in bytes, [F] int.
    """
    varint_bytes = 1 + np.sum(
        [sizes[1:] >= 1 << bits for bits in (7, 14, 21, 28)], axis=0
    )
    steps = sizes[:-1] + _TAG_BYTES + varint_bytes
    return np.concatenate([[0], np.cumsum(steps, dtype=np.int64)])


def _example(
    features: dict[str, bytes], frames: FrameSpool
) -> tuple[int, Iterator[bytes]]:
    """Returns the length of an Example in bytes, and its pieces."""
    entries = {
        key: _field(_KEY_OF_ENTRY, key.encode()) + _field(_VALUE_OF_ENTRY, feature)
        for key, feature in features.items()
    }
    list_size = sum(_field_size(_VALUE_OF_LIST, size) for size in frames.sizes())
    frames_size = _field_size(_BYTES_LIST_OF_FEATURE, list_size)
    frames_key = _field(_KEY_OF_ENTRY, _FRAMES.encode())
    entry_sizes = {key: len(entry) for key, entry in entries.items()}
    entry_sizes[_FRAMES] = len(frames_key) + _field_size(_VALUE_OF_ENTRY, frames_size)
    features_size = sum(
        _field_size(_ENTRY_OF_FEATURES, size) for size in entry_sizes.values()
    )

    def pieces() -> Iterator[bytes]:
        yield _head(_FEATURES_OF_EXAMPLE, features_size)
        for key in sorted(entry_sizes):
            yield _head(_ENTRY_OF_FEATURES, entry_sizes[key])
            if key != _FRAMES:
                yield entries[key]
                continue
            yield frames_key + _head(_VALUE_OF_ENTRY, frames_size)
            yield _head(_BYTES_LIST_OF_FEATURE, list_size)
            for frame in frames:
                yield _head(_VALUE_OF_LIST, len(frame))
                yield frame

    return _field_size(_FEATURES_OF_EXAMPLE, features_size), pieces()


def _integer(value: int) -> bytes:
    """Encodes a Feature of one int64; a negative one as its two's complement."""
    return _feature(_INT64_LIST_OF_FEATURE, _varint(value % 2**64))


def _feature(kind: int, value: bytes) -> bytes:
    """Encodes a Feature of one value, by the number of its list."""
    return _field(kind, _field(_VALUE_OF_LIST, value))


def _varint(value: int) -> bytes:
    """Encodes seven bits a byte, the lowest first; the eighth is 1 before another."""
    content = bytearray()
    while value > 127:
        content.append(value & 127 | 128)
        value >>= 7
    content.append(value)
    return bytes(content)


def _head(number: int, size: int) -> bytes:
    """Encodes the tag and length of a field of `size` bytes."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(size)


def _field(number: int, content: bytes) -> bytes:
    return _head(number, len(content)) + content


def _field_size(number: int, size: int) -> int:
    """Returns the bytes of a field together with its head."""
    return len(_head(number, size)) + size


def _masked(checksum: int) -> bytes:
    rotated = checksum >> 15 | checksum << 17
    return struct.pack("<I", (rotated + _CHECKSUM_MASK) & 0xFFFFFFFF)


def _locate_frames(file: BinaryIO, offset: int, start: int, end: int) -> RecordPlace:
    """Finds the frames of the record at `offset`, an Example from `start` to `end`."""
    features = {}
    for _, *entries in _fields(file, start, end):
        for _, *entry in _fields(file, *entries):
            parts = {number: place for number, *place in _fields(file, *entry)}
            key_start, key_end = parts[_KEY_OF_ENTRY]
            key = _read(file, key_start, key_end - key_start).decode()
            features[key] = parts[_VALUE_OF_ENTRY]
    frames = [
        frame
        for _, *values in _fields(file, *features.get(_FRAMES, (start, start)))
        for _, *frame in _fields(file, *values)
    ]
    return RecordPlace(
        id=_read_integer(file, *features[_ID]),
        offset=offset,
        first_frame=frames[0][0] if frames else start,
        frame_sizes=[frame_end - frame_start for frame_start, frame_end in frames],
    )


def _read_integer(file: BinaryIO, start: int, end: int) -> int:
    """Returns the number of a Feature of one int64 that is not negative.

    Raises:
      ValueError: there is none.
    """
    for kind, *values in _fields(file, start, end):
        for _, first, last in _fields(file, *values):
            if kind == _INT64_LIST_OF_FEATURE:
                value, _ = _decoded_varint(_read(file, first, last - first))
                if value < 2**63:
                    return value
    raise ValueError("it has no number that can be an id")


def _decoded_varint(content: bytes) -> tuple[int, int]:
    """Returns the number at the start, and the bytes that it takes."""
    value = 0
    for position, byte in enumerate(content):
        value |= (byte & 127) << (7 * position)
        if byte < 128:
            return value, position + 1
    raise ValueError("it ends within a number")


def _fields(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yields number, start and end of every field of a message."""
    while start < end:
        head_bytes = min(_TAG_BYTES + _MAX_VARINT_BYTES, end - start)
        head = _read(file, start, head_bytes)
        if head[0] > 127 or head[0] & 7 != _LENGTH_DELIMITED:
            raise ValueError("it is not an Example")
        size, num_bytes = _decoded_varint(head[_TAG_BYTES:])
        start += _TAG_BYTES + num_bytes
        if start + size > end:
            raise ValueError("a field is longer than its message")
        yield head[0] >> 3, start, start + size
        start += size


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    return os.pread(file.fileno(), size, offset)
