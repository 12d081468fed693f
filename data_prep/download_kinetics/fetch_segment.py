"""Downloads one segment of a video on YouTube as a small H.264 clip without audio.

yt-dlp fetches the smallest sufficient version of the whole video, and ffmpeg cuts it,
since yt-dlp would cut at key frames or compress twice.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile

from data_prep.config import KineticsConfig
from data_prep.decode.opencv import cv2
from data_prep.download_kinetics.segments import Segment
from data_prep.workers.child_processes import ChildProcesses
from vie_tf.storage import files
from vie_tf.storage.errors import UserError

# Most videos take a minute; after an hour, a program has probably hung.
_TIMEOUT_SECS = 3600.0
# Hardly distinguishable from the source, about 1 MB for 10 s at 340 pixels.
_CRF = "18"

# Messages of a server that is busy or limits this address; checked first.
_MAY_PASS = re.compile(
    r"try again later|rate.?limit|too many requests|not a bot", re.IGNORECASE
)
# Reason in the report for each message of yt-dlp on a lost video; the first match wins.
_UNAVAILABLE = tuple(
    (reason, re.compile(pattern, re.IGNORECASE))
    for reason, pattern in (
        ("private", r"private video|video is private"),
        ("account terminated", r"account .*(terminated|closed)"),
        ("not available in this country", r"(in|from) your (country|location|region)"),
        ("copyright", r"copyright"),
        ("age restricted", r"confirm your age|age.restrict|inappropriate for some"),
        ("removed by the uploader", r"(removed|deleted) by the (uploader|user)"),
        ("removed by the site", r"for violating|terms of service|guidelines"),
        ("members only", r"members.only|channel's members|requires payment"),
        ("not found", r"HTTP Error (404|410)"),
        (
            "unavailable",
            r"video (is )?(unavailable|not available|no longer available)"
            r"|isn't available any ?more|video has been removed|video does not exist"
            r"|recording is not available",
        ),
    )
)
_ERROR = re.compile(r"^ERROR: *(.*\S)", re.MULTILINE)
_DISK_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)


class UnavailableVideo(Exception):
    """A segment that cannot be downloaded, now or later.

    Attributes:
      reason: a few words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TransientError(Exception):
    """An error that may not occur another time."""


def fetch_segment(
    segment: Segment, config: KineticsConfig, work_dir: str, children: ChildProcesses
) -> None:
    """Downloads and cuts one segment; the clip appears when it is complete.

    Raises:
      UnavailableVideo: the video, or this part of it, no longer exists.
      TransientError: the programs reported any other error.
      UserError: the disk is full.
      Stopped: the run has ended.
    """
    folder = tempfile.mkdtemp(dir=work_dir)
    try:
        source = _download(segment, config, folder, children)
        clip = os.path.join(folder, "clip.mp4")
        _run(cut_command(config, segment, source, clip), config, folder, children)
        if not _holds_frames(clip):
            raise UnavailableVideo("the video ends before the segment")
        final = os.path.join(config.output_dir, segment.path)
        os.makedirs(os.path.dirname(final), exist_ok=True)
        files.publish(clip, final)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def reason_if_unavailable(stderr: str) -> str | None:
    """Returns why a video is unavailable, or None if the error may pass."""
    if not _ERROR.search(stderr):
        return None
    text = error_line(stderr).replace("\u2019", "'")
    if _MAY_PASS.search(text):
        return None
    return next((reason for reason, what in _UNAVAILABLE if what.search(text)), None)


def error_line(stderr: str) -> str:
    """Returns the last error of a program, without the warnings before it."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return (_ERROR.findall(stderr) or lines or ["it gave no reason"])[-1]


def download_command(
    config: KineticsConfig, segment: Segment, folder: str
) -> list[str]:
    """Returns the command that fetches a whole video into `folder`."""
    return [
        config.yt_dlp,
        "--ignore-config",  # Independent of personal settings.
        "--no-playlist",
        "--no-progress",
        "--quiet",
        *("--socket-timeout", "30"),
        *("--retries", "3"),
        *("--fragment-retries", "3"),
        "--abort-on-unavailable-fragments",  # The default would leave holes.
        *("--format", "bv/bv*/b"),  # Without audio, if possible.
        # The closest size; H.264, which every ffmpeg decodes.
        *("--format-sort", f"res~{config.shortest_side},vcodec:h264"),
        *("--ffmpeg-location", config.ffmpeg),
        *("--output", os.path.join(folder.replace("%", "%%"), "video.%(ext)s")),
        *config.yt_dlp_options,
        "--",  # No options follow.
        config.url_template.replace("{id}", segment.youtube_id),
    ]


def cut_command(
    config: KineticsConfig, segment: Segment, source: str, clip: str
) -> list[str]:
    """Returns the command that cuts a segment out of a file, accurate to a frame."""
    side = f"trunc(min({config.shortest_side},min(iw,ih))/2)*2"  # H.264: even.
    return [
        config.ffmpeg,
        *("-hide_banner", "-nostdin", "-loglevel", "error", "-y"),
        # Before the input: seeks the previous key frame, and decodes up to the start.
        *("-ss", str(segment.start_secs)),
        *("-i", f"file:{source}"),
        *("-t", str(segment.end_secs - segment.start_secs)),
        *("-map", "0:v:0", "-an", "-sn", "-dn"),
        "-vf",
        f"scale=w='if(lte(iw,ih),{side},-2)':h='if(lte(iw,ih),-2,{side})',setsar=1",
        *("-c:v", "libx264", "-preset", "fast", "-crf", _CRF, "-pix_fmt", "yuv420p"),
        *("-threads", "1"),  # Several programs run at once.
        *("-movflags", "+faststart", "-f", "mp4", f"file:{clip}"),
    ]


def _download(
    segment: Segment, config: KineticsConfig, folder: str, children: ChildProcesses
) -> str:
    """Returns the path of the whole video."""
    _run(download_command(config, segment, folder), config, folder, children)
    names = [name for name in os.listdir(folder) if not name.endswith(".part")]
    if len(names) != 1:
        raise TransientError(f"yt-dlp left {len(names)} files instead of one video")
    return os.path.join(folder, names[0])


def _run(
    command: list[str], config: KineticsConfig, folder: str, children: ChildProcesses
) -> None:
    try:
        finished = children.run(command, _TIMEOUT_SECS)
    except TimeoutError as error:
        raise TransientError(str(error)) from None
    if finished.code == 0:
        return
    if _DISK_FULL.search(finished.stderr):
        raise UserError(
            f"The disk that holds {config.output_dir!r} is full. Finished clips are"
            " kept; make room and run the same command again."
        )
    if command[0] == config.yt_dlp:
        if reason := reason_if_unavailable(finished.stderr):
            raise UnavailableVideo(reason)
    # The folder of the unfinished file no longer exists.
    message = error_line(finished.stderr).replace(f"{folder}{os.sep}", "")
    raise TransientError(f"{os.path.basename(command[0])}: {message}")


def _holds_frames(path: str) -> bool:
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    try:
        return bool(capture.grab())
    finally:
        capture.release()
