"""Reads small frames of one video file, without decoding more of it than needed."""

from __future__ import annotations

import math

import numpy as np

from data_prep.decode.opencv import cv2
from data_prep.decode.unreadable_video import UnreadableVideo
from data_prep.decode.video_file import VideoFile
from vie_tf.drawing.thumbnails import (
    FrameRequest,
    Thumbnails,
    shrunk,
    without_frames,
)
from vie_tf.drawing.wanted_frames import WantedFrames

_CREDIBLE_FPS = (1.0, 240.0)
_LONGEST_SECS = 24 * 3600.0
# A place closer to the start than this is reached by decoding what is before it.
_NEAR_SECS = 0.5
# Pictures are decoded for so many times the wanted seconds, as stamps may stand still.
_PATIENCE = 3.0


def read_file(path: str, request: FrameRequest) -> Thumbnails:
    """Reads small frames of a video file; a fault of the file is part of the answer."""
    try:
        with VideoFile(path) as file:
            duration = _duration(file)
            wanted = WantedFrames(request, duration, _fps(file))
            for start, end in wanted.spans():
                if start <= _NEAR_SECS or file.seek(start):
                    _read_span(file, start, end, wanted)
        if not wanted.has_frames():  # The start can be read if no place can be found.
            with VideoFile(path) as file:
                wanted = WantedFrames(request, 0.0, _fps(file))
                _read_span(file, *wanted.spans()[0], wanted)
                if not wanted.has_frames():
                    return without_frames(file.why_no_picture())
        return wanted.thumbnails(duration)
    except UnreadableVideo as error:
        return without_frames(error.reason)
    except (OSError, cv2.error) as error:
        return without_frames(f"it cannot be read ({type(error).__name__})")


def _fps(file: VideoFile) -> float:
    low, high = _CREDIBLE_FPS
    fps = file.nominal_fps
    return min(max(fps, low), high) if math.isfinite(fps) else low


def _duration(file: VideoFile) -> float:
    """Returns the seconds that a file claims; 0 where that is absurd."""
    low, high = _CREDIBLE_FPS
    if not low <= file.nominal_fps <= high or not 0 < file.claimed_pictures < math.inf:
        return 0.0
    secs = file.claimed_pictures / file.nominal_fps
    return secs if secs <= _LONGEST_SECS else 0.0


def _read_span(file: VideoFile, start: float, end: float, wanted: WantedFrames) -> None:
    """Decodes the wanted frames from the place where a file is to some second."""
    fps = _fps(file)
    most_pictures = math.ceil(_PATIENCE * fps * (end - start)) + 1
    previous, origin = -1.0, None
    for _ in range(most_pictures):
        if not file.grab():
            break
        secs = file.stamp_secs()
        if secs <= previous:  # Stamps that stand still go on at the nominal rate.
            secs = previous + 1 / fps
        previous = secs
        if origin is None:  # Files may start at any time.
            origin = secs if start <= _NEAR_SECS else 0.0
        if secs - origin >= end:
            break
        take = wanted.take(secs - origin)
        if take is None:
            continue
        picture = file.picture()
        if picture is None:
            break
        wanted.add(take, _upright(file, picture, wanted.request))


def _upright(file: VideoFile, picture: np.ndarray, request: FrameRequest) -> np.ndarray:
    """Turns a picture as the file says, and shrinks it to [H, W, 3] uint8 RGB."""
    if file.pixel_aspect != 1:
        wide = max(1, round(picture.shape[1] * file.pixel_aspect))
        picture = cv2.resize(picture, (wide, picture.shape[0]))
    small = shrunk(picture, request) if file.rotation is None else picture
    if file.rotation is not None:
        small = shrunk(cv2.rotate(small, file.rotation), request)
    return cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
