"""What is in a data set, in lines for the user."""

from __future__ import annotations

from typing import Iterator, Sequence

import numpy as np

from data_prep.describe import statistics as facts
from data_prep.describe.canvas import shortened
from vie_tf.storage import records

_MOST_CLASSES = 24
_MOST_LISTED = 20
_BAR_CHARACTERS = 40
_NAME_CHARACTERS = 40


def description(
    manifest: records.Manifest,
    contents: Sequence[facts.VideoContent] | None,
) -> Iterator[str]:
    """Yields the lines that describe a data set.

    Args:
      manifest: of the data set, with at least one video.
      contents: of the frames, None where they were not verified.
    """
    yield from _totals(manifest)
    yield from _classes(manifest)
    for histogram in facts.histograms(manifest.videos):
        yield ""
        yield from _bars(histogram)
    if manifest.refused:
        yield ""
        yield f"refused videos by reason ({len(manifest.refused)}):"
        reasons = facts.refusals_by_reason(manifest.refused)
        yield from _listed([f"  {count:>7,}  {reason}" for reason, count in reasons])
    yield ""
    yield from _near_empty(manifest, contents)
    if contents is None:
        yield (
            "duplicates: not looked for; that and black or still videos need the"
            " frames, which --verify reads"
        )
    else:
        yield from _duplicates(manifest, contents)


def _totals(manifest: records.Manifest) -> Iterator[str]:
    splits = facts.splits_of(manifest)
    groups = [manifest.split(split) for split in splits]
    if len(splits) > 1:
        splits, groups = [*splits, "all"], [*groups, manifest.videos]
    yield f"{'':10}" + "".join(f"{split:>12}" for split in splits)
    for name, cells in (
        ("videos", [f"{len(videos):,}" for videos in groups]),
        ("hours", [f"{sum(map(facts.seconds_of, v)) / 3600:,.2f}" for v in groups]),
        ("frames", [f"{sum(v.frames for v in videos):,}" for videos in groups]),
        ("MB", [f"{sum(v.bytes for v in videos) / 1e6:,.1f}" for videos in groups]),
    ):
        yield f"{name:10}" + "".join(f"{cell:>12}" for cell in cells)
    shard_bytes = sum(shard.bytes for shard in manifest.shards)
    yield (
        f"on disk: {shard_bytes / 1e6:,.1f} MB in {len(manifest.shards)} shards;"
        f" refused: {len(manifest.refused)} videos"
    )


def _classes(manifest: records.Manifest) -> Iterator[str]:
    counts = facts.class_counts(manifest)
    yield ""
    if not manifest.class_names:
        yield "classes: none, the videos have no labels"
        return
    labeled = [count for count in counts if count.name != facts.NO_CLASS]
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
    for split in facts.splits_of(manifest):
        absent = [c.name for c in labeled if c.total and not c.by_split[split]]
        if absent:
            yield f"  without a video in {split} ({len(absent)}): {_names(absent)}"


def _class_table(counts: Sequence[facts.ClassCount]) -> Iterator[str]:
    for count in counts:
        cells = [f"{number:>6} {split}" for split, number in count.by_split.items()]
        name = shortened(count.name, _NAME_CHARACTERS)
        yield f"  {name:{_NAME_CHARACTERS}}" + "".join(cells)


def _bars(histogram: facts.Histogram) -> Iterator[str]:
    yield histogram.title
    most = max(count for _, count in histogram.bars)
    width = max(len(label) for label, _ in histogram.bars)
    for label, count in histogram.bars:
        # A single video among thousands must be seen.
        length = max(round(_BAR_CHARACTERS * count / most), 1 if count else 0)
        yield f"  {label:>{width}}  {'#' * length:{_BAR_CHARACTERS}} {count:>9,}"


def _near_empty(
    manifest: records.Manifest, contents: Sequence[facts.VideoContent] | None
) -> Iterator[str]:
    found = facts.near_empty(manifest, contents or ())
    looked_for = f"shorter than {facts.SHORT_SECS:g} s"
    if contents is not None:
        looked_for += ", black or still"
    if not found:
        yield f"near-empty videos ({looked_for}): none"
        return
    yield f"near-empty videos ({looked_for}): {len(found)}"
    yield from _listed([f"  {video.source}: {why}" for video, why in found])


def _duplicates(
    manifest: records.Manifest, contents: Sequence[facts.VideoContent]
) -> Iterator[str]:
    groups = facts.duplicates(manifest, contents)
    if not groups:
        yield "duplicates (videos with the same frames): none"
        return
    count = sum(map(len, groups))
    yield (
        f"duplicates (videos with the same frames): {count} videos, {len(groups)}"
        " different ones"
    )
    for kind, fact in (
        ("in several splits", lambda video: video.split),
        ("with different labels", lambda video: video.label),
    ):
        bad = [group for group in groups if facts.differ(group, fact)]
        if bad:
            yield f"  WARNING: the same frames {kind} ({len(bad)}):"
            yield from _listed([f"    {_members(manifest, group)}" for group in bad])
    harmless = [
        group
        for group in groups
        if not facts.differ(group, lambda video: (video.split, video.label))
    ]
    yield from _listed([f"  {_members(manifest, group)}" for group in harmless])


def _members(manifest: records.Manifest, group: Sequence[records.VideoEntry]) -> str:
    return " = ".join(
        f"{video.source} ({video.split}, {facts.class_name(manifest, video)})"
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
