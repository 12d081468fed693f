"""Pictures of a video file, by their time stamps -> frames.

What `decode_frames` does with videos: a file runs past a clock onto a strip.
"""

from __future__ import annotations

import math
import os

from data_prep.config import FrameSettings
from data_prep.decode import container
from data_prep.decode.frame_encoder import FrameEncoder
from data_prep.decode.play_clock import PlayClock, is_credible_fps
from data_prep.decode.unreadable_video import UnreadableVideo
from data_prep.decode.video_file import VideoFile

# Stamps in whole milliseconds (Matroska, Flash) and float arithmetic put a picture a
# little behind the output time that it is meant for.
STAMP_TOLERANCE_SECS = 1e-3
# More frames than any video has; for segments without an end.
_ENDLESS = 2.0**40
# A file with fewer bytes for each picture that it promises does not hold them: even a
# picture that repeats the one before it takes more.
MIN_BYTES_PER_PICTURE = 8


def encode_file(
    path: str, settings: FrameSettings, start: float, end: float
) -> tuple[FrameEncoder, int]:
    """Returns the frames of a video file and the number of pictures decoded.

    Pictures that will not be on display at an output time, such as those before a
    segment, are not converted to BGR.  That they will not be is a guess by the
    interval of the pictures; if it ever turns out wrong, the file is decoded once
    more, with all pictures converted.

    Args:
      path: video file.
      settings: of the frames.
      start: of the segment, in seconds.
      end: of the segment, in seconds; may be infinite.

    Raises:
      UnreadableVideo: as of `decode_frames.decode_video`.
    """
    for convert_all in (False, True):
        with VideoFile(path) as file:
            reel = _FrameSampler(file, settings, start, end)
            if reel.run(convert_all):
                return reel.strip, reel.clock.pictures
    raise AssertionError("with all pictures converted, none can be missing")


class _FrameSampler:
    """A video file that runs onto a strip of frames.

    Args:
      file: at its beginning.
      settings: of the frames.
      start: of the segment, in seconds.
      end: of the segment; may be infinite.

    Attributes:
      clock: play time of the file.
      strip: the frames.
    """

    def __init__(
        self, file: VideoFile, settings: FrameSettings, start: float, end: float
    ) -> None:
        self.clock = PlayClock(file.nominal_fps)
        self.strip = FrameEncoder(settings, file.turn)
        self._file, self._settings = file, settings
        self._start, self._end = start, end

    def run(self, convert_all: bool) -> bool:
        """Fills the strip; False if a picture that was not converted is missing."""
        clock, strip = self.clock, self.strip
        limit = self._num_frames(math.inf)
        while len(strip.frames) < limit and self._file.grab():
            clock.advance(self._file.stamp_secs())
            if not strip.fill_up_to(min(limit, self._frames_before(clock.secs))):
                return False
            expected = self._frames_before(clock.expected_secs())
            if not convert_all and expected <= len(strip.frames):
                strip.on_display = None
                continue
            picture = self._file.picture()
            if picture is None:
                break
            strip.on_display = picture
        if len(strip.frames) >= limit:
            return True
        is_empty = not strip.frames and strip.on_display is None
        if not clock.pictures or (is_empty and convert_all):
            raise UnreadableVideo(self._file.why_no_picture())
        self._check_is_whole()
        length = clock.length_secs()
        if 0 < self._start >= length:
            raise UnreadableVideo(
                f"its segment starts at {self._start:.4g} s, but the video ends at"
                f" {length:.4g} s"
            )
        return strip.fill_up_to(self._num_frames(length))

    def _num_frames(self, length: float) -> int:
        """Returns the number of frames if the video has a length, in seconds."""
        secs = min(self._end, length) - self._start
        # Rounded, so that 10 seconds at 29.97 fps give 250 frames and not 251.
        return max(1, round(min(secs * self._settings.fps, _ENDLESS)))

    def _frames_before(self, secs: float) -> int:
        """Returns the number of output times that lie before a time of the file."""
        secs_into_it = secs - self._start - STAMP_TOLERANCE_SECS
        return math.ceil(secs_into_it * self._settings.fps)

    def _check_is_whole(self) -> None:
        """Raises if too much is missing, now that the file has come to its end."""
        pictures, secs = self._promise()
        promised = min(self._end, secs) - self._start
        given = max(0.0, min(self._end, self._secs_given()) - self._start)
        if promised <= 0 or 1 - given / promised <= self._settings.max_missing_share:
            return
        of_secs = f"{given:.3g} of {promised:.3g} s"
        if self._start > 0 or self._end < secs:
            raise UnreadableVideo(f"truncated: {of_secs} of its segment decode")
        raise UnreadableVideo(
            f"truncated: {self.clock.pictures} of {pictures} frames decode ({of_secs})"
        )

    def _secs_given(self) -> float:
        # A single picture has no length.
        return max(self.clock.length_secs(), 1 / max(1.0, self._file.nominal_fps))

    def _promise(self) -> tuple[int, float]:
        """Returns how many pictures and seconds the file promises; 0 if none credibly.

        Containers lie: they count fields for frames, or what their edit list leaves
        out, take the rate of the clock for that of the pictures, or a longer sound
        track for the length.  So the number of pictures and the play time both have to
        say that something is missing, and unless the tables of an MP4 file say so
        picture by picture, the file also has to be shorter than it says itself.
        """
        fps, pictures = self._file.nominal_fps, self._file.claimed_pictures
        size = os.path.getsize(self._file.path)
        if not is_credible_fps(fps) or not 0 < pictures <= size / MIN_BYTES_PER_PICTURE:
            return 0, 0.0
        facts = container.read_metadata(self._file.path)
        if facts.pictures is None and not facts.missing_bytes:
            return 0, 0.0
        if facts.pictures is not None:
            pictures = min(pictures, facts.pictures)
        # As long as it would be if all its pictures came at the rate of those given.
        secs = self._secs_given() * pictures / self.clock.pictures
        return round(pictures), min(secs, pictures / fps, facts.secs)
