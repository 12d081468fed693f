"""Views of a data set: what counts as an instance, chosen when a run starts.

Comes in: the manifest.  Goes out: for every video the rows that it has in the memory
bank, which `input_pipeline` samples by.  The step before is `records`.

As a rule an instance is a training video.  Table 3 compares with two other views of the
same records: a share of the videos, and videos cut into bins of some frames each, every
one an instance of its own (the authors' 5bin data has bins of 52 frames, 2bin of 130).

Letters: V training videos of the view, N instances.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from vie_tf.config import DataConfig
from vie_tf.storage.manifest import TRAIN_SPLIT, Manifest, VideoEntry


class Frames(NamedTuple):
    """Frames `first` to `end` of a video, without the last."""

    video: VideoEntry
    first: int
    end: int


@dataclasses.dataclass(frozen=True)
class Instances:
    """The instances of a view, in the order of their rows.

    Attributes:
      videos: those of the view, sorted by id, [V].
      num_bins: of each video, [V] int64.
      bin_frames: frames of a bin, the last of a video may have fewer; 0 where a video
        is one instance.
    """

    videos: tuple[VideoEntry, ...]
    num_bins: np.ndarray
    bin_frames: int = 0

    @property
    def count(self) -> int:
        """N, rows of the memory bank."""
        return int(self.num_bins.sum())

    @property
    def first_rows(self) -> np.ndarray:
        """Row of the first bin of each video, [V] int64; the others follow it."""
        return np.cumsum(self.num_bins) - self.num_bins

    def frames_of_rows(self, rows: np.ndarray) -> list[Frames]:
        """What each of some rows [P] is of."""
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

    @property
    def labels(self) -> np.ndarray:
        """Class of each instance, [N] int64, -1 where its video has none."""
        labels = np.array([video.label for video in self.videos], np.int64)
        return np.repeat(labels, self.num_bins)


def from_data(data: DataConfig, manifest: Manifest) -> Instances:
    """The view of a run's settings; raises ValueError as `instances_of`."""
    return instances_of(
        manifest,
        subset=data.subset,
        subset_seed=data.subset_seed,
        bin_frames=data.bin_frames,
    )


def instances_of(
    manifest: Manifest,
    *,
    subset: float = 1.0,
    subset_seed: int = 0,
    bin_frames: int = 0,
) -> Instances:
    """Applies a view to the training videos.

    Args:
      manifest: of the data set.
      subset: share of the videos that is taken, in (0, 1].
      subset_seed: of the choice; with one seed a smaller subset is part of a larger.
      bin_frames: frames of a bin, 0 for whole videos.

    Raises:
      ValueError: no video is left.
    """
    videos = manifest.split(TRAIN_SPLIT)
    if subset < 1.0:
        order = np.random.default_rng(subset_seed).permutation(len(videos))
        chosen = sorted(order[: round(subset * len(videos))])
        videos = tuple(videos[position] for position in chosen)
        if not videos:
            raise ValueError(
                f"--subset={subset:g} of {len(order)} training videos is none of them;"
                " give a larger share."
            )
    num_bins = np.ones(len(videos), np.int64)
    if bin_frames:
        frames = np.array([video.frames for video in videos], np.int64)
        num_bins = -(-frames // bin_frames)
    return Instances(videos, num_bins, bin_frames)
