"""Vectors of the baselines for videos of a data set, in the memory of a few frames.

Comes in: records.  Goes out: what `vie_tf.metrics.baselines.vectors` makes of their
frames.
"""

from __future__ import annotations

import os
import sys
from concurrent import futures
from typing import Iterator, NamedTuple, Sequence

import numpy as np
from tqdm import tqdm

from vie_tf.input.gray_frames import decode_gray
from vie_tf.metrics.baselines.vectors import BASELINES, MOVING, normalized
from vie_tf.metrics.features import NothingRead
from vie_tf.storage.errors import UserError
from vie_tf.storage.frame_reader import FrameReader
from vie_tf.storage.manifest import Manifest, VideoEntry

_LOG_SECONDS = 20.0  # between lines of progress where there is no terminal
_FRAMES_AT_ONCE = 32  # that one request reads


class VideoVectors(NamedTuple):
    """Vectors of some videos.

    Attributes:
      rows: [N, D] float32, of mean 0 and unit norm.
      halves: the same for the halves of each video, [N, 2, D]; none of them unless they
        were asked for, [N, 0, D].
      video_index: positions of the videos among those that were asked for, rising,
        [N]; videos that could not be read are missing.
    """

    rows: np.ndarray
    halves: np.ndarray
    video_index: np.ndarray


def read_vector(
    reader: FrameReader, video: VideoEntry, name: str, half: int | None = None
) -> np.ndarray:
    """Computes the vector of one video, in the memory of a few frames.

    Args:
      reader: reader of the video's shard.
      video: video of the data set.
      name: one of `BASELINES`.
      half: 0 or 1 for the first or the second half of the video; None for all of it.

    Returns:
      [D] float32, of mean 0 and unit norm; zeros where nothing differs.

    Raises:
      OSError: the frames cannot be read.
    """
    first, count = 0, video.frames
    if half is not None:
        middle = (video.frames + 1) // 2
        first, count = (0, middle) if half == 0 else (video.frames - middle, middle)

    def read(frames: np.ndarray) -> Iterator[np.ndarray]:
        # One request of a long video at a time.
        for start in range(0, len(frames), _FRAMES_AT_ONCE):
            wanted = frames[start : start + _FRAMES_AT_ONCE]
            for jpeg in reader.read_jpegs(video, wanted):
                yield decode_gray(jpeg, (video.height, video.width))

    return normalized(BASELINES[name].vector_of(read, first, count))


def read_vectors(
    data_dir: str,
    manifest: Manifest,
    videos: Sequence[VideoEntry],
    name: str,
    *,
    with_halves: bool = False,
    title: str = "",
) -> VideoVectors:
    """Computes the vectors of videos; those that cannot be read are left out.

    Args:
      data_dir: folder of the data set.
      manifest: its manifest.
      videos: videos of the manifest.
      name: one of `BASELINES`.
      with_halves: whether each half of a video has a vector as well.
      title: title of the progress bar; none is shown without a title.

    Raises:
      NothingRead: no video could be read.
    """
    each = each_vector(data_dir, manifest, videos, name, with_halves=with_halves)
    shown = tqdm(
        each,
        total=len(videos),
        desc=title,
        unit="video",
        disable=not title,
        leave=False,
        mininterval=0.2 if sys.stderr.isatty() else _LOG_SECONDS,
    )
    found = {n: one for n, one in enumerate(shown) if not isinstance(one, OSError)}
    if not found:
        raise NothingRead(len(videos))
    vectors = np.stack(list(found.values()))  # [N, 1 or 3, D]
    return VideoVectors(vectors[:, 0], vectors[:, 1:], np.array(list(found)))


def each_vector(
    data_dir: str,
    manifest: Manifest,
    videos: Sequence[VideoEntry],
    name: str,
    *,
    with_halves: bool = False,
) -> Iterator[np.ndarray | OSError]:
    """Yields the vectors of each video in turn, or why it cannot be read.

    They are [1, D], or with the halves [3, D].  Arguments as of `read_vectors`.

    Raises:
      UserError: all videos are images, in which nothing moves.
    """
    if name in MOVING and max(video.frames for video in videos) == 1:
        raise UserError(
            f"--network={name} compares frames, and the videos of {data_dir!r} have one"
            " frame each: use --network=pixels."
        )
    reader = FrameReader.open(data_dir, manifest, videos)
    parts = (None, 0, 1) if with_halves else (None,)

    def vector(video: VideoEntry) -> np.ndarray | OSError:
        try:
            return np.stack([read_vector(reader, video, name, half) for half in parts])
        except OSError as error:
            return error

    # OpenCV and reading let other threads work.
    with futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        yield from threads.map(vector, videos)
