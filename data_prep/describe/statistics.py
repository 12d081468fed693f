"""What a data set holds, in numbers: counts, histograms, doubtful videos.

Comes in: the manifest, and what `verify_shards` has seen of every video.  Goes out:
what `description_text` prints and `draw_histograms` draws.
"""

from __future__ import annotations

import collections
import dataclasses
import math
import re
from typing import Callable, Iterable, Mapping, Sequence

import numpy as np

from vie_tf.storage import records

NO_CLASS = "(no label)"
# A video that lasts less has hardly a motion in it, and is looped in training.
SHORT_SECS = 1.0
# Gray levels, of the means over the tiles of `verify_shards`: what JPEG and codecs
# make of a still picture stays below the first, of a black one below the second.
STILL_CHANGE = 2.0
BLACK_BRIGHTNESS = 8.0

# Bins that a histogram of numbers aims at; the longest videos share the last one.
_NUM_BINS = 12
_TAIL_PERCENTILE = 99
_MOST_VALUES = 10


@dataclasses.dataclass(frozen=True)
class ClassCount:
    """How many videos of each split a class has."""

    name: str
    by_split: Mapping[str, int]

    @property
    def total(self) -> int:
        """Videos in all splits."""
        return sum(self.by_split.values())


@dataclasses.dataclass(frozen=True)
class Histogram:
    """Bars with their labels, from top to bottom.

    Attributes:
      title: what is counted, with its unit.
      bars: (label, number of videos).
    """

    title: str
    bars: tuple[tuple[str, int], ...]


@dataclasses.dataclass(frozen=True)
class VideoContent:
    """What the frames of a video look like, as seen by `verify_shards`.

    Attributes:
      id: of the video.
      digest: hash of all its JPEG strings in order.
      change: how far any frame is from the first one, in gray levels.
      brightness: of its brightest frame, in gray levels.
    """

    id: int
    digest: str
    change: float
    brightness: float


def splits_of(manifest: records.Manifest) -> list[str]:
    """Returns the splits that hold videos, in their usual order."""
    present = {video.split for video in manifest.videos}
    return [split for split in records.SPLITS if split in present]


def seconds_of(video: records.VideoEntry) -> float:
    """Returns how long a video plays."""
    return video.frames / video.fps


def class_name(manifest: records.Manifest, video: records.VideoEntry) -> str:
    """Returns the class of a video in words."""
    if video.label == records.NO_LABEL:
        return NO_CLASS
    return manifest.class_names[video.label]


def class_counts(manifest: records.Manifest) -> list[ClassCount]:
    """Returns the counts of all classes, also of empty ones, in order of label.

    Videos without a label come last, where there are any.
    """
    counts = collections.Counter((v.label, v.split) for v in manifest.videos)
    names = list(enumerate(manifest.class_names))
    if any(label == records.NO_LABEL for label, _ in counts):
        names.append((records.NO_LABEL, NO_CLASS))
    splits = splits_of(manifest)
    return [
        ClassCount(name, {split: counts[label, split] for split in splits})
        for label, name in names
    ]


def histograms(videos: Sequence[records.VideoEntry]) -> list[Histogram]:
    """Returns the histograms of length, frame rate, size and bytes.

    Args:
      videos: at least one.
    """
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
    """Counts numbers in bins of one round width.

    Args:
      title: of the histogram.
      values: at least one.
    """
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
    """Counts how often each value is there, the most frequent first."""
    counts = collections.Counter(values)
    # The order of equals must not depend on that of the videos.
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    bars, rest = ranked[:_MOST_VALUES], ranked[_MOST_VALUES:]
    if rest:
        bars.append((f"{len(rest)} others", sum(count for _, count in rest)))
    return Histogram(title, tuple(bars))


def refusals_by_reason(
    refused: Iterable[records.RefusedEntry],
) -> list[tuple[str, int]]:
    """Counts the refused videos by reason, the most frequent first.

    Reasons that differ in their numbers only are one, with `N` for the numbers.
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
    manifest: records.Manifest, contents: Iterable[VideoContent] = ()
) -> list[tuple[records.VideoEntry, str]]:
    """Returns the videos that have little to show, with the reason in words.

    Args:
      manifest: of the data set; pictures that were converted as videos of one frame
        are not judged.
      contents: of the videos that were verified; the others are judged by their
        number of frames alone.
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
    manifest: records.Manifest, contents: Iterable[VideoContent]
) -> list[tuple[records.VideoEntry, ...]]:
    """Returns the groups of videos whose frames are the same, byte by byte."""
    digest_of = {content.id: content.digest for content in contents}
    groups = collections.defaultdict(list)
    for video in manifest.videos:
        if video.id in digest_of:
            groups[digest_of[video.id]].append(video)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def differ(
    videos: Iterable[records.VideoEntry],
    fact: Callable[[records.VideoEntry], object],
) -> bool:
    """Returns whether videos are not all alike in some fact."""
    return len({fact(video) for video in videos}) > 1


def _bin_of(value: float, width: float) -> int:
    return math.floor(value / width + 1e-9)  # 0.3 / 0.1 is a little less than 3.


def _round_up(width: float) -> float:
    """Returns the next of ..., 0.1, 0.2, 0.5, 1, 2, 5, ..."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= width)
