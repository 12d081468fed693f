"""Decodes one video into JPEG frames at a fixed rate and size.

The input is the path and the segment of a row of `data_prep.index`; `write_shard` puts
the frames into a record.  Frames are encoded as they are decoded, so that memory does
not grow with the pictures, but only with their JPEG strings.
"""

from __future__ import annotations

import dataclasses
import math

from data_prep.config import FrameSettings
from data_prep.decode import picture_frames, video_frames
from data_prep.decode.refused_content import DEFAULT_MEGAPIXELS
from data_prep.decode.unreadable_video import UnreadableVideo
from vie_tf.storage.frame_spool import FrameSpool, FramesRead
from vie_tf.terminal.wording import counted


@dataclasses.dataclass(frozen=True)
class DecodedVideo:
    """The frames of one video.

    Attributes:
      frames: JPEG strings in order of time, all of `height` x `width`.
      fps: frames per second of `frames`.
      height: in pixels.
      width: in pixels.
      frames_decoded: number of pictures that were decoded; for a segment, including
        those before it.
      notes: what the user should know of it; what differs between videos stands in
        parentheses at the end.
    """

    frames: FrameSpool
    fps: float
    height: int
    width: int
    frames_decoded: int
    notes: tuple[str, ...] = ()


def decode_video(
    path: str,
    settings: FrameSettings,
    start_secs: float | None = None,
    end_secs: float | None = None,
    max_megapixels: float = DEFAULT_MEGAPIXELS,
    frames_read: FramesRead | None = None,
) -> DecodedVideo:
    """Decodes a video into JPEG frames, `settings.fps` of them per second.

    Frame k is the picture that is displayed k / fps seconds after the start, by the
    time stamps of the file: pictures are repeated if the file has fewer, and skipped if
    it has more.  Each is rotated as the file says, and shrunk (enlarged only if the
    settings say so) until its shortest side is `settings.shortest_side`.

    Args:
      path: a video file, a folder of numbered pictures at `settings.fps`, or a picture,
        depending on `settings.media`.
      settings: settings of the frames.
      start_secs: start of the segment in the play time of the file, whose first
        picture is displayed at 0; None for the beginning.
      end_secs: end of the segment; None, or any time after the end of the video, for
        the end of the video.
      max_megapixels: largest picture that is decoded, in millions of pixels.
      frames_read: maps the number of frames of a video to those that will be read; the
        others may be empty strings.  None for all.

    Raises:
      UnreadableVideo: the file cannot be opened, or refers to others; no picture or too
        few of them can be decoded, or they are too large; the segment starts after the
        end; or there are fewer frames than `settings.min_frames`, or more or larger
        ones than a record can hold.
    """
    start = 0.0 if start_secs is None else start_secs
    end = math.inf if end_secs is None else end_secs
    if not 0 <= start < end:
        raise UnreadableVideo(
            f"a segment from {start:g} to {end:g} s has no frame; start must be at"
            " least 0, and end above it"
        )
    notes: tuple[str, ...] = ()
    if settings.media == "images":
        encoder = picture_frames.encode_image(path, settings, max_megapixels)
        num_pictures = 1
    elif settings.media == "frames":
        encoder, notes = picture_frames.encode_folder(
            path, settings, start, end, max_megapixels, frames_read
        )
        num_pictures = len(encoder.frames)
    else:
        sampler = video_frames.sample_file(
            path, settings, start, end, max_megapixels, frames_read
        )
        encoder, num_pictures = sampler.encoder, sampler.clock.pictures
        notes = sampler.notes
    _check_is_long_enough(len(encoder.frames), num_pictures, settings)
    width, height = encoder.size
    return DecodedVideo(
        encoder.frames, settings.fps, height, width, num_pictures, notes
    )


def _check_is_long_enough(
    num_frames: int, num_pictures: int, settings: FrameSettings
) -> None:
    if settings.media != "images" and num_frames < settings.min_frames:
        raise UnreadableVideo(
            f"{counted(num_frames, 'frame')} at {settings.fps:g} fps ({num_pictures} in"
            f" the file), fewer than min_frames={settings.min_frames}"
        )
