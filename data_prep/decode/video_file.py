"""An open video file: its pictures in sequence, and explanations of its faults.

A picture is decoded by `grab`, and converted to BGR only if it is asked for.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, cast

import numpy as np

from data_prep.decode import container, refused_content, video_streams
from data_prep.decode.frame_encoder import as_bgr
from data_prep.decode.opencv import cv2
from data_prep.decode.refused_content import DEFAULT_MEGAPIXELS
from data_prep.decode.unreadable_video import UnreadableVideo
from data_prep.decode.whole_pictures import WholePictures

# Code of `cv2.rotate` for each rotation tag, in degrees clockwise.
_ROTATIONS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
# Sample aspect ratios beyond this are errors, and those closer to 1 are what is left
# when somebody rounded the size of the pictures.
_CREDIBLE_ASPECTS = (0.2, 5.0)
_NEGLIGIBLE_ASPECT = 0.02
# Before 4.13 OpenCV does not convert the last rows of pictures of so many bits if their
# height is no multiple of 16: they show what was in memory, other pictures every time.
# They become copies of the row before.  Tags of such formats end with their bits.
_LEAVES_ROWS_OUT = tuple(map(int, cv2.__version__.split(".")[:2])) < (4, 13)
_ROWS_LEFT_OUT = 3
_BITS_WITH_ROWS_LEFT_OUT = (9, 10, 12, 14, 16)
# Codec tag of containers that OpenCV's packages open, but cannot decode.
_AV1 = "AV01"


class VideoFile:
    """An open video file, of whose video streams the film is read; a context manager.

    Args:
      path: path of the file.
      max_megapixels: largest picture that is decoded, in millions of pixels.

    Attributes:
      path: path of the file.
      nominal_fps: frame rate in the file, which may be absurd.
      claimed_pictures: number of pictures in the file, which may be absurd.
      rotation: code of `cv2.rotate` that makes its pictures upright, or None.
      pixel_aspect: width of a stored pixel divided by its height.
      hdr: `PQ` or `HLG` for pictures of high dynamic range, if the container says so.
    """

    def __init__(self, path: str, max_megapixels: float = DEFAULT_MEGAPIXELS) -> None:
        # With one thread, damaged files decode to the same frames on every machine, and
        # processes use all cores already.  FFmpeg is named, since OpenCV would try its
        # reader of numbered pictures on names with digits.
        self.path = path
        self._capture = cv2.VideoCapture()
        self._buffers: list[np.ndarray | None] = [None, None]
        self._patched: video_streams.PatchedFile | None = None
        if not os.path.isfile(path) or not os.access(path, os.R_OK):
            raise UnreadableVideo(_why_closed(path))
        refused_content.check_refers_to_no_file(path)
        streams = video_streams.find(path)
        film = video_streams.choose(streams)
        self.hdr = film.hdr if film else ""
        if not self._open(video_streams.patches(streams)):
            raise UnreadableVideo(_why_closed(path))
        sides = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        width, height = map(self._capture.get, sides)
        refused_content.check_size(width, height, max_megapixels)
        if film is None and _is_sound(container.read_metadata(path)):
            raise UnreadableVideo("it has sound and a cover picture, but no video")
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        degrees = int(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
        self.rotation: int | None = _ROTATIONS.get(degrees)
        self.nominal_fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.claimed_pictures = float(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.pixel_aspect = self._read_pixel_aspect()
        bits = int(self._capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) >> 24
        self._leaves_rows_out = (
            _LEAVES_ROWS_OUT and bits in _BITS_WITH_ROWS_LEFT_OUT and height % 16 > 0
        )
        self._pictures: cv2.VideoCapture | WholePictures = self._capture
        if container.read_metadata(path).missing_bytes:
            self._pictures = WholePictures(self._capture)

    def _open(self, changes: list[video_streams.Patch]) -> bool:
        options = [cv2.CAP_PROP_N_THREADS, 1]
        if not changes:
            path = os.path.abspath(self.path)
            return bool(self._capture.open(path, cv2.CAP_FFMPEG, options))
        # Kept, as OpenCV reads from it.
        self._patched = video_streams.PatchedFile(self.path, changes)
        reader = cast(Any, self._patched)
        try:
            return bool(self._capture.open(reader, cv2.CAP_FFMPEG, options))
        except (TypeError, cv2.error):
            raise UnreadableVideo(
                "its first video stream is not its film, and only OpenCV 4.11 and later"
                " can read another one"
            ) from None

    def _read_pixel_aspect(self) -> float:
        width = self._capture.get(cv2.CAP_PROP_SAR_NUM)
        height = self._capture.get(cv2.CAP_PROP_SAR_DEN)
        aspect = width / height if width > 0 and height > 0 else 1.0
        low, high = _CREDIBLE_ASPECTS
        is_rounding = abs(aspect - 1) <= _NEGLIGIBLE_ASPECT
        return 1.0 if is_rounding or not low <= aspect <= high else aspect

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._capture.release()
        if self._patched is not None:
            self._patched.close()

    def grab(self) -> bool:
        """Decodes the next picture; False if there is none.

        The number of frames in the file is ignored, since it is often wrong.
        """
        return bool(self._pictures.grab())

    def seek(self, secs: float) -> bool:
        """Goes to a time, or near it; False where the file does not allow it.

        Places are only as good as the index of the file, so what needs exact times
        reads from the beginning.
        """
        self._pictures = self._capture
        return bool(self._capture.set(cv2.CAP_PROP_POS_MSEC, 1000 * secs))

    def stamp_secs(self) -> float:
        """Returns the time stamp of the grabbed picture."""
        return float(self._pictures.get(cv2.CAP_PROP_POS_MSEC)) / 1000

    def picture(self) -> np.ndarray | None:
        """Returns the grabbed picture, [H, W, 3] uint8 BGR, not rotated.

        The next call but one may overwrite it.  None if OpenCV cannot convert it, which
        ends the video.
        """
        # New memory for every picture would cost as much time as its conversion.
        converted, picture = self._pictures.retrieve(self._buffers[0])
        if not converted:
            return None
        self._buffers = [self._buffers[1], picture]
        if self._leaves_rows_out:
            picture[-_ROWS_LEFT_OUT:] = picture[-_ROWS_LEFT_OUT - 1]
        return as_bgr(picture)

    def why_no_picture(self) -> str:
        """Explains why no picture of the file can be decoded."""
        metadata = container.read_metadata(self.path)
        fourcc = int(self._capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
        name = fourcc.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ")
        codec = f"codec {name}" if name.isprintable() and name else "no codec"
        if metadata.is_encrypted:
            return f"it is encrypted ({codec})"
        if metadata.missing_bytes:
            return f"no frame of it can be decoded ({codec}): {_cut_short(metadata)}"
        if name == _AV1:
            return "no frame of it can be decoded: this OpenCV has no decoder for AV1"
        if metadata.kind == container.WEBP:
            return "it is an animated WebP, which this OpenCV cannot decode as a video"
        return f"no frame of it can be decoded ({codec})"


def _why_closed(path: str) -> str:
    if not os.path.exists(path):
        return "there is no such file (or a broken link)"
    if not os.path.isfile(path):
        return "it is not a file"
    if not os.access(path, os.R_OK):
        return "no permission to read it"
    if os.path.getsize(path) == 0:
        return "the file is empty"
    metadata = container.read_metadata(path)
    if metadata.is_encrypted:
        return "it is encrypted"
    if _is_sound(metadata):
        return "it has sound but no picture"
    if not metadata.has_index:
        return "it is cut short, or one part of a stream: its index (moov) is missing"
    if metadata.missing_bytes:
        return f"OpenCV cannot open it: {_cut_short(metadata)}"
    if metadata.kind and not metadata.has_video:
        return f"it is {metadata.kind} without a video track that OpenCV can decode"
    return "OpenCV cannot open it as a video"


def _is_sound(metadata: container.ContainerMetadata) -> bool:
    return metadata.has_sound and not metadata.has_video


def _cut_short(metadata: container.ContainerMetadata) -> str:
    return f"it is cut short, {metadata.missing_bytes} bytes are missing"
