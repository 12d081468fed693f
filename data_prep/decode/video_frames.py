"""Samples the frames of a video file from its pictures, by their time stamps."""

from __future__ import annotations

import functools
import math
import os
from typing import Callable

from data_prep.config import FrameSettings
from data_prep.decode import container, long_displays
from data_prep.decode.frame_encoder import FrameEncoder
from data_prep.decode.long_displays import LongDisplays
from data_prep.decode.opencv import MAPS_HDR
from data_prep.decode.play_clock import PlayClock, is_credible_fps
from data_prep.decode.refused_content import DEFAULT_MEGAPIXELS
from data_prep.decode.unreadable_video import UnreadableVideo
from data_prep.decode.video_file import VideoFile
from vie_tf.storage.frame_spool import FramesRead

# Stamps in whole milliseconds (Matroska, Flash) and rounding put a picture slightly
# after the output time that it is meant for.
STAMP_TOLERANCE_SECS = 1e-3
# More frames than any video has, for segments without an end.
_ENDLESS = 2.0**40
# Four days at 25 fps; a file that states more pictures is not believed.
_MOST_PICTURES = 10**7
# Where few frames are wanted, irregular pictures may stay on display for longer by this
# than expected, without the file being decoded again.
_LATE_FRAMES = 1
# If a file states a play time that is longer by this, its last picture stays so long.
LONG_LAST_DISPLAY_SECS = 1.0
# A file with fewer bytes per claimed picture does not hold them: even repeated pictures
# take more.
MIN_BYTES_PER_PICTURE = 8


def sample_file(
    path: str,
    settings: FrameSettings,
    start: float,
    end: float,
    max_megapixels: float = DEFAULT_MEGAPIXELS,
    frames_read: FramesRead | None = None,
) -> FrameSampler:
    """Returns the sampler that has sampled the frames of a video file.

    Pictures that are not displayed at the time of a frame that will be read, such as
    those before a segment, are not converted to BGR.  They are predicted from the
    interval of the pictures; if a prediction turns out wrong, the file is decoded again
    with all pictures converted.  Which frames will be read is predicted from the length
    that the file states, in the same way.

    Args:
      path: video file.
      settings: settings of the frames.
      start: start of the segment, in seconds.
      end: end of the segment, in seconds; may be infinite.
      max_megapixels: largest picture that is decoded, in millions of pixels.
      frames_read: see `decode_video`.

    Raises:
      UnreadableVideo: see `decode_video`.
    """
    open_file = functools.partial(VideoFile, path, max_megapixels)
    # The file is decoded for it only if a picture seems to be on display for long.
    displays = functools.cache(lambda: long_displays.measure(open_file))
    convert_all, num_frames = False, 0
    while True:
        with open_file() as file:
            sampler = FrameSampler(file, settings, start, end, displays)
            encoder = sampler.encoder
            num_frames = num_frames or sampler.predicted_frames()
            if frames_read is not None and num_frames:
                encoder.wanted = frames_read(num_frames)
            if not sampler.run(convert_all):
                convert_all = True
                continue
        num_frames = len(encoder.frames)
        if frames_read is None or all(map(encoder.wants, frames_read(num_frames))):
            return sampler


class FrameSampler:
    """Samples the pictures of a video file at the output times.

    Args:
      file: video file at its beginning.
      settings: settings of the frames.
      start: start of the segment, in seconds.
      end: end of the segment; may be infinite.
      displays: judges the stamps of the file.

    Attributes:
      clock: play time of the file.
      encoder: frames so far.
      notes: what the user should know of the file.
    """

    def __init__(
        self,
        file: VideoFile,
        settings: FrameSettings,
        start: float,
        end: float,
        displays: Callable[[], LongDisplays],
    ) -> None:
        self.clock = PlayClock(file.nominal_fps, lambda: displays().longest_secs)
        self.encoder = FrameEncoder(settings, file.rotation, file.pixel_aspect)
        fate = "mapped to the standard range" if MAPS_HDR else "stored dark and pale"
        self.notes = (f"{file.hdr} pictures are {fate}",) * bool(file.hdr)
        self._displays = displays
        self._file, self._settings = file, settings
        self._start, self._end = start, end

    def predicted_frames(self) -> int:
        """Returns the number of frames by what the file states; 0 if not credible."""
        fps, pictures = self._file.nominal_fps, self._file.claimed_pictures
        if not is_credible_fps(fps) or not 0 < pictures <= _MOST_PICTURES:
            return 0
        return self._num_frames(pictures / fps)

    def run(self, convert_all: bool) -> bool:
        """Encodes all frames; False if a picture that was not converted is missing."""
        clock, encoder = self.clock, self.encoder
        limit = self._num_frames(math.inf)
        while len(encoder.frames) < limit and self._file.grab():
            clock.advance(self._file.stamp_secs())
            if not encoder.fill_up_to(min(limit, self._frames_before(clock.secs))):
                return False
            expected = self._frames_before(clock.expected_secs())
            if encoder.wanted is not None:
                expected += _LATE_FRAMES
            if not convert_all and not encoder.wants_before(expected):
                encoder.on_display = None
                continue
            picture = self._file.picture()
            if picture is None:
                break
            encoder.on_display = picture
        if len(encoder.frames) >= limit:
            return True
        is_empty = not encoder.frames and encoder.on_display is None
        if not clock.pictures or (is_empty and convert_all):
            raise UnreadableVideo(self._file.why_no_picture())
        self._check_is_whole()
        length = self._length_secs()
        if 0 < self._start >= length:
            raise UnreadableVideo(
                f"its segment starts at {self._start:.4g} s, but the video ends at"
                f" {length:.4g} s"
            )
        return encoder.fill_up_to(self._num_frames(length))

    def _length_secs(self) -> float:
        """Returns the play time of a file that was decoded to its end."""
        clock = self.clock
        if clock.saw_long_display:
            return max(clock.secs, self._displays().length_secs)
        metadata = container.read_metadata(self._file.path)
        stated = long_displays.stated_length(metadata, clock.pictures)
        # The last picture may stay for long.
        ordinary = clock.length_secs()
        return stated if stated > ordinary + LONG_LAST_DISPLAY_SECS else ordinary

    def _num_frames(self, length: float) -> int:
        """Returns the number of frames of a video of a length in seconds."""
        secs = min(self._end, length) - self._start
        # Rounded, so that 10 seconds at 29.97 fps give 250 frames and not 251.
        return max(1, round(min(secs * self._settings.fps, _ENDLESS)))

    def _frames_before(self, secs: float) -> int:
        """Returns the number of output times before a time of the file."""
        secs_into_it = secs - self._start - STAMP_TOLERANCE_SECS
        return math.ceil(secs_into_it * self._settings.fps)

    def _check_is_whole(self) -> None:
        """Raises UnreadableVideo if too much is missing at the end of the file."""
        pictures, secs = self._claim()
        claimed = min(self._end, secs) - self._start
        decoded = max(0.0, min(self._end, self._secs_decoded()) - self._start)
        if claimed <= 0 or 1 - decoded / claimed <= self._settings.max_missing_share:
            return
        of_secs = f"{decoded:.3g} of {claimed:.3g} s"
        if self._start > 0 or self._end < secs:
            raise UnreadableVideo(f"truncated: {of_secs} of its segment decode")
        raise UnreadableVideo(
            f"truncated: {self.clock.pictures} of {pictures} frames decode ({of_secs})"
        )

    def _secs_decoded(self) -> float:
        # A single picture has no length.
        return max(self.clock.length_secs(), 1 / max(1.0, self._file.nominal_fps))

    def _claim(self) -> tuple[int, float]:
        """Returns the pictures and seconds that the file claims; 0 if not credible.

        Containers lie: they count fields as frames, or frames that their edit list
        skips, give the rate of the clock as that of the pictures, or the length of a
        longer audio track.  So both the number of pictures and the play time must show
        that something is missing, and unless the tables of an MP4 file list every
        picture, the file must also be shorter than it claims.
        """
        fps, pictures = self._file.nominal_fps, self._file.claimed_pictures
        size = os.path.getsize(self._file.path)
        if not is_credible_fps(fps) or not 0 < pictures <= size / MIN_BYTES_PER_PICTURE:
            return 0, 0.0
        metadata = container.read_metadata(self._file.path)
        if metadata.pictures is None and not metadata.missing_bytes:
            return 0, 0.0
        if metadata.pictures is not None:
            pictures = min(pictures, metadata.pictures)
        # As long as it would be if all its pictures came at the rate of those decoded.
        secs = self._secs_decoded() * pictures / self.clock.pictures
        return round(pictures), min(secs, pictures / fps, metadata.secs)
