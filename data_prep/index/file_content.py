"""Recognizes videos and pictures by the first bytes of a file.

Files whose ending says nothing are recognized here; whether they can be decoded, the
decoder finds out.
"""

from __future__ import annotations

import re

# The headers of all formats below, and the animation chunk of a PNG, come early.
_HEAD_BYTES = 4096
_TS_PACKET = 188

_VIDEO_STARTS = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG-1 and MPEG-2 pictures
    b"\x00\x00\x01\xb0",  # MPEG-4 pictures
    b"FLV\x01",
    b"GIF8",
    b"DKIF",  # IVF
    b"DHAV",  # recorders of Dahua
    b".RMF",
    b"YUV4MPEG2",
)
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"moof", b"styp", b"wide", b"skip", b"free")
_PICTURE_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"jp2 ")
_SOUND_BRANDS = (b"M4A ", b"M4B ", b"M4P ")
# H.264 and H.265 without a container: a parameter set or an access unit delimiter.
_ANNEX_B = re.compile(rb"\0{2,3}\x01(?:[\x27\x47\x67]|\x09[\x10-\xf0]|[\x40\x46]\x01)")
_OGG_VIDEO = (b"theora", b"BBCD", b"OVP80", b"\x01video")
_PICTURE_STARTS = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"II*\0",  # TIFF
    b"MM\0*",
    b"\0\0\0\x0cjP  ",  # JPEG 2000
)


def holds(media: str, path: str) -> bool:
    """Tells whether the first bytes of a file are those of a video, or of a picture.

    Args:
      media: `videos` or `images`.
      path: file.

    Returns:
      False also for a file that cannot be read.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    return _is_picture(head) if media == "images" else _is_video(head)


def _is_video(head: bytes) -> bool:
    if head.startswith(_VIDEO_STARTS) or _ANNEX_B.match(head):
        return True
    if head[4:8] in _FIRST_BOXES:
        return head[8:12] not in (*_PICTURE_BRANDS, *_SOUND_BRANDS)
    if head[:4] == b"RIFF":
        is_animated = head[8:16] == b"WEBPVP8X" and b"ANIM" in head
        return head[8:12] in (b"AVI ", b"CDXA") or is_animated
    if head[:4] == b"OggS":
        return any(name in head for name in _OGG_VIDEO)
    if head.startswith(b"\x89PNG"):
        return b"acTL" in head
    # Packets of a transport stream; those of cameras have four bytes before each.
    return any(
        len(head) > 2 * packet and head[start::packet][:3] == b"GGG"
        for start, packet in ((0, _TS_PACKET), (4, _TS_PACKET + 4))
    )


def _is_picture(head: bytes) -> bool:
    if head[4:8] == b"ftyp":
        return head[8:12] in _PICTURE_BRANDS
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return is_webp or head.startswith(_PICTURE_STARTS)
