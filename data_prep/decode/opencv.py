"""OpenCV with this package's settings: silent, and one thread per process.

Import `cv2` from here.  OpenCV and FFmpeg would otherwise print a line for every
damaged packet; users read the reason of `UnreadableVideo` instead.  FFmpeg opens no
addresses.  The environment variables OPENCV_LOG_LEVEL, OPENCV_FFMPEG_LOGLEVEL and
OPENCV_FFMPEG_CAPTURE_OPTIONS take precedence.
"""

from __future__ import annotations

import os

import cv2

# FFmpeg's is read when the first video is opened; OpenCV's when it is loaded, perhaps
# by another package before this one, hence the call.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
if "OPENCV_LOG_LEVEL" not in os.environ:
    # The function moved from `cv2` to a module of its own in OpenCV 4.14.
    vars(cv2.utils).get("logging", cv2).setLogLevel(0)  # silent

# A playlist that `refused_content` does not know would lead to a server.
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "protocol_whitelist;file")

# Videos are spread over processes; threads within each would only compete.
cv2.setNumThreads(1)

# Its FFmpeg maps pictures of high dynamic range to the standard one from 4.14 on.
MAPS_HDR = tuple(map(int, cv2.__version__.split(".")[:2])) >= (4, 14)

__all__ = ["MAPS_HDR", "cv2"]
