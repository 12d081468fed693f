"""Pictures -> frames: a folder of numbered pictures, or one picture.

What `decode_frames` does with videos, for media that are pictures already.  A JPEG
file of the right size is stored as it is, byte for byte, so that frames that were
extracted once do not lose anything.
"""

from __future__ import annotations

import os
import re
import struct

import numpy as np

from data_prep.config import FrameSettings
from data_prep.decode.frame_encoder import FrameEncoder
from data_prep.decode.opencv import cv2
from data_prep.decode.unreadable_video import UnreadableVideo

PICTURE_ENDINGS = (
    *(".jpg", ".jpeg", ".png", ".bmp"),
    *(".webp", ".tif", ".tiff", ".ppm"),
)

_EXIF_ORIENTATION = 0x0112
# Float arithmetic puts a segment a little before the picture it is meant to start at.
_TOLERANCE_PICTURES = 1e-3


def encode_folder(
    path: str, settings: FrameSettings, start: float, end: float
) -> FrameEncoder:
    """Returns the pictures of a folder as frames, `settings.fps` of them a second.

    Args:
      path: folder; hidden files, and those without the ending of a picture, are
        skipped, numbers in the names count as numbers.
      settings: of the frames.
      start: of the segment, in seconds.
      end: of the segment, in seconds; may be infinite.

    Raises:
      UnreadableVideo: there is no picture, or one of them is broken.
    """
    names = _picture_names(path)
    length = len(names) / settings.fps
    if start >= length:
        raise UnreadableVideo(
            f"its segment starts at {start:.4g} s, but its {len(names)} pictures at"
            f" {settings.fps:g} fps end at {length:.4g} s"
        )
    first = int(start * settings.fps + _TOLERANCE_PICTURES)
    count = max(1, round((min(end, length) - start) * settings.fps))
    strip = FrameEncoder(settings)
    for name in names[first : first + count]:
        _add_picture(strip, os.path.join(path, name), name)
    return strip


def encode_image(path: str, settings: FrameSettings) -> FrameEncoder:
    """Returns a picture as the only frame of a strip.

    Raises:
      UnreadableVideo: it is broken, or no picture.
    """
    if not os.path.exists(path):
        raise UnreadableVideo("there is no such file (or a broken link)")
    strip = FrameEncoder(settings)
    _add_picture(strip, path, "it")
    return strip


def _picture_names(folder: str) -> list[str]:
    """Returns the pictures of a folder in the order of their numbers."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise UnreadableVideo(f"no folder of pictures: {error.strerror}") from None
    names = [
        name
        for name in names
        if name.lower().endswith(PICTURE_ENDINGS) and not name.startswith(".")
    ]
    if not names:
        endings = " ".join(ending[1:] for ending in PICTURE_ENDINGS)
        raise UnreadableVideo(f"the folder has no pictures ({endings})")
    return sorted(names, key=_natural_key)


def _natural_key(name: str) -> tuple[list[str | int], str]:
    """Orders 2.jpg before 10.jpg."""
    parts = re.split(r"([0-9]+)", name)  # Every second one is a number.
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def _add_picture(strip: FrameEncoder, path: str, name: str) -> None:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise UnreadableVideo(f"{name} cannot be read: {error.strerror}") from None
    if not content:
        raise UnreadableVideo(f"{name} is empty")
    picture = _decoded(content)
    header = _JpegHeader(content)
    if picture is None or (header.is_jpeg and not header.is_complete):
        raise UnreadableVideo(f"{name} is broken, or not a picture")
    height, width = picture.shape[:2]
    if strip.settle_size(width, height) == (width, height) and header.is_plain:
        strip.append(content)
        return
    strip.on_display = picture
    strip.fill_up_to(len(strip.frames) + 1)


def _decoded(content: bytes) -> np.ndarray | None:
    """Returns a picture, [H, W, 3] uint8 BGR and upright, or None."""
    try:
        # Of 8 bits and three channels, and turned as its Exif tag says.
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # Such as a picture of more than 2^30 pixels.
        return None


class _JpegHeader:
    """What has to be known of a JPEG file to store it as it is.

    Attributes:
      is_jpeg: whether it is one.
      is_complete: whether its end is there; decoders fill up what is missing.
      is_plain: whether every reader shows it as we do: three channels of 8 bits, and
        no tag that says how to turn it, which TensorFlow does not follow.
    """

    def __init__(self, content: bytes) -> None:
        self.is_jpeg = content.startswith(b"\xff\xd8\xff")
        self.is_complete = False
        self._has_usual_channels, self._orientation = False, 1
        if self.is_jpeg:
            start = self._read_segments(content)
            self.is_complete = content.rfind(b"\xff\xd9", start) >= 0
        self.is_plain = (
            self.is_complete
            and self._has_usual_channels
            and self._orientation in (0, 1)
        )

    def _read_segments(self, content: bytes) -> int:
        """Reads up to the start of the picture itself, which is returned."""
        offset = 2
        while offset + 4 <= len(content):
            marker, size = struct.unpack_from(">HH", content, offset)
            if marker == 0xFFFF:  # Padding.
                offset += 1
                continue
            body = content[offset + 4 : offset + 2 + size]
            if marker == 0xFFDA or marker < 0xFF00 or size < 2:
                break
            if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
                self._has_usual_channels = (
                    len(body) > 5 and body[0] == 8 and body[5] == 3
                )
            if marker == 0xFFE1 and body.startswith(b"Exif\0\0"):
                self._orientation = _exif_orientation(body[6:])
            offset += 2 + size
        return offset


def _exif_orientation(tiff: bytes) -> int:
    """Returns the orientation of an Exif segment, 1 (upright) if it has none."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff + bytes(2), min(start, len(tiff)))
    for place in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, place)
        if tag == _EXIF_ORIENTATION:
            return int(value)
    return 1
