"""A record of one video, written piece by piece: its frames are never all in memory.

`tf.train.Example` copies the frames five times on their way to the file, 3 GB for ten
minutes of video.  Here the same bytes are laid out by hand: the wire format of the
protocol buffer (a tag, a length, the content), within the frame of a TFRecord (length,
content, and a checksum of either).
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Iterable, Iterator, Mapping

import google_crc32c

from vie_tf.storage.frame_spool import FrameSpool

_MASK = 0xA282EAD8  # of checksums in TFRecords

# Numbers of the fields in tensorflow/core/example/{example,feature}.proto.
_FEATURES_OF_EXAMPLE = 1
_ENTRY_OF_FEATURES = 1
_KEY_OF_ENTRY, _VALUE_OF_ENTRY = 1, 2
_BYTES_LIST_OF_FEATURE = 1
_VALUE_OF_BYTES_LIST = 1


def write_record(
    file: BinaryIO, facts: Mapping[str, bytes], frames_key: str, frames: FrameSpool
) -> None:
    """Appends a record to a TFRecord file.

    The bytes are those of `tf.io.TFRecordWriter` and of an Example that is serialized
    deterministically, whose keys are sorted.

    Args:
      file: open for writing.
      facts: every other feature by its key, as a serialized `tf.train.Feature`.
      frames_key: key of the frames.
      frames: a list of bytes.
    """
    length, pieces = _example(facts, frames_key, frames)
    header = struct.pack("<Q", length)
    file.write(header + _masked(google_crc32c.value(header)))
    checksum = 0
    for piece in pieces:
        file.write(piece)
        checksum = google_crc32c.extend(checksum, piece)
    file.write(_masked(checksum))


def _example(
    facts: Mapping[str, bytes], frames_key: str, frames: FrameSpool
) -> tuple[int, Iterable[bytes]]:
    """Length of an Example in bytes, and its pieces."""
    entries = {
        key: _field(_KEY_OF_ENTRY, key.encode()) + _field(_VALUE_OF_ENTRY, feature)
        for key, feature in facts.items()
    }
    list_size = sum(_size(_VALUE_OF_BYTES_LIST, size) for size in frames.sizes())
    feature_size = _size(_BYTES_LIST_OF_FEATURE, list_size)
    name = _field(_KEY_OF_ENTRY, frames_key.encode())
    entry_size = len(name) + _size(_VALUE_OF_ENTRY, feature_size)
    entry_sizes = {key: len(entry) for key, entry in entries.items()}
    entry_sizes[frames_key] = entry_size
    features_size = sum(
        _size(_ENTRY_OF_FEATURES, size) for size in entry_sizes.values()
    )

    def pieces() -> Iterator[bytes]:
        yield _head(_FEATURES_OF_EXAMPLE, features_size)
        for key in sorted(entry_sizes):
            yield _head(_ENTRY_OF_FEATURES, entry_sizes[key])
            if key != frames_key:
                yield entries[key]
                continue
            yield name + _head(_VALUE_OF_ENTRY, feature_size)
            yield _head(_BYTES_LIST_OF_FEATURE, list_size)
            for frame in frames:
                yield _head(_VALUE_OF_BYTES_LIST, len(frame))
                yield frame

    return _size(_FEATURES_OF_EXAMPLE, features_size), pieces()


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    content = bytearray()
    while value > 127:
        content.append(value & 127 | 128)
        value >>= 7
    content.append(value)
    return bytes(content)


def _head(number: int, size: int) -> bytes:
    """Tag and length before a field of `size` bytes."""
    return _varint(number << 3 | 2) + _varint(size)


def _field(number: int, content: bytes) -> bytes:
    return _head(number, len(content)) + content


def _size(number: int, size: int) -> int:
    """Bytes of a field together with its head."""
    return len(_head(number, size)) + size


def _masked(checksum: int) -> bytes:
    turned = checksum >> 15 | checksum << 17
    return struct.pack("<I", (turned + _MASK) & 0xFFFFFFFF)
