"""The instances of a run: what gets a row of the memory bank.

By default each training video is an instance.  Table 3 of the paper also trains on a
subset of the videos, and on videos cut into bins of some frames, each bin an instance
of its own (the authors' 5bin data has bins of 52 frames, 2bin of 130).

The step before is the manifest, the step after `clip_order`.

Letters: V training videos of the subset, N instances.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import TRAIN_SPLIT, Manifest, VideoEntry


class Frames(NamedTuple):
    """Frames of a video from `first` up to, but not including, `end`."""

    video: VideoEntry
    first: int
    end: int


@dataclasses.dataclass(frozen=True)
class Instances:
    """The instances of a run, in the order of the memory bank.

    Attributes:
      videos: training videos of the subset, sorted by id, [V].
      num_bins: bins of each video, [V] int64.
      bin_frames: frames of a bin, of which the last of a video may have fewer; 0 where
        a video is one instance.
    """

    videos: tuple[VideoEntry, ...]
    num_bins: np.ndarray
    bin_frames: int = 0

    @classmethod
    def from_config(cls, data: DataConfig, manifest: Manifest) -> Instances:
        """Finds the instances that `subset`, `subset_seed` and `bin_frames` describe.

        With one seed, a smaller subset is contained in a larger one.

        Raises:
          UserError: no video is left.
        """
        videos = manifest.split(TRAIN_SPLIT)
        if data.subset < 1.0:
            order = np.random.default_rng(data.subset_seed).permutation(len(videos))
            chosen = sorted(order[: round(data.subset * len(videos))])
            videos = tuple(videos[number] for number in chosen)
            if not videos:
                raise UserError(
                    f"--subset={data.subset:g} of {len(order)} training videos holds no"
                    " video; give a larger fraction."
                )
        num_bins = np.ones(len(videos), np.int64)
        if data.bin_frames:
            frames = np.array([video.frames for video in videos], np.int64)
            num_bins = -(-frames // data.bin_frames)
        return cls(videos, num_bins, data.bin_frames)

    @property
    def count(self) -> int:
        """N, the number of instances."""
        return int(self.num_bins.sum())

    @property
    def first_rows(self) -> np.ndarray:
        """Bank index of the first bin of each video, [V] int64; the others follow."""
        return np.cumsum(self.num_bins) - self.num_bins

    @property
    def labels(self) -> np.ndarray:
        """Class of each instance, [N] int64, -1 where its video has none."""
        labels = np.array([video.label for video in self.videos], np.int64)
        return np.repeat(labels, self.num_bins)

    def frames_of_rows(self, rows: np.ndarray) -> list[Frames]:
        """Returns the frames of the instances with some bank indices."""
        first_rows = self.first_rows
        members = np.searchsorted(first_rows, rows, side="right") - 1
        bins = rows - first_rows[members]
        found = []
        for member, number in zip(members.tolist(), bins.tolist()):
            video = self.videos[member]
            first, end = 0, video.frames
            if self.bin_frames:
                first = number * self.bin_frames
                end = min(first + self.bin_frames, video.frames)
            found.append(Frames(video, first, end))
        return found


def bin_range(
    num_video_frames: tf.Tensor, number: tf.Tensor, bin_frames: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the frames of a bin of a video (the binned data sets of table 3).

    Args:
      num_video_frames: F, scalar int32.
      number: number of the bin, from 0, scalar.
      bin_frames: frames of a bin, at least 1; the last bin may have fewer.

    Returns:
      First frame and number of frames, scalar int32.
    """
    first = tf.cast(number, tf.int32) * bin_frames
    return first, tf.minimum(num_video_frames - first, bin_frames)
