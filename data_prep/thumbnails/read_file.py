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
            first = request.first_second(duration)
            frames = []
            if first > _NEAR_SECS and file.seek(first):
                frames = _frames_from(file, request, first)
        if not frames:  # The start of a file can be read even if no place can be found.
            with VideoFile(path) as file:
                frames = _frames_from(file, request, 0.0)
                if not frames:
                    return without_frames(file.why_no_picture())
        return Thumbnails(np.stack(frames), duration)
    except UnreadableVideo as error:
        return without_frames(error.reason)
    except (OSError, cv2.error) as error:
        return without_frames(f"it cannot be read ({type(error).__name__})")


def _duration(file: VideoFile) -> float:
    """Returns the seconds that a file claims; 0 where that is absurd."""
    low, high = _CREDIBLE_FPS
    if not low <= file.nominal_fps <= high or not 0 < file.claimed_pictures < math.inf:
        return 0.0
    secs = file.claimed_pictures / file.nominal_fps
    return secs if secs <= _LONGEST_SECS else 0.0


def _frames_from(
    file: VideoFile, request: FrameRequest, first: float
) -> list[np.ndarray]:
    """Decodes the wanted frames from the place where a file is."""
    low, high = _CREDIBLE_FPS
    fps = min(max(file.nominal_fps, low), high)
    most_pictures = math.ceil(_PATIENCE * fps * request.most / request.per_second) + 1
    frames: list[np.ndarray] = []
    start, previous = -1.0, -1.0
    for _ in range(most_pictures):
        if len(frames) == request.most or not file.grab():
            break
        secs = file.stamp_secs()
        if secs <= previous:  # Stamps that stand still go on at the nominal rate.
            secs = previous + 1 / fps
        previous = secs
        if start < 0:
            start = secs
        if secs - start < len(frames) / request.per_second - 0.5 / fps:
            continue
        picture = file.picture()
        if picture is None:
            break
        frame = _upright(file, picture, request)
        if frames and frame.shape != frames[0].shape:
            frame = cv2.resize(frame, frames[0].shape[1::-1])
        frames.append(frame)
    return frames


def _upright(file: VideoFile, picture: np.ndarray, request: FrameRequest) -> np.ndarray:
    """Turns a picture as the file says, and shrinks it to [H, W, 3] uint8 RGB."""
    if file.pixel_aspect != 1:
        wide = max(1, round(picture.shape[1] * file.pixel_aspect))
        picture = cv2.resize(picture, (wide, picture.shape[0]))
    small = shrunk(picture, request) if file.rotation is None else picture
    if file.rotation is not None:
        small = shrunk(cv2.rotate(small, file.rotation), request)
    return small[..., ::-1].copy()
