"""Small generated videos for tests; every picture says which one it is."""

from __future__ import annotations

import pathlib
import struct
from typing import Sequence

import numpy as np

from data_prep.opencv import cv2

WIDTH, HEIGHT = 64, 48
# A picture's number in two digits of this base: grey of the left and the right half.
_BASE = 23
_GREY_STEP = 11


def numbered_picture(number: int, width: int = WIDTH, height: int = HEIGHT):
    """Returns [H, W, 3] uint8 that `picture_number` reads; number up to 528."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[:, : width // 2] = number // _BASE * _GREY_STEP
    picture[:, width // 2 :] = number % _BASE * _GREY_STEP
    return picture


def picture_number(jpeg: bytes) -> int:
    """Returns the number of the picture that a JPEG string shows."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    half = picture.shape[1] // 2
    high = round(float(picture[:, : half - 4].mean()) / _GREY_STEP)
    low = round(float(picture[:, half + 4 :].mean()) / _GREY_STEP)
    return high * _BASE + low


def write_pictures(path: pathlib.Path, pictures: Sequence, fps: float = 25.0) -> None:
    """Writes a video: intra-coded, .avi or .mp4 by the name of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = pictures[0].shape[:2]
    codec = cv2.VideoWriter.fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v"))
    size = (width, height)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, fps, size)
    assert writer.isOpened(), path
    for picture in pictures:
        writer.write(picture)
    writer.release()


def write_video(
    path: pathlib.Path, num_pictures: int = 10, fps: float = 25.0, first: int = 0
) -> None:
    """Writes a video of the pictures `first`, `first` + 1, ..."""
    numbers = range(first, first + num_pictures)
    write_pictures(path, [numbered_picture(number) for number in numbers], fps)


def set_rotation_tag(path: pathlib.Path, degrees: int) -> None:
    """Makes an .mp4 ask for a clockwise turn of 90, 180 or 270 degrees."""
    cos = {90: 0, 180: -1, 270: 0}[degrees]
    sin = {90: 1, 180: 0, 270: -1}[degrees]
    one = 1 << 16
    matrix = struct.pack(
        ">9i", cos * one, sin * one, 0, -sin * one, cos * one, 0, 0, 0, 1 << 30
    )
    content = bytearray(path.read_bytes())
    # In the track header, version 0: 40 bytes of other fields after the name.
    start = content.index(b"tkhd") + 4 + 40
    content[start : start + len(matrix)] = matrix
    path.write_bytes(content)


def set_durations(path: pathlib.Path, durations: Sequence[tuple[int, float]]) -> None:
    """Gives the pictures of an .mp4 other durations, of the same sum.

    Args:
      path: file as OpenCV writes it: one track, its tables behind the pictures.
      durations: (number of pictures, seconds that each stays) in order.
    """
    content = bytearray(path.read_bytes())
    moov = content.index(b"moov")
    media = content.index(b"mdhd", moov)
    (ticks_per_sec,) = struct.unpack_from(">I", content, media + 4 + 12)
    table = struct.pack(">II", 0, len(durations))
    for count, secs in durations:
        table += struct.pack(">II", count, round(secs * ticks_per_sec))
    start = content.index(b"stts", moov)
    (old_size,) = struct.unpack_from(">I", content, start - 4)
    new_size = 8 + len(table)
    content[start + 4 : start - 4 + old_size] = table
    struct.pack_into(">I", content, start - 4, new_size)
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        place = content.index(box, moov) - 4
        (size,) = struct.unpack_from(">I", content, place)
        struct.pack_into(">I", content, place, size + new_size - old_size)
    path.write_bytes(content)


def write_picture(path: pathlib.Path, number: int, size: Sequence[int] = ()) -> bytes:
    """Writes a numbered picture as its ending says; returns the bytes of the file.

    Args:
      path: of the file.
      number: of the picture.
      size: width and height, as of the videos by default.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), numbered_picture(number, *size))
    return path.read_bytes()


def put_index_first(path: pathlib.Path) -> None:
    """Moves the tables of an .mp4 before its pictures, as files for the web have it.

    Args:
      path: file as OpenCV writes it: one track, its tables behind the pictures.
    """
    content = path.read_bytes()
    start = content.index(b"moov") - 4
    index = bytearray(content[start:])
    first = struct.unpack_from(">I", content)[0]  # Behind the box `ftyp`.
    table = index.index(b"stco") + 8
    (count,) = struct.unpack_from(">I", index, table)
    for place in range(table + 4, table + 4 + 4 * count, 4):
        (offset,) = struct.unpack_from(">I", index, place)
        struct.pack_into(">I", index, place, offset + len(index))
    path.write_bytes(content[:first] + index + content[first:start])


def cut(path: pathlib.Path, share: float) -> None:
    """Leaves the first part of a file, as a broken download does."""
    content = path.read_bytes()
    path.write_bytes(content[: round(share * len(content))])
