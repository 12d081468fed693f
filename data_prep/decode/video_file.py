"""One open video file: its pictures one after the other, and what is wrong with it.

`decode_frames` reads it.  A picture is decoded by `grab`, and converted to BGR only
if it is asked for.
"""

from __future__ import annotations

import os
from types import TracebackType

import numpy as np

from data_prep.decode import container
from data_prep.decode.frame_encoder import as_bgr
from data_prep.decode.opencv import cv2
from data_prep.decode.unreadable_video import UnreadableVideo

# What `rotate` needs for each rotation tag, in degrees clockwise.
_TURNS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
# By the tag of the container; OpenCV's packages open it but have no decoder of it.
_AV1 = "AV01"


class VideoFile:
    """An open video file; a context manager.

    Attributes:
      path: of the file.
      nominal_fps: as claimed by the file; may be absurd.
      claimed_pictures: as claimed by the file; may be absurd.
      turn: of `cv2.rotate`, that makes its pictures upright; None if they are.
    """

    def __init__(self, path: str) -> None:
        # One thread: damaged files decode to the same frames on every machine, and
        # processes already use all cores.  FFmpeg by name: OpenCV would otherwise
        # try its reader of numbered pictures on names with digits.
        self.path = path
        self._capture = cv2.VideoCapture()
        self._buffers: list[np.ndarray | None] = [None, None]
        options = [cv2.CAP_PROP_N_THREADS, 1]
        if not os.path.isfile(path) or not self._capture.open(
            os.path.abspath(path), cv2.CAP_FFMPEG, options
        ):
            raise UnreadableVideo(_why_closed(path))
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        degrees = int(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
        self.turn: int | None = _TURNS.get(degrees)
        self.nominal_fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.claimed_pictures = float(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._capture.release()

    def grab(self) -> bool:
        """Decodes the next picture; False when there is none.

        The number of frames that the file claims plays no part: it is often wrong.
        """
        return bool(self._capture.grab())

    def stamp_secs(self) -> float:
        """Returns the time stamp of the picture that was grabbed."""
        return float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000

    def picture(self) -> np.ndarray | None:
        """Returns the picture that was grabbed, [H, W, 3] uint8 BGR, not turned.

        It may be overwritten at the next call but one.  None if OpenCV cannot convert
        it, which ends the video.
        """
        # New memory for every picture would take as long as its conversion.
        converted, picture = self._capture.retrieve(self._buffers[0])
        if not converted:
            return None
        self._buffers = [self._buffers[1], picture]
        return as_bgr(picture)

    def why_no_picture(self) -> str:
        """Says why no picture of the file can be decoded."""
        facts = container.read_metadata(self.path)
        fourcc = int(self._capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
        name = fourcc.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ")
        codec = f"codec {name}" if name.isprintable() and name else "no codec"
        if facts.is_encrypted:
            return f"it is encrypted ({codec})"
        if facts.missing_bytes:
            return f"no frame of it can be decoded ({codec}): {_cut_short(facts)}"
        if name == _AV1:
            return "no frame of it can be decoded: this OpenCV has no decoder for AV1"
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
    facts = container.read_metadata(path)
    if facts.is_encrypted:
        return "it is encrypted"
    if facts.has_sound and not facts.has_video:
        return "it has sound but no picture"
    if not facts.has_index:
        return "it is cut short, or one part of a stream: its index (moov) is missing"
    if facts.missing_bytes:
        return f"OpenCV cannot open it: {_cut_short(facts)}"
    if facts.kind and not facts.has_video:
        return f"it is {facts.kind} without a video track that OpenCV can decode"
    return "OpenCV cannot open it as a video"


def _cut_short(facts: container.ContainerMetadata) -> str:
    return f"it is cut short, {facts.missing_bytes} bytes are missing"
