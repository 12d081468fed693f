"""One video -> JPEG frames at a fixed rate and size.

Comes in: the path of a row of `index_videos`, and its segment.  Goes out: the frames
that `write_shards` puts into a record.  Frames are encoded as they are decoded, so the
memory needed is that of the JPEG strings, whatever the length of the video.
"""

from __future__ import annotations

import dataclasses
import math

from data_prep.config import FrameSettings
from data_prep.decode import picture_frames, video_frames
from data_prep.decode.unreadable_video import UnreadableVideo
from vie_tf.storage.frame_spool import FrameSpool


@dataclasses.dataclass(frozen=True)
class DecodedVideo:
    """The frames of one video.

    Attributes:
      frames: JPEG strings in order of time, all of `height` x `width`.
      fps: frames per second of `frames`.
      height: in pixels.
      width: in pixels.
      frames_decoded: number of pictures that the file really gave; of a segment, all
        that had to be decoded to come to its end.
    """

    frames: FrameSpool
    fps: float
    height: int
    width: int
    frames_decoded: int


def decode_video(
    path: str,
    settings: FrameSettings,
    start_secs: float | None = None,
    end_secs: float | None = None,
) -> DecodedVideo:
    """Decodes a video into JPEG frames, `settings.fps` of them per second.

    Frame k is the picture on display k / fps seconds after the start, by the time
    stamps of the file: pictures are repeated where the file has fewer, left out where
    it has more.  Each is turned as the file asks for, and shrunk (enlarged only if the
    settings say so) until its shortest side is `settings.shortest_side`.

    Args:
      path: a video file, a folder of numbered pictures that come `settings.fps` a
        second, or a picture, as `settings.media` says.
      settings: of the frames.
      start_secs: start of the segment in the play time of the file, whose first
        picture comes on at 0; None for the beginning.
      end_secs: end of the segment, None for that of the video; an end behind that
        of the video is taken for it.

    Raises:
      UnreadableVideo: the file cannot be opened, no picture in it decodes, too many
        of them are missing, the segment lies behind its end, it gives fewer than
        `settings.min_frames`, or is too long or large for one record.
    """
    start = 0.0 if start_secs is None else start_secs
    end = math.inf if end_secs is None else end_secs
    if not 0 <= start < end:
        raise UnreadableVideo(
            f"a segment from {start:g} to {end:g} s has no frame; start must be at"
            " least 0, and end above it"
        )
    if settings.media == "images":
        strip, num_pictures = picture_frames.encode_image(path, settings), 1
    elif settings.media == "frames":
        strip = picture_frames.encode_folder(path, settings, start, end)
        num_pictures = len(strip.frames)
    else:
        strip, num_pictures = video_frames.encode_file(path, settings, start, end)
    if settings.media != "images" and len(strip.frames) < settings.min_frames:
        raise UnreadableVideo(
            f"{len(strip.frames)} frame(s) at {settings.fps:g} fps ({num_pictures} in"
            f" the file), fewer than min_frames={settings.min_frames}"
        )
    width, height = strip.size
    return DecodedVideo(strip.frames, settings.fps, height, width, num_pictures)
