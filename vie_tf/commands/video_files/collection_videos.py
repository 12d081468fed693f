"""Where the videos of a collection are, and how their thumbnails are read."""

from __future__ import annotations

import os
from typing import Sequence

from data_prep.thumbnails.read_files import reader_of_files
from vie_tf.drawing.thumbnails import ReadThumbnails
from vie_tf.explore.pictures.record_thumbnails import reader_of_records
from vie_tf.storage.manifest import is_data_set


def reader_of(
    videos: str, sources: Sequence[str], num_processes: int
) -> ReadThumbnails:
    """Makes the reader of a collection's videos.

    Args:
      videos: folder of video files or of a data set, or one video file.
      sources: names of the videos in it.
      num_processes: number of processes that read files; see `reader_of_files`.
    """
    if is_data_set(videos):
        return reader_of_records(videos, sources)
    is_file = os.path.isfile(videos)
    paths = [videos if is_file else os.path.join(videos, one) for one in sources]
    return reader_of_files(paths, num_processes)
