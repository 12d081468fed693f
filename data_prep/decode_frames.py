"""One video file -> JPEG frames at a fixed rate and size.

Comes in: the path of a row of `index_videos`.  Goes out: the frames that
`write_shards` puts into a record.  Frames are encoded as they are decoded, so the
memory needed is that of the JPEG strings, whatever the length of the video.
"""

from __future__ import annotations

import dataclasses
import math
import os
from types import TracebackType
from typing import Iterator

import numpy as np

from data_prep.opencv import cv2

# A picture that stays for longer than this is taken for an error of the time stamps,
# which may jump by hours; the clock then goes on by one ordinary interval.
MAX_SECS_ON_DISPLAY = 10.0
# Frame rates that a container may claim; others (1000, 90000) are time bases.
CREDIBLE_FPS = (1.0, 480.0)
# Stamps in whole milliseconds (Matroska, Flash) and float arithmetic put a picture a
# little behind the output time that it is meant for.
STAMP_TOLERANCE_SECS = 1e-3
# A record is one protocol buffer, which cannot exceed 2 GiB, and is read as a whole.
MAX_RECORD_BYTES = 2**30

# What `rotate` needs for each rotation tag, in degrees clockwise.
_TURNS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


class UnreadableVideo(ValueError):
    """A video that no record can be made of.

    Attributes:
      reason: why, in words that can stand behind the name of the video.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclasses.dataclass(frozen=True)
class DecodedVideo:
    """The frames of one video.

    Attributes:
      frames: JPEG strings in order of time, all of `height` x `width`.
      fps: frames per second of `frames`.
      height: in pixels.
      width: in pixels.
      frames_decoded: number of pictures that the file really gave.
    """

    frames: list[bytes]
    fps: float
    height: int
    width: int
    frames_decoded: int


def decode_video(
    path: str,
    *,
    fps: float,
    shortest_side: int,
    jpeg_quality: int,
    min_frames: int = 1,
) -> DecodedVideo:
    """Decodes a video into JPEG frames, `fps` of them per second of its play time.

    Frame k is the picture on display k / `fps` seconds after the first one, by the
    time stamps of the file: pictures are repeated where the file has fewer, left
    out where it has more.  Each is turned as the file asks for, and shrunk (never
    enlarged) until its shortest side is `shortest_side`.

    Args:
      path: video file.
      fps: frames per second to produce.
      shortest_side: in pixels.
      jpeg_quality: 1 to 100.
      min_frames: fewest frames (at `fps`) that make a video.

    Raises:
      UnreadableVideo: the file cannot be opened, no picture in it decodes, it gives
        fewer than `min_frames`, or is too long for one record.
    """
    with _Capture(path) as capture:
        clock = PlayClock(capture.nominal_fps)
        strip = _FilmStrip(shortest_side, jpeg_quality)
        for picture, stamp_secs in capture.pictures():
            clock.advance(stamp_secs)
            # The number of output times that lie before this picture.
            before = math.ceil((clock.secs - STAMP_TOLERANCE_SECS) * fps)
            strip.fill_up_to(before)
            strip.on_display = picture
        if not clock.pictures:
            raise UnreadableVideo(f"no frame of it can be decoded ({capture.codec})")
    # Rounded, so that 10 seconds at 29.97 fps give 250 frames and not 251.
    strip.fill_up_to(max(1, round(clock.length_secs() * fps)))
    if len(strip.frames) < min_frames:
        raise UnreadableVideo(
            f"{len(strip.frames)} frame(s) at {fps:g} fps ({clock.pictures} in the"
            f" file), fewer than min_frames={min_frames}"
        )
    width, height = strip.size
    return DecodedVideo(strip.frames, fps, height, width, clock.pictures)


class _Capture:
    """An open video file; a context manager.

    Attributes:
      nominal_fps: as claimed by the file; may be absurd.
      codec: name of the codec, for messages.
    """

    def __init__(self, path: str) -> None:
        # One thread: damaged files decode to the same frames on every machine, and
        # processes already use all cores.  FFmpeg by name: OpenCV would otherwise
        # try its reader of numbered pictures on names with digits.
        self._capture = cv2.VideoCapture()
        options = [cv2.CAP_PROP_N_THREADS, 1]
        if not os.path.isfile(path) or not self._capture.open(
            os.path.abspath(path), cv2.CAP_FFMPEG, options
        ):
            raise UnreadableVideo(_why_closed(path))
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        self._rotation = int(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
        self.nominal_fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        fourcc = int(self._capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
        name = fourcc.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ")
        self.codec = f"codec {name}" if name.isprintable() and name else "no codec"

    def __enter__(self) -> _Capture:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._capture.release()

    def pictures(self) -> Iterator[tuple[np.ndarray, float]]:
        """Yields each picture, [H, W, 3] uint8 BGR and upright, and its stamp.

        The number of frames that the file claims plays no part: it is often wrong.
        """
        while True:
            decoded, picture = self._capture.read()
            if not decoded:
                return
            picture = as_bgr(picture)
            if self._rotation in _TURNS:
                picture = cv2.rotate(picture, _TURNS[self._rotation])
            yield picture, float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000


class PlayClock:
    """Play time, from time stamps that may be missing, repeated or absurd.

    A stamp is believed if it lies a credible step after the last believed one, or
    after the stamp just before it (then the stamps have jumped, and count on from
    there).  Other pictures come one ordinary interval after their predecessor.

    Attributes:
      pictures: how many have been shown.
      secs: when the latest of them came on, since the first.
    """

    def __init__(self, nominal_fps: float) -> None:
        credible = CREDIBLE_FPS[0] <= nominal_fps <= CREDIBLE_FPS[1]
        self._interval = 1 / nominal_fps if credible else 1 / 25
        self._interval_is_claimed = credible
        self._believed_stamp = self._previous_stamp = 0.0
        self._believed_secs = 0.0
        self.pictures = 0
        self.secs = 0.0

    def advance(self, stamp_secs: float) -> None:
        """Moves on to the next picture of the file, which has this stamp."""
        self.pictures += 1
        if self.pictures == 1:
            self._believe(stamp_secs, 0.0)
            return
        since_believed = stamp_secs - self._believed_stamp
        since_previous = stamp_secs - self._previous_stamp
        unsure_secs = self.secs - self._believed_secs
        if 0 < since_believed <= unsure_secs + MAX_SECS_ON_DISPLAY:
            now = max(self.secs, self._believed_secs + since_believed)
            self._believe(stamp_secs, now)
        elif 0 < since_previous <= MAX_SECS_ON_DISPLAY:
            self._believe(stamp_secs, self.secs + since_previous)
        else:
            self.secs += self._interval
            self._previous_stamp = stamp_secs

    def length_secs(self) -> float:
        """Returns the play time, the last picture staying as long as the average.

        A single picture has no length: 0.
        """
        return self.secs * self.pictures / max(1, self.pictures - 1)

    def _believe(self, stamp_secs: float, now: float) -> None:
        if now > self.secs and not self._interval_is_claimed:
            self._interval = now - self.secs
        self._believed_stamp = self._previous_stamp = stamp_secs
        self._believed_secs = self.secs = now


class _FilmStrip:
    """The JPEG frames so far, and the picture that fills the next ones.

    Attributes:
      frames: JPEG strings.
      size: width and height of all frames: what the first one came to.  A picture
        of another size (streams may change it) is fitted to that.
      on_display: [H, W, 3] uint8 BGR, or None before the first picture.
    """

    def __init__(self, shortest_side: int, jpeg_quality: int) -> None:
        self.frames: list[bytes] = []
        self.size = (0, 0)
        self.on_display: np.ndarray | None = None
        self._shortest_side = shortest_side
        self._encoding = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality]
        self._bytes = 0

    def fill_up_to(self, count: int) -> None:
        """Repeats the picture on display until there are `count` frames."""
        missing = count - len(self.frames)
        if missing <= 0 or self.on_display is None:
            return
        jpeg = self._encode(self.on_display)
        self._bytes += missing * len(jpeg)
        if self._bytes > MAX_RECORD_BYTES:
            raise UnreadableVideo(
                f"too long for one record (its first {len(self.frames)} frames fill"
                f" {MAX_RECORD_BYTES >> 20} MiB); cut it into parts"
            )
        self.frames.extend([jpeg] * missing)

    def _encode(self, picture: np.ndarray) -> bytes:
        height, width = picture.shape[:2]
        if self.size == (0, 0):
            scale = min(1.0, self._shortest_side / min(height, width))
            self.size = (round(width * scale), round(height * scale))
        if self.size != (width, height):
            picture = cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA)
        encoded, jpeg = cv2.imencode(".jpg", picture, self._encoding)
        if not encoded:
            # A side of more than 65,535 pixels is all that JPEG cannot hold.
            raise UnreadableVideo(f"frames of {self.size} pixels do not fit JPEG")
        return jpeg.tobytes()


def as_bgr(picture: np.ndarray) -> np.ndarray:
    """Returns a picture as three 8-bit channels.

    Args:
      picture: [H, W], or [H, W, C] with C of 1 (grey), 3 (BGR) or 4 (BGRA, whose
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


def _why_closed(path: str) -> str:
    if not os.path.exists(path):
        return "there is no such file (or a broken link)"
    if not os.path.isfile(path):
        return "it is not a file"
    if not os.access(path, os.R_OK):
        return "no permission to read it"
    if os.path.getsize(path) == 0:
        return "the file is empty"
    return "OpenCV cannot open it as a video"
