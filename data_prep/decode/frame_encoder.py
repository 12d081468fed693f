"""Encodes pictures as JPEG frames of one size.

Only the JPEG strings are kept, and a picture that fills several frames is encoded once.
Frames that nobody will read can be left empty.
"""

from __future__ import annotations

import math
from typing import Collection

import numpy as np

from data_prep.config import FrameSettings
from data_prep.decode.opencv import cv2
from data_prep.decode.unreadable_video import UnreadableVideo
from vie_tf.storage.frame_spool import FrameSpool

# The limit of libjpeg, and slightly more than the pixels of 8K (7680 x 4320), 100 MB as
# BGR: a thin line of pixels would otherwise become huge when it is enlarged.
MAX_SIDE = 65_500
MAX_PIXELS = 2**25
# A Gaussian of this deviation, in pixels of the smaller picture, leaves hardly any
# aliasing.  Linear interpolation has this variance by itself, averaged over positions
# between two pixels, so that below this factor no blur is needed.
_BLUR_DEVIATION = 0.42
_LINEAR_VARIANCE = 1 / 6
_BLUR_FACTOR = 1.2


class FrameEncoder:
    """The JPEG frames so far, and the picture that fills the next ones.

    Args:
      settings: settings of the frames.
      rotation: code of `cv2.rotate` that makes the pictures upright, or None.
      pixel_aspect: width of a pixel of the pictures divided by its height.  If it is
        not 1, the pictures keep their height and become wider or narrower.

    Attributes:
      frames: JPEG strings.
      size: width and height of all frames, which the first picture decides.  Later
        pictures of another size (streams may change it) are resized to it.
      on_display: current picture, [H, W, 3] uint8 BGR, not rotated yet, or None.
      wanted: numbers of the frames that are stored, and the first one besides, which
        decides the size; the others become empty strings.  None for all.
    """

    def __init__(
        self,
        settings: FrameSettings,
        rotation: int | None = None,
        pixel_aspect: float = 1.0,
    ) -> None:
        self.frames = FrameSpool()
        self.size = (0, 0)
        self.on_display: np.ndarray | None = None
        self._shortest_side = settings.shortest_side
        self._enlarge = settings.enlarge
        self._max_bytes = settings.max_record_bytes
        self._encoding = [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg_quality]
        self._rotation = rotation
        self._pixel_aspect = pixel_aspect
        self.wanted: Collection[int] | None = None
        self._resizer = _Resizer()
        self._bytes = 0

    def fill_up_to(self, count: int) -> bool:
        """Repeats the current picture until there are `count` frames.

        Returns:
          False if a frame is wanted and there is no picture.
        """
        missing = count - len(self.frames)
        if missing <= 0:
            return True
        if not self.wants_before(count):
            self.append(b"", missing)
            return True
        if self.on_display is None:
            return False
        self.append(self._encode(self.on_display), missing)
        return True

    def wants_before(self, count: int) -> bool:
        """Whether one of the next frames, up to `count` frames in all, is stored."""
        return any(map(self.wants, range(len(self.frames), count)))

    def wants(self, number: int) -> bool:
        """Whether the frame of a number is stored."""
        return self.wanted is None or number == 0 or number in self.wanted

    def append(self, jpeg: bytes, times: int = 1) -> None:
        """Adds an encoded frame of the right size.

        Raises:
          UnreadableVideo: there are more frames than a record can hold.
        """
        self._bytes += times * len(jpeg)
        if self._bytes > self._max_bytes:
            raise UnreadableVideo(
                f"too long for one record (its first {len(self.frames)} frames fill"
                f" {self._max_bytes >> 20} MiB); cut it into parts"
            )
        self.frames.append(jpeg, times)

    def settle_size(self, width: int, height: int) -> tuple[int, int]:
        """Returns the size of all frames, which the first picture decides.

        Raises:
          UnreadableVideo: the frames would be too large.
        """
        if self.size == (0, 0):
            scale = self._shortest_side / min(width, height)
            if not self._enlarge:
                scale = min(1.0, scale)
            wide, high = round(width * scale), round(height * scale)
            if max(wide, high) > MAX_SIDE or wide * high > MAX_PIXELS:
                raise UnreadableVideo(
                    f"its pictures of {width} x {height} pixels would be frames of"
                    f" {wide} x {high}, more than the {MAX_SIDE} a side or"
                    f" {MAX_PIXELS} in all that can be stored"
                )
            self.size = (wide, high)
        return self.size

    def _encode(self, picture: np.ndarray) -> bytes:
        if self._pixel_aspect != 1:
            picture = self._with_square_pixels(picture)
        # Rotated after resizing, which is faster.
        is_sideways = self._rotation not in (None, cv2.ROTATE_180)
        height, width = picture.shape[1::-1] if is_sideways else picture.shape[:2]
        size = self.settle_size(width, height)
        picture = self._resizer.resized(picture, size[::-1] if is_sideways else size)
        if self._rotation is not None:
            picture = cv2.rotate(picture, self._rotation)
        encoded, jpeg = cv2.imencode(".jpg", picture, self._encoding)
        if not encoded:
            raise UnreadableVideo(f"frames of {size} pixels cannot be stored as JPEG")
        return jpeg.tobytes()

    def _with_square_pixels(self, picture: np.ndarray) -> np.ndarray:
        height, width = picture.shape[:2]
        size = (max(1, round(width * self._pixel_aspect)), height)
        how = cv2.INTER_CUBIC if self._pixel_aspect > 1 else cv2.INTER_AREA
        return cv2.resize(picture, size, interpolation=how)


def as_bgr(picture: np.ndarray) -> np.ndarray:
    """Returns a picture as three 8-bit channels.

    Args:
      picture: [H, W], or [H, W, C] with C of 1 (gray), 3 (BGR) or 4 (BGRA, whose
        alpha is dropped); uint8 or uint16 (whose upper byte is taken).

    Returns:
      [H, W, 3] uint8.

    Raises:
      UnreadableVideo: anything else.
    """
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    channels = picture.shape[2] if picture.ndim == 3 else 1
    if picture.dtype == np.uint8 and channels == 3:
        return picture
    if picture.dtype == np.uint8 and channels == 1:
        return cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    if picture.dtype == np.uint8 and channels == 4:
        return cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR)
    raise UnreadableVideo(f"frames of {channels} x {picture.dtype} are not known")


class _Resizer:
    """Resizes pictures in memory that is reused.

    New memory for every step of every picture would cost a fifth of the time.
    """

    def __init__(self) -> None:
        self._buffers: dict[tuple[str, int, int], np.ndarray] = {}

    def resized(self, picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Returns a picture of a size (width, height), valid until the next call."""
        height, width = picture.shape[:2]
        if size == (width, height):
            return picture
        if size[0] > width or size[1] > height:
            # Smoother than linear, and rings less than Lanczos.
            return self._resize(picture, size, cv2.INTER_CUBIC)
        return self._shrunk(picture, size)

    def _shrunk(self, picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Returns a picture of a smaller size (width, height), without aliasing.

        `INTER_AREA` does the same, but is 2 to 5 times slower except for halves, and
        not closer to an ideal filter (854 x 480 to 569 x 320: 46 dB in 1.9 ms, against
        50 dB in 0.7 ms).
        """
        height, width = picture.shape[:2]
        while width >= 2 * size[0] and height >= 2 * size[1]:
            width, height = width // 2, height // 2
            picture = self._resize(picture, (width, height), cv2.INTER_AREA)
        factor = min(width / size[0], height / size[1])
        if factor > _BLUR_FACTOR:
            # The variance that linear interpolation lacks.
            variance = (_BLUR_DEVIATION * factor) ** 2 - _LINEAR_VARIANCE
            buffer = self._buffer("blurred", width, height)
            picture = cv2.GaussianBlur(picture, (3, 3), math.sqrt(variance), buffer)
        return self._resize(picture, size, cv2.INTER_LINEAR)

    def _resize(
        self, picture: np.ndarray, size: tuple[int, int], how: int
    ) -> np.ndarray:
        buffer = self._buffer("resized", *size)
        return cv2.resize(picture, size, buffer, interpolation=how)

    def _buffer(self, use: str, width: int, height: int) -> np.ndarray:
        key = (use, width, height)
        if key not in self._buffers:
            self._buffers[key] = np.empty((height, width, 3), np.uint8)
        return self._buffers[key]
