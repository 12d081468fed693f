"""Reads the metadata of the container of a video file, without a decoder.

It explains why a video has fewer frames than expected.  Three families are known (MP4
and MOV, AVI, Matroska and WebM), and some audio files.  At most a few MB are read.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
import struct
from typing import BinaryIO, Iterator

MP4 = "MP4"
AVI = "AVI"
MATROSKA = "Matroska"
WEBP = "WebP"
SOUND = "sound"
UNKNOWN = ""

# Most bytes that are read from the beginning of a file, and from the index of an MP4
# file (20 MB for 10 hours of video), and most parts that are visited.
_MAX_HEAD_BYTES = 2**20
_MAX_INDEX_BYTES = 2**26
_MAX_PARTS = 20_000

_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"moof")
_PARENT_BOXES = (b"trak", b"edts", b"mdia", b"minf", b"stbl")
MATROSKA_START = b"\x1a\x45\xdf\xa3"
_MATROSKA_SEGMENT = b"\x18\x53\x80\x67"
_MATROSKA_AES = b"\x47\xe1\x81\x05"
# MP3 (with and without a tag), AAC, FLAC; WAVE and Ogg are recognized by more bytes.
_SOUND_STARTS = (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"\xff\xf9", b"fLaC")


@dataclasses.dataclass(frozen=True)
class ContainerMetadata:
    """Metadata of a container.

    Attributes:
      kind: `MP4`, `AVI`, `MATROSKA`, `WEBP`, `SOUND` or `UNKNOWN`.
      missing_bytes: number of bytes that are missing at the end of the file.
      has_index: False for an MP4 file without its `moov` box.
      has_video: whether there is a video track.
      has_sound: whether there is an audio track.
      is_encrypted: whether the pictures are encrypted.
      pictures: number of pictures of the longest video track of an MP4 file with all
        tables in one place (unlike fragmented ones), else None.
      secs: play time of that track after its edit list; infinite if unknown.
    """

    kind: str = UNKNOWN
    missing_bytes: int = 0
    has_index: bool = True
    has_video: bool = False
    has_sound: bool = False
    is_encrypted: bool = False
    pictures: int | None = None
    secs: float = math.inf


def read_metadata(path: str) -> ContainerMetadata:
    """Reads the metadata of the container of a file.

    Raises:
      OSError: the file cannot be read.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(_MAX_HEAD_BYTES)
        if is_mp4(head):
            return _mp4_metadata(file, size)
        if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            return _avi_metadata(file, head, size)
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return ContainerMetadata(WEBP, has_video=True)
        if head[:4] == MATROSKA_START:
            return _matroska_metadata(head, size)
    is_wave = head[:4] == b"RIFF" and head[8:12] == b"WAVE"
    is_ogg_sound = head[:4] == b"OggS" and b"theora" not in head
    if is_wave or is_ogg_sound or head.startswith(_SOUND_STARTS):
        return ContainerMetadata(SOUND, has_sound=True)
    return ContainerMetadata()


def is_mp4(head: bytes) -> bool:
    """Tells whether a file that begins like this is MP4 or MOV."""
    return head[4:8] in _FIRST_BOXES


def read_mp4_index(file: BinaryIO, size: int) -> tuple[int, bytes]:
    """Returns the offset and the content of the last `moov` box; 0 and b"" without."""
    offset, index = 0, b""
    for name, start, end in _top_level_boxes(file, size):
        if name == b"moov":
            file.seek(start)
            offset, index = start, file.read(min(end - start, _MAX_INDEX_BYTES))
    return offset, index


def _mp4_metadata(file: BinaryIO, size: int) -> ContainerMetadata:
    end = max((end for _, _, end in _top_level_boxes(file, size)), default=0)
    _, index = read_mp4_index(file, size)
    missing = max(0, end - size)
    if not index:
        return ContainerMetadata(MP4, missing, has_index=False)
    boxes = dict(_boxes(index))
    ticks_per_sec = _ticks_per_sec(boxes.get(b"mvhd", b""))
    tracks = [_track(content) for name, content in _boxes(index) if name == b"trak"]
    video = [track for track in tracks if track[b"kind"] == b"vide"]
    longest = max(video, key=_num_samples, default={})
    is_whole = bool(longest) and _num_samples(longest) > 0 and b"mvex" not in boxes
    ticks = _edited_ticks(longest.get(b"elst", b""))
    ticks = ticks or _duration_ticks(longest.get(b"tkhd", b""))
    unknown = ticks in (0, 2**32 - 1, 2**64 - 1) or not ticks_per_sec
    return ContainerMetadata(
        kind=MP4,
        missing_bytes=missing,
        has_video=bool(video),
        has_sound=any(track[b"kind"] == b"soun" for track in tracks),
        is_encrypted=any(b"encv" in track.get(b"stsd", b"") for track in video),
        pictures=_num_samples(longest) if is_whole else None,
        secs=math.inf if unknown else ticks / ticks_per_sec,
    )


def _top_level_boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yields name, start of the content and end of each box of an MP4 file."""
    offset = 0
    for _ in range(_MAX_PARTS):
        file.seek(offset)
        header = file.read(16)
        if len(header) < 8:
            return
        length, name = struct.unpack_from(">I4s", header)
        start = offset + 8
        if length == 1 and len(header) == 16:
            (length,) = struct.unpack_from(">Q", header, 8)
            start = offset + 16
        elif length == 0:  # Up to the end of the file.
            length = size - offset
        if offset + length < start or not name.isalnum():
            return  # Not a box, but for example zeros.
        yield name, start, offset + length
        offset += length


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields name and content of each box in a box."""
    offset = 0
    while offset + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, offset)
        if length < 8:
            return
        yield name, content[offset + 8 : offset + length]
        offset += length


def _track(content: bytes) -> dict[bytes, bytes]:
    """Returns the boxes of a track by name, at any depth, and its `kind`."""
    found = {b"kind": b""}
    waiting = [content]
    while waiting:
        for name, inner in _boxes(waiting.pop()):
            if name in _PARENT_BOXES:
                waiting.append(inner)
            elif name == b"hdlr" and inner[8:12] in (b"vide", b"soun"):
                found[b"kind"] = inner[8:12]
            else:
                found[name] = inner
    return found


def _num_samples(track: dict[bytes, bytes]) -> int:
    table = track.get(b"stsz") or track.get(b"stz2") or b""
    return _number(">I", table, 8)


def _ticks_per_sec(movie_header: bytes) -> int:
    has_wide_times = movie_header[:1] == b"\1"
    return _number(">I", movie_header, 20 if has_wide_times else 12)


def _duration_ticks(track_header: bytes) -> int:
    if track_header[:1] == b"\1":
        return _number(">Q", track_header, 28)
    return _number(">I", track_header, 20)


def _edited_ticks(edit_list: bytes) -> int:
    """Returns the sum of the edits that show something; 0 without an edit list."""
    wide = edit_list[:1] == b"\1"
    form = ">Qq4x" if wide else ">Ii4x"
    end = 8 + _number(">I", edit_list, 4) * struct.calcsize(form)
    if len(edit_list) < end:
        return 0
    edits = struct.iter_unpack(form, edit_list[8:end])
    return sum(ticks for ticks, media_time in edits if media_time >= 0)


def _number(form: str, box: bytes, at: int) -> int:
    """Reads a number of a box; 0 if the box is too short."""
    if len(box) < at + struct.calcsize(form):
        return 0
    return int(struct.unpack_from(form, box, at)[0])


def _avi_metadata(file: BinaryIO, head: bytes, size: int) -> ContainerMetadata:
    end = 0
    for _ in range(_MAX_PARTS):  # Large files are a chain of parts.
        file.seek(end)
        header = file.read(8)
        if len(header) < 8 or header[:4] != b"RIFF":
            break
        (length,) = struct.unpack_from("<I", header, 4)
        if length in (0, 2**32 - 1):  # Never filled in.
            end = 0
            break
        end += 8 + length
    return ContainerMetadata(
        kind=AVI,
        missing_bytes=max(0, end - size),
        has_video=b"vids" in head,
        has_sound=b"auds" in head,
    )


def _matroska_metadata(head: bytes, size: int) -> ContainerMetadata:
    length, start = matroska_size(head, 4)
    segment = start + (length or 0)
    missing = 0
    if head[segment : segment + 4] == _MATROSKA_SEGMENT:
        length, start = matroska_size(head, segment + 4)
        if length is not None:
            missing = max(0, start + length - size)
    codecs = set(re.findall(rb"\x86[\x81-\xbf]([AV])_[A-Z]", head))
    return ContainerMetadata(
        kind=MATROSKA,
        missing_bytes=missing,
        has_video=b"V" in codecs,
        has_sound=b"A" in codecs,
        is_encrypted=_MATROSKA_AES in head,
    )


def matroska_size(head: bytes, at: int) -> tuple[int | None, int]:
    """Returns the size of an element (None: unknown) and the start of its content."""
    if at >= len(head) or not head[at]:
        return None, at
    num_bytes = 9 - head[at].bit_length()
    bits = 7 * num_bytes
    value = int.from_bytes(head[at : at + num_bytes], "big") & (2**bits - 1)
    return (None if value == 2**bits - 1 else value), at + num_bytes
