"""What a conversion has come to, in lines for the user."""

from __future__ import annotations

import os
from typing import Iterator

from vie_tf import records

_MOST_LISTED = 20


def summary(manifest: records.Manifest, data_dir: str) -> Iterator[str]:
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
    train = len(manifest.split(records.TRAIN_SPLIT))
    val = len(manifest.split(records.VAL_SPLIT))
    names = manifest.class_names
    yield f"videos:  {train} train, {val} val, {len(manifest.refused)} refused"
    yield f"classes: {len(names)} ({_shortened(names)})" if names else "classes: none"
    frames = sum(video.frames for video in manifest.videos)
    fps = manifest.settings["fps"]
    yield f"frames:  {frames:,} at {fps:g} fps ({frames / fps / 60:.1f} minutes)"
    num_bytes = sum(shard.bytes for shard in manifest.shards)
    yield f"size:    {num_bytes / 1e6:,.1f} MB in {len(manifest.shards)} shards"
    yield f"where:   {os.path.join(data_dir, records.MANIFEST_NAME)}"


def _shortened(names: tuple[str, ...], most: int = 8) -> str:
    more = [f"and {len(names) - most} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])
