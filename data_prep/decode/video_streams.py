"""Chooses the film among the video streams of a file.

OpenCV takes the first video stream, which may be a cover picture or a preview.  It
cannot be told otherwise, so streams before the film are hidden from it: it reads the
file through a `PatchedFile`, in which they are not video streams.
"""

from __future__ import annotations

import dataclasses
import io
import os
import re
import struct
from typing import Iterator

from data_prep.decode import container

# Most bytes of the head of a file that are read, unless it is MP4.
_HEAD_BYTES = 2**20
_PICTURE_CODECS = (b"jpeg", b"mjpa", b"png ", b"V_MJPEG", b"V_PNG")
# Transfer functions of pictures that need more than 8 bits, in all containers.
_HDR_NAMES = {16: "PQ", 18: "HLG"}
_ASF_START = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"
_ASF_COVER = "WM/Picture".encode("utf-16-le")
_TRACKS, _TRACK_ENTRY, _SEGMENT = b"\x16\x54\xae\x6b", b"\xae", b"\x18\x53\x80\x67"
_VIDEO_SETTINGS, _COLOR = b"\xe0", b"\x55\xb0"
_PARENTS = (b"mdia", b"minf", b"stbl")

Patch = tuple[int, bytes]
"""Offset in a file, and the bytes that replace those there."""


@dataclasses.dataclass(frozen=True)
class VideoStream:
    """One video stream of a file.

    Attributes:
      hiding: what makes it another kind of stream; None if nothing can.
      is_default: whether the file marks it as the one to be shown.
      pixels: width times height, 0 if unknown.
      pictures: number of pictures, 0 if unknown.
      codec: name of the codec in the container.
      is_cover: whether it is an attached picture.
      hdr: `PQ` or `HLG` if the container says so, else empty.
    """

    hiding: Patch | None = None
    is_default: bool = True
    pixels: int = 0
    pictures: int = 0
    codec: bytes = b""
    is_cover: bool = False
    hdr: str = ""


def find(path: str) -> list[VideoStream]:
    """Returns the video streams of a file in its order; empty if nothing is known.

    Raises:
      OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        head = file.read(16)
        if container.is_mp4(head):
            start, index = container.read_mp4_index(file, os.path.getsize(path))
            return list(_mp4_streams(index, start))
        head += file.read(_HEAD_BYTES)
    if head.startswith(container.MATROSKA_START):
        return list(_matroska_streams(head))
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return list(_avi_streams(head))
    if head.startswith(_ASF_START) and _ASF_COVER in head:
        cover = VideoStream((head.index(_ASF_COVER), b"X"), is_cover=True)
        return [cover, VideoStream()]
    return []


def choose(streams: list[VideoStream]) -> VideoStream | None:
    """Returns the film: the default stream that is no cover, or else the largest.

    A stream of pictures (JPEG, PNG) beside one of another codec is a cover if it holds
    one picture or does not say how many.  Several default streams are compared by
    pixels times pictures.
    """
    films = [stream for stream in streams if not stream.is_cover]
    moving = [
        stream
        for stream in films
        if stream.codec not in _PICTURE_CODECS or stream.pictures > 1
    ]
    films = moving or films
    films = [stream for stream in films if stream.is_default] or films
    return max(films, key=_size, default=None)


def patches(streams: list[VideoStream]) -> list[Patch]:
    """Returns what hides the video streams before the film."""
    film = choose(streams)
    before = streams[: streams.index(film)] if film else []
    return [stream.hiding for stream in before if stream.hiding]


class PatchedFile(io.BufferedIOBase):
    """A file that is read as if some of its bytes were others.

    Args:
      path: file.
      changes: what replaces its bytes.
    """

    def __init__(self, path: str, changes: list[Patch]) -> None:
        super().__init__()
        self._file = open(path, "rb", buffering=0)
        self._changes = changes

    def read(self, size: int | None = -1, /) -> bytes:
        """Returns the next bytes, with the changes."""
        start = self._file.tell()
        content = self._file.read(-1 if size is None else size) or b""
        for place, new in self._changes:
            low = max(start, place)
            high = min(start + len(content), place + len(new))
            if low < high:
                part = new[low - place : high - place]
                content = content[: low - start] + part + content[high - start :]
        return content

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Moves to an offset and returns it."""
        return self._file.seek(offset, whence)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
        super().close()


def _size(stream: VideoStream) -> int:
    return stream.pixels * max(1, stream.pictures)


def _mp4_streams(index: bytes, offset: int) -> Iterator[VideoStream]:
    """Yields the streams of a `moov` box that begins at an offset of the file."""
    for name, start, end in _box_places(index, 0, len(index)):
        if name != b"trak":
            cover = index.find(b"covr", start, end)
            if cover >= 0:
                yield VideoStream((offset + cover, b"free"), is_cover=True)
            continue
        boxes: dict[bytes, tuple[int, int]] = {}
        waiting = [(start, end)]
        while waiting:
            for inner, low, high in _box_places(index, *waiting.pop()):
                if inner in _PARENTS:
                    waiting.append((low, high))
                boxes.setdefault(inner, (low, high))
        handler = boxes.get(b"hdlr", (0, 0))[0] + 8
        if b"hdlr" in boxes and index[handler : handler + 4] == b"vide":
            # Of the handler alone, FFmpeg would not be convinced.
            yield _mp4_stream(index, boxes, (offset + start - 4, b"free"))


def _mp4_stream(
    index: bytes, boxes: dict[bytes, tuple[int, int]], hiding: Patch
) -> VideoStream:
    parts = {name: index[low:high] for name, (low, high) in boxes.items()}
    description = parts.get(b"stsd", b"").ljust(44, b"\0")
    width, height = struct.unpack_from(">HH", description, 40)
    color = description.find(b"colrncl")
    transfer = description[color + 10 : color + 12] if color >= 0 else b""
    return VideoStream(
        hiding,
        is_default=bool(parts.get(b"tkhd", b"").ljust(4, b"\0")[3] & 1),
        pixels=width * height,
        pictures=int.from_bytes(parts.get(b"stsz", b"")[8:12], "big"),
        codec=description[12:16],
        hdr=_HDR_NAMES.get(int.from_bytes(transfer, "big"), ""),
    )


def _box_places(
    content: bytes, start: int, end: int
) -> Iterator[tuple[bytes, int, int]]:
    """Yields name, start of the content and end of each box in a part of an index."""
    while start + 8 <= end:
        length, name = struct.unpack_from(">I4s", content, start)
        if length < 8:
            return
        yield name, start + 8, min(start + length, end)
        start += length


def _matroska_streams(head: bytes) -> Iterator[VideoStream]:
    for _, low, high in _elements(head, 0, len(head), _SEGMENT):
        for _, first, last in _elements(head, low, high, _TRACKS):
            for _, start, end in _elements(head, first, last, _TRACK_ENTRY):
                parts = {name: (a, b) for name, a, b in _elements(head, start, end)}
                kind = parts.get(b"\x83", (0, 0))
                if int.from_bytes(head[slice(*kind)], "big") == 1:
                    yield _matroska_stream(head, parts, (kind[1] - 1, b"\x11"))


def _matroska_stream(
    head: bytes, parts: dict[bytes, tuple[int, int]], hiding: Patch
) -> VideoStream:
    for parent in (_VIDEO_SETTINGS, _COLOR):
        low, high = parts.get(parent, (0, 0))
        parts |= {name: (a, b) for name, a, b in _elements(head, low, high)}

    def number(name: bytes, default: int) -> int:
        if name not in parts:
            return default
        return int.from_bytes(head[slice(*parts[name])], "big")

    return VideoStream(
        hiding,
        is_default=bool(number(b"\x88", 1)),
        pixels=number(b"\xb0", 0) * number(b"\xba", 0),
        codec=head[slice(*parts.get(b"\x86", (0, 0)))],
        hdr=_HDR_NAMES.get(number(b"\x55\xba", 2), ""),
    )


def _elements(
    head: bytes, start: int, end: int, wanted: bytes = b""
) -> Iterator[tuple[bytes, int, int]]:
    """Yields id, start of the content and end of the elements of Matroska in a part."""
    while start < end and head[start]:
        num_bytes = 9 - head[start].bit_length()
        name = head[start : start + num_bytes]
        length, low = container.matroska_size(head, start + num_bytes)
        high = end if length is None else min(low + length, end)
        if high <= start:
            return
        if not wanted or name == wanted:
            yield name, low, high
        start = high


def _avi_streams(head: bytes) -> Iterator[VideoStream]:
    for found in re.finditer(rb"strh....(vids)(....).{24}(....)", head, re.DOTALL):
        form = head.find(b"strf", found.end())
        sizes = head[form + 12 : form + 20].ljust(8, b"\0") if form >= 0 else bytes(8)
        width, height = struct.unpack("<ii", sizes)
        yield VideoStream(
            (found.start(1), b"txts"),
            pixels=width * abs(height),
            pictures=int.from_bytes(found[3], "little"),
            codec=found[2],
        )
