"""Describes a data set in lines of text."""

from __future__ import annotations

from typing import Iterator, Sequence

import numpy as np

from data_prep.describe import statistics
from vie_tf.drawing.canvas import shortened
from vie_tf.storage.manifest import Manifest, VideoEntry
from vie_tf.terminal.wording import counted

_MOST_CLASSES = 24
_MOST_LISTED = 20
_BAR_CHARACTERS = 40
_NAME_CHARACTERS = 40


def describe(
    manifest: Manifest,
    contents: Sequence[statistics.VideoContent] | None,
) -> Iterator[str]:
    """Yields the lines that describe a data set of at least one video.

    Args:
      manifest: manifest of the data set.
      contents: statistics of the frames; None if they were not verified.
    """
    yield from _totals(manifest)
    yield from _classes(manifest)
    for histogram in statistics.histograms(manifest.videos):
        yield ""
        yield from _bars(histogram)
    if manifest.refused:
        yield ""
        yield f"refused videos by reason ({len(manifest.refused)}):"
        reasons = statistics.refusals_by_reason(manifest.refused)
        yield from _listed([f"  {count:>7,}  {reason}" for reason, count in reasons])
    yield ""
    yield from _near_empty(manifest, contents)
    if contents is None:
        yield (
            "duplicates: not checked; like black and still videos, they are found by"
            " --verify, which decodes all frames"
        )
    else:
        yield from _duplicates(manifest, contents)


def _totals(manifest: Manifest) -> Iterator[str]:
    splits = statistics.splits_of(manifest)
    groups = [manifest.split(split) for split in splits]
    if len(splits) > 1:
        splits, groups = [*splits, "all"], [*groups, manifest.videos]
    yield f"{'':10}" + "".join(f"{split:>12}" for split in splits)
    for name, cells in (
        ("videos", [f"{len(videos):,}" for videos in groups]),
        ("hours", [f"{_hours(videos):,.2f}" for videos in groups]),
        ("frames", [f"{sum(v.frames for v in videos):,}" for videos in groups]),
        ("MB", [f"{sum(v.bytes for v in videos) / 1e6:,.1f}" for videos in groups]),
    ):
        yield f"{name:10}" + "".join(f"{cell:>12}" for cell in cells)
    shard_bytes = sum(shard.bytes for shard in manifest.shards)
    yield (
        f"on disk: {shard_bytes / 1e6:,.1f} MB in"
        f" {counted(len(manifest.shards), 'shard')}; refused:"
        f" {counted(len(manifest.refused), 'video')}"
    )


def _hours(videos: Sequence[VideoEntry]) -> float:
    return sum(map(statistics.seconds_of, videos)) / 3600


def _classes(manifest: Manifest) -> Iterator[str]:
    counts = statistics.class_counts(manifest)
    yield ""
    if not manifest.class_names:
        yield "classes: none, the videos have no labels"
        return
    labeled = [count for count in counts if count.name != statistics.NO_CLASS]
    totals = [count.total for count in labeled]
    yield (
        f"classes: {len(labeled)}, of {min(totals)} to {max(totals)} videos (median"
        f" {np.median(totals):g})"
    )
    if len(counts) <= _MOST_CLASSES:
        yield from _class_table(counts)
    else:
        ranked = sorted(counts, key=lambda count: (-count.total, count.name))
        half = _MOST_CLASSES // 2
        yield from _class_table(ranked[:half])
        yield f"  ... {len(ranked) - 2 * half} classes between ..."
        yield from _class_table(ranked[-half:])
    if empty := [count.name for count in labeled if not count.total]:
        yield f"  without any video ({len(empty)}): {_names(empty)}"
    for split in statistics.splits_of(manifest):
        absent = [c.name for c in labeled if c.total and not c.by_split[split]]
        if absent:
            yield f"  without a video in {split} ({len(absent)}): {_names(absent)}"


def _class_table(counts: Sequence[statistics.ClassCount]) -> Iterator[str]:
    for count in counts:
        cells = [f"{number:>6} {split}" for split, number in count.by_split.items()]
        name = shortened(count.name, _NAME_CHARACTERS)
        yield f"  {name:{_NAME_CHARACTERS}}" + "".join(cells)


def _bars(histogram: statistics.Histogram) -> Iterator[str]:
    yield histogram.title
    most = max(count for _, count in histogram.bars)
    width = max(len(label) for label, _ in histogram.bars)
    for label, count in histogram.bars:
        # A single video among thousands must be visible.
        length = max(round(_BAR_CHARACTERS * count / most), 1 if count else 0)
        yield f"  {label:>{width}}  {'#' * length:{_BAR_CHARACTERS}} {count:>9,}"


def _near_empty(
    manifest: Manifest, contents: Sequence[statistics.VideoContent] | None
) -> Iterator[str]:
    found = statistics.near_empty(manifest, contents or ())
    checks = f"shorter than {statistics.SHORT_SECS:g} s"
    if contents is not None:
        checks += ", black or still"
    if not found:
        yield f"near-empty videos ({checks}): none"
        return
    yield f"near-empty videos ({checks}): {len(found)}"
    yield from _listed([f"  {video.source}: {why}" for video, why in found])


def _duplicates(
    manifest: Manifest, contents: Sequence[statistics.VideoContent]
) -> Iterator[str]:
    groups = statistics.duplicates(manifest, contents)
    if not groups:
        yield "duplicates (videos with the same frames): none"
        return
    count = sum(map(len, groups))
    yield (
        f"duplicates (videos with the same frames): {count} videos in"
        f" {counted(len(groups), 'group')}"
    )
    harmless = groups
    for kind, field in (
        ("in several splits", "split"),
        ("with different labels", "label"),
    ):
        bad = [group for group in groups if _differ(group, field)]
        harmless = [group for group in harmless if group not in bad]
        if bad:
            yield f"  WARNING: the same frames {kind} ({len(bad)}):"
            yield from _listed([f"    {_members(manifest, group)}" for group in bad])
    yield from _listed([f"  {_members(manifest, group)}" for group in harmless])


def _differ(videos: Sequence[VideoEntry], field: str) -> bool:
    return len({getattr(video, field) for video in videos}) > 1


def _members(manifest: Manifest, group: Sequence[VideoEntry]) -> str:
    return " = ".join(
        f"{video.source} ({video.split}, {statistics.class_name(manifest, video)})"
        if manifest.class_names
        else f"{video.source} ({video.split})"
        for video in group
    )


def _names(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _MOST_LISTED} more"]
    return ", ".join([*names[:_MOST_LISTED], *more[: len(names) > _MOST_LISTED]])


def _listed(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_MOST_LISTED]
    if len(lines) > _MOST_LISTED:
        yield f"  ... and {len(lines) - _MOST_LISTED} more"
