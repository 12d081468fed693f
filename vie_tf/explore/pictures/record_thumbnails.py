"""Reads small frames of videos from the records of a data set."""

from __future__ import annotations

from typing import Iterator, Sequence

import numpy as np

from vie_tf.drawing.thumbnails import (
    FrameRequest,
    ReadThumbnails,
    Thumbnails,
    shrunk,
    without_frames,
)
from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.manifest import Manifest, VideoEntry


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
    first = request.first_second(duration)
    count = min(request.most, max(1, int((duration - first) * request.per_second)))
    seconds = first + np.arange(count) / request.per_second
    frames = np.minimum((seconds * video.fps).astype(int), video.frames - 1)
    try:
        images = reader.read_images(video, frames)
    except OSError as error:
        return without_frames(str(error))
    return Thumbnails(np.stack([shrunk(image, request) for image in images]), duration)
