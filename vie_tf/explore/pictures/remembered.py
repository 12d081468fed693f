"""Remembers the frames by which recordings are compared, so that they are read once."""

from __future__ import annotations

import dataclasses
from typing import Iterator, Sequence

from vie_tf.drawing.thumbnails import FrameRequest, ReadThumbnails, Thumbnails


def remembering(read: ReadThumbnails) -> ReadThumbnails:
    """Makes a reader that reads no video twice for its series.

    Series are in memory then; those of 5,000 videos of some seconds take half a GB.

    Args:
      read: reads thumbnails of videos.
    """
    known: dict[int, Thumbnails] = {}

    def read_or_remember(
        videos: Sequence[int], request: FrameRequest
    ) -> Iterator[tuple[int, Thumbnails]]:
        is_series_alone = request.with_series and not request.most
        remembered = known.keys() & set(videos) if is_series_alone else set()
        yield from ((video, known[video]) for video in sorted(remembered))
        others = [video for video in videos if video not in remembered]
        for video, thumbnails in read(others, request):
            if request.with_series:
                frames = thumbnails.frames[:0].copy()  # not a view of all
                known[video] = dataclasses.replace(thumbnails, frames=frames)
            yield video, thumbnails

    return read_or_remember
