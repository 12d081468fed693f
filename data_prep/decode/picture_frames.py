"""Encodes the frames of a folder of numbered pictures, or of one picture.

A JPEG file of the right size is stored unchanged, so that frames that were extracted
before lose nothing.
"""

from __future__ import annotations

import os
import struct

import numpy as np

from data_prep.config import FrameSettings
from data_prep.decode import frame_order, refused_content
from data_prep.decode.frame_encoder import FrameEncoder
from data_prep.decode.opencv import cv2
from data_prep.decode.refused_content import DEFAULT_MEGAPIXELS
from data_prep.decode.unreadable_video import UnreadableVideo
from data_prep.index.media_tree import PICTURE_EXTENSIONS
from vie_tf.storage.frame_spool import FramesRead

_EXIF_ORIENTATION = 0x0112
# Rounding may put the start of a segment slightly before its first picture.
_TOLERANCE_PICTURES = 1e-3


def encode_folder(
    path: str,
    settings: FrameSettings,
    start: float,
    end: float,
    max_megapixels: float = DEFAULT_MEGAPIXELS,
    frames_read: FramesRead | None = None,
) -> tuple[FrameEncoder, tuple[str, ...]]:
    """Returns the pictures of a folder as frames, `settings.fps` of them a second.

    Args:
      path: folder.  Hidden files and other files than pictures are skipped; numbers
        in the names are sorted as numbers.
      settings: settings of the frames.
      start: start of the segment, in seconds.
      end: end of the segment, in seconds; may be infinite.
      max_megapixels: largest picture that is decoded, in millions of pixels.
      frames_read: see `decode_video`; a broken picture is refused even so.

    Returns:
      The frames, and notes on gaps and doubles, see `frame_order.order`.

    Raises:
      UnreadableVideo: there is no picture, or one of them is broken.
    """
    names, notes = frame_order.order(_picture_names(path))
    length = len(names) / settings.fps
    if start >= length:
        raise UnreadableVideo(
            f"its segment starts at {start:.4g} s, but its {len(names)} pictures at"
            f" {settings.fps:g} fps end at {length:.4g} s"
        )
    first = int(start * settings.fps + _TOLERANCE_PICTURES)
    count = max(1, round((min(end, length) - start) * settings.fps))
    names = names[first : first + count]
    encoder = FrameEncoder(settings)
    encoder.wanted = frames_read(len(names)) if frames_read else None
    for name in names:
        _add_picture(encoder, os.path.join(path, name), name, max_megapixels)
    return encoder, notes


def encode_image(
    path: str, settings: FrameSettings, max_megapixels: float = DEFAULT_MEGAPIXELS
) -> FrameEncoder:
    """Returns a picture as the only frame.

    Raises:
      UnreadableVideo: it is broken, too large, or not a picture.
    """
    if not os.path.exists(path):
        raise UnreadableVideo("there is no such file (or a broken link)")
    encoder = FrameEncoder(settings)
    _add_picture(encoder, path, "it", max_megapixels)
    return encoder


def _picture_names(folder: str) -> list[str]:
    """Returns the pictures of a folder."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise UnreadableVideo(f"no folder of pictures: {error.strerror}") from None
    names = [
        name
        for name in names
        if os.path.splitext(name.lower())[1] in PICTURE_EXTENSIONS
        and not name.startswith(".")
    ]
    if not names:
        extensions = " ".join(sorted(PICTURE_EXTENSIONS))
        raise UnreadableVideo(f"the folder has no pictures ({extensions})")
    return names


def _add_picture(
    encoder: FrameEncoder, path: str, name: str, max_megapixels: float
) -> None:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise UnreadableVideo(f"{name} cannot be read: {error.strerror}") from None
    if not content:
        raise UnreadableVideo(f"{name} is empty")
    size = refused_content.size_of_picture(content)
    if size is not None:
        refused_content.check_size(*size, max_megapixels, name)
    # Without a size there is no header that a decoder could allocate memory by.
    picture = _decoded(content) if size is not None else None
    header = _JpegHeader(content)
    if picture is None and content[4:8] == b"ftyp":
        raise UnreadableVideo(
            f"{name} is HEIC or AVIF, which this OpenCV cannot decode; convert it to"
            " JPEG"
        )
    if picture is None or (header.is_jpeg and not header.is_complete):
        raise UnreadableVideo(f"{name} is broken, or not a picture")
    height, width = picture.shape[:2]
    if encoder.settle_size(width, height) == (width, height) and header.is_plain:
        encoder.append(content if encoder.wants(len(encoder.frames)) else b"")
        return
    encoder.on_display = picture
    encoder.fill_up_to(len(encoder.frames) + 1)


def _decoded(content: bytes) -> np.ndarray | None:
    """Returns a picture, [H, W, 3] uint8 BGR and upright, or None."""
    try:
        # With 8 bits and three channels, and rotated by its Exif tag.
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # Such as a picture of more than 2^30 pixels.
        return None


class _JpegHeader:
    """Properties of a file that decide whether it is stored unchanged.

    Attributes:
      is_jpeg: whether it is a JPEG file.
      is_complete: whether its end exists; decoders would fill up a missing one.
      is_plain: whether every reader shows the same picture: three channels of 8 bits,
        and no rotation tag, which TensorFlow ignores.
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
        """Reads the header and returns the offset of its end."""
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
