"""Computes the statistics of a data set: counts, histograms, doubtful videos."""

from __future__ import annotations

import collections
import dataclasses
import math
import re
from typing import Iterable, Mapping, NamedTuple, Sequence

import numpy as np

from vie_tf.storage.manifest import NO_LABEL, SPLITS, Manifest, RefusedEntry, VideoEntry

NO_CLASS = "(no label)"
# A shorter video shows hardly any motion, and is looped in training.
SHORT_SECS = 1.0
# In gray levels, of means over the tiles of `verify`: the noise of JPEG and codecs in a
# still picture stays below the first, in a black one below the second.
STILL_CHANGE = 2.0
BLACK_BRIGHTNESS = 8.0

# Approximate number of bins; the longest videos share the last one.
_NUM_BINS = 12
_TAIL_PERCENTILE = 99
_MOST_VALUES = 10


@dataclasses.dataclass(frozen=True)
class ClassCount:
    """Number of videos of a class in each split."""

    name: str
    by_split: Mapping[str, int]

    @property
    def total(self) -> int:
        """Number of videos in all splits."""
        return sum(self.by_split.values())


class Histogram(NamedTuple):
    """Bars with their labels, from top to bottom.

    Attributes:
      title: what is counted, with its unit.
      bars: (label, number of videos).
    """

    title: str
    bars: tuple[tuple[str, int], ...]


@dataclasses.dataclass(frozen=True)
class VideoContent:
    """Statistics of the frames of a video.

    Attributes:
      id: id of the video.
      digest: hash of all its JPEG strings in order.
      change: largest difference of any frame from the first one, in gray levels.
      brightness: brightness of its brightest frame, in gray levels.
    """

    id: int
    digest: str
    change: float
    brightness: float


def splits_of(manifest: Manifest) -> list[str]:
    """Returns the splits that hold videos, in their usual order."""
    present = {video.split for video in manifest.videos}
    return [split for split in SPLITS if split in present]


def seconds_of(video: VideoEntry) -> float:
    """Returns the play time of a video in seconds."""
    return video.frames / video.fps


def class_name(manifest: Manifest, video: VideoEntry) -> str:
    """Returns the name of the class of a video."""
    if video.label == NO_LABEL:
        return NO_CLASS
    return manifest.class_names[video.label]


def class_counts(manifest: Manifest) -> list[ClassCount]:
    """Returns the counts of all classes, including empty ones, in order of label.

    Videos without a label, if there are any, come last.
    """
    counts = collections.Counter((v.label, v.split) for v in manifest.videos)
    names = list(enumerate(manifest.class_names))
    if any(label == NO_LABEL for label, _ in counts):
        names.append((NO_LABEL, NO_CLASS))
    splits = splits_of(manifest)
    return [
        ClassCount(name, {split: counts[label, split] for split in splits})
        for label, name in names
    ]


def histograms(videos: Sequence[VideoEntry]) -> list[Histogram]:
    """Returns the histograms of length, frame rate, size and bytes of some videos."""
    sizes = [video.bytes for video in videos]
    unit, factor = ("MB", 1e6) if np.median(sizes) >= 1e6 else ("kB", 1e3)
    return [
        histogram_of_numbers("length in seconds", [seconds_of(v) for v in videos]),
        histogram_of_values(
            "frames per second of the records (not of the sources)",
            [f"{video.fps:.4g}" for video in videos],
        ),
        histogram_of_values(
            "size of the frames (height x width)",
            [f"{video.height} x {video.width}" for video in videos],
        ),
        histogram_of_numbers(
            f"{unit} of JPEG frames per video", [size / factor for size in sizes]
        ),
    ]


def histogram_of_numbers(title: str, values: Sequence[float]) -> Histogram:
    """Counts numbers (at least one) in bins of one round width."""
    low, high = min(values), float(np.percentile(values, _TAIL_PERCENTILE))
    if low == max(values):
        return Histogram(title, ((f"{low:.4g}", len(values)),))
    width = _round_up((max(high - low, 1e-3 * (max(values) - low))) / _NUM_BINS)
    first, last = _bin_of(low, width), _bin_of(high, width)
    counts = collections.Counter(min(_bin_of(v, width), last) for v in values)
    bars = []
    for number in range(first, last + 1):
        start, end = f"{number * width:.6g}", f"{(number + 1) * width:.6g}"
        is_open = number == last and _bin_of(max(values), width) > last
        label = f"from {start}" if is_open else f"{start} to {end}"
        bars.append((label, counts[number]))
    return Histogram(title, tuple(bars))


def histogram_of_values(title: str, values: Sequence[str]) -> Histogram:
    """Counts how often each value occurs, the most frequent first."""
    counts = collections.Counter(values)
    # The order of equally frequent values must not depend on that of the videos.
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    bars, rest = ranked[:_MOST_VALUES], ranked[_MOST_VALUES:]
    if rest:
        bars.append((f"{len(rest)} others", sum(count for _, count in rest)))
    return Histogram(title, tuple(bars))


def refusals_by_reason(refused: Iterable[RefusedEntry]) -> list[tuple[str, int]]:
    """Counts the refused videos by reason, the most frequent first.

    Reasons that differ only in numbers are counted together, with `N` for the numbers.
    """
    reasons = collections.defaultdict(list)
    for video in refused:
        reasons[re.sub(r"\d+(\.\d+)?", "N", video.reason)].append(video.reason)
    counts = [
        (found[0] if len(set(found)) == 1 else reason, len(found))
        for reason, found in reasons.items()
    ]
    return sorted(counts, key=lambda item: (-item[1], item[0]))


def near_empty(
    manifest: Manifest, contents: Iterable[VideoContent] = ()
) -> list[tuple[VideoEntry, str]]:
    """Returns videos that are too short, black or still, each with the reason.

    Args:
      manifest: manifest of the data set; still images are never reported.
      contents: statistics of the videos that were verified; the others are judged by
        their length alone.
    """
    if manifest.settings.get("media") == "images":
        return []
    content_of = {content.id: content for content in contents}
    found = []
    for video in manifest.videos:
        content = content_of.get(video.id)
        if seconds_of(video) < SHORT_SECS:
            found.append((video, f"{video.frames} frames, {seconds_of(video):.2f} s"))
        elif content is not None and content.brightness < BLACK_BRIGHTNESS:
            found.append((video, "all frames are black"))
        elif content is not None and content.change < STILL_CHANGE:
            found.append((video, "all frames look the same"))
    return found


def duplicates(
    manifest: Manifest, contents: Iterable[VideoContent]
) -> list[tuple[VideoEntry, ...]]:
    """Returns the groups of videos whose frames are identical, byte by byte."""
    digest_of = {content.id: content.digest for content in contents}
    groups = collections.defaultdict(list)
    for video in manifest.videos:
        if video.id in digest_of:
            groups[digest_of[video.id]].append(video)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _bin_of(value: float, width: float) -> int:
    return math.floor(value / width + 1e-9)  # 0.3 / 0.1 is slightly less than 3.


def _round_up(width: float) -> float:
    """Returns the next of ..., 0.1, 0.2, 0.5, 1, 2, 5, ..."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= width)
