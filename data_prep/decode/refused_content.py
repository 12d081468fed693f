"""Files that are refused before they are decoded: playlists, and too large pictures.

FFmpeg takes some texts for videos: playlists, which make it open other files of this
machine.  A picture of a kilobyte may claim a billion pixels, which take three
gigabytes.
"""

from __future__ import annotations

import io
import os
import re
import struct

from data_prep.config import DecodingConfig
from data_prep.decode.unreadable_video import UnreadableVideo
from data_prep.index.media_tree import PICTURE_EXTENSIONS

DEFAULT_MEGAPIXELS = DecodingConfig.max_megapixels

_PROBED_BYTES = 2**20  # FFmpeg looks no further for the format of a file
# What FFmpeg recognizes them by, in small letters; no video container has these bytes
# by chance.
_PLAYLISTS = (
    ("HLS", (b"#extm3u",)),
    ("ffconcat", (b"ffconcat version",)),
    ("DASH", (b"<mpd", b"dash:")),
    ("IMF", (b"compositionplaylist",)),
    ("SDP", (b"c=in ip",)),
    ("VobSub", (b"# vobsub index file",)),
)
_PATTERN = re.compile(r"%[\d*]*[dt]?")
_SIZES_OF_JPEG = frozenset(range(0xFFC0, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}


def check_refers_to_no_file(path: str) -> None:
    """Refuses a file that makes FFmpeg open others.

    Raises:
      UnreadableVideo: it is a playlist, or its name is a pattern of pictures' names.
      OSError: it cannot be read.
    """
    stem, extension = os.path.splitext(os.path.basename(path).lower())
    if extension in PICTURE_EXTENSIONS and _PATTERN.search(stem):
        raise UnreadableVideo("its name is a pattern of other names: rename it")
    with open(path, "rb") as file:
        head = file.read(_PROBED_BYTES).lower()
    for name, marks in _PLAYLISTS:
        if all(mark in head for mark in marks):
            raise UnreadableVideo(
                f"it is a playlist ({name}), which refers to other files; give these"
            )


def check_size(
    width: float, height: float, max_megapixels: float, name: str = "it"
) -> None:
    """Refuses pictures of more pixels than are decoded.

    Args:
      width: in pixels.
      height: in pixels.
      max_megapixels: most millions of pixels.
      name: what has this size.

    Raises:
      UnreadableVideo: there are more.
    """
    if width * height > max_megapixels * 1e6:
        raise UnreadableVideo(
            f"{name} has {width:,.0f} x {height:,.0f} pixels, more than"
            f" --max_megapixels={max_megapixels:g} million"
        )


def size_of_picture(content: bytes) -> tuple[int, int] | None:
    """Returns width and height of a picture by its header; None if it has none."""
    if content.startswith(b"\xff\xd8\xff"):
        size = _size_of_jpeg(content)
        if size is not None:
            return size
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return struct.unpack_from(">II", content.ljust(24, b"\0"), 16)
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # the limit is that of the caller
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error):
        return None


def _size_of_jpeg(content: bytes) -> tuple[int, int] | None:
    offset = 2
    while offset + 9 <= len(content):
        marker, length = struct.unpack_from(">HH", content, offset)
        if marker == 0xFFFF:  # padding
            offset += 1
            continue
        if marker in _SIZES_OF_JPEG:
            height, width = struct.unpack_from(">HH", content, offset + 5)
            return width, height
        if marker < 0xFF00 or marker == 0xFFDA or length < 2:
            return None
        offset += 2 + length
    return None
