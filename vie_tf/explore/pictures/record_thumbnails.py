"""Reads small frames of videos from the records of a data set."""

from __future__ import annotations

import math
from typing import Iterator, Sequence

from vie_tf.drawing.thumbnails import (
    FrameRequest,
    ReadThumbnails,
    Thumbnails,
    shrunk,
    without_frames,
)
from vie_tf.drawing.wanted_frames import WantedFrames
from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.manifest import Manifest, VideoEntry

_FRAMES_AT_ONCE = 64


def reader_of_records(data_dir: str, sources: Sequence[str]) -> ReadThumbnails:
    """Makes a reader of a data set's videos.

    Args:
      data_dir: folder of the data set.
      sources: names of the collection's videos in the manifest, [V].

    Raises:
      UserError: there is no data set.
    """
    manifest = Manifest.load(data_dir)
    entries = {video.source: video for video in manifest.videos}

    def read(
        videos: Sequence[int], request: FrameRequest
    ) -> Iterator[tuple[int, Thumbnails]]:
        wanted = [entries[sources[v]] for v in videos if sources[v] in entries]
        reader = FrameReader.open(data_dir, manifest, wanted) if wanted else None
        for video in videos:
            entry = entries.get(sources[video])
            if reader is None or entry is None:
                fault = "it is no longer in the data set"
                yield video, without_frames(fault)
            else:
                yield video, _read(reader, entry, request)

    return read


def _read(reader: FrameReader, video: VideoEntry, request: FrameRequest) -> Thumbnails:
    duration = video.frames / video.fps
    wanted = WantedFrames(request, duration, video.fps)
    takes = {}
    for start, end in wanted.spans():
        last = min(math.ceil(end * video.fps), video.frames)
        for number in range(math.floor(start * video.fps), last):
            take = wanted.take(number / video.fps)
            if take is not None:
                takes[number] = take
    numbers = list(takes)
    try:
        for first in range(0, len(numbers), _FRAMES_AT_ONCE):
            some = numbers[first : first + _FRAMES_AT_ONCE]
            for number, image in zip(some, reader.read_images(video, some)):
                wanted.add(takes[number], shrunk(image, request))
    except OSError as error:
        return without_frames(str(error))
    return wanted.thumbnails(duration)
