"""OpenCV as this package uses it: silent, and one thread per process.

Import `cv2` from here.  The variables have to be set before OpenCV is loaded;
FFmpeg would otherwise print a line for every damaged packet into the progress bar,
while what matters to the user is the reason that `decode_frames` raises.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET

import cv2  # noqa: E402

# Videos are spread over processes; threads inside of each would only compete.
cv2.setNumThreads(1)

__all__ = ["cv2"]
