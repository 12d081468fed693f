"""OpenCV as this package uses it: silent, and one thread per process.

Import `cv2` from here.  OpenCV and FFmpeg would otherwise print a line for every
damaged packet into the progress bar, while what matters to the user is the reason that
`decode_frames` raises.  The user's own OPENCV_LOG_LEVEL and OPENCV_FFMPEG_LOGLEVEL win.
"""

from __future__ import annotations

import os

import cv2

# FFmpeg's is read when the first video is opened; OpenCV's when it is loaded, which may
# have happened in another package already (embed.py loads both), hence the call.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
if "OPENCV_LOG_LEVEL" not in os.environ:
    cv2.setLogLevel(0)  # silent

# Videos are spread over processes; threads inside of each would only compete.
cv2.setNumThreads(1)

__all__ = ["cv2"]
