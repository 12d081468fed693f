"""What a conversion has come to, in lines for the user."""

from __future__ import annotations

import os
from typing import Iterator

from vie_tf.storage.manifest import MANIFEST_NAME, SPLITS, TEST_SPLIT, Manifest

_MOST_LISTED = 20


def summary(manifest: Manifest, data_dir: str) -> Iterator[str]:
    """Yields the lines of the summary of a data set.

    Args:
      manifest: of the data set.
      data_dir: its folder, as the user gave it.
    """
    if manifest.refused:
        yield f"Refused ({len(manifest.refused)}):"
        for video in manifest.refused[:_MOST_LISTED]:
            yield f"  {video.source}: {video.reason}"
        if len(manifest.refused) > _MOST_LISTED:
            yield f"  ... and {len(manifest.refused) - _MOST_LISTED} more"
    present = {video.label for video in manifest.videos}
    for label, name in enumerate(manifest.class_names):
        if label not in present:
            yield f"All videos of the class {name!r} were refused; it is empty now."
    names = manifest.class_names
    counts = {split: len(manifest.split(split)) for split in SPLITS}
    if not counts[TEST_SPLIT]:
        del counts[TEST_SPLIT]
    in_splits = ", ".join(f"{count} {split}" for split, count in counts.items())
    yield f"videos:  {in_splits}, {len(manifest.refused)} refused"
    yield f"classes: {len(names)} ({_shortened(names)})" if names else "classes: none"
    frames = sum(video.frames for video in manifest.videos)
    fps = manifest.settings["fps"]
    yield f"frames:  {frames:,} at {fps:g} fps ({frames / fps / 60:.1f} minutes)"
    num_bytes = sum(shard.bytes for shard in manifest.shards)
    yield (
        f"size:    {_in_units(num_bytes)} in {len(manifest.shards)} shards,"
        f" {_in_units(num_bytes / len(manifest.videos))} per video"
    )
    yield f"where:   {os.path.join(data_dir, MANIFEST_NAME)}"


def _in_units(num_bytes: float) -> str:
    """Returns a size in the largest unit that fits it."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if num_bytes >= size:
            return f"{num_bytes / size:,.1f} {unit}"
    return f"{num_bytes:.0f} bytes"


def _shortened(names: tuple[str, ...], most: int = 8) -> str:
    more = [f"and {len(names) - most} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])
