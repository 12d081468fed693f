"""Writes manifest, `refused.csv` and `classes.txt`, and sums them up for the user."""

from __future__ import annotations

import os
from typing import Iterator, Sequence

from data_prep.config import ConversionConfig
from data_prep.convert.plan import Plan
from data_prep.convert.shard_state import ShardMetadata
from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import (
    MANIFEST_NAME,
    SPLITS,
    TEST_SPLIT,
    Manifest,
    RefusedEntry,
)
from vie_tf.storage.printable import csv_text, printable
from vie_tf.terminal import next_step
from vie_tf.terminal.wording import counted

REFUSED_NAME = "refused.csv"
CLASSES_NAME = "classes.txt"  # a line `ID NAME` for each class
_MOST_LISTED = 20
_MOST_CLASSES = 8


def write_manifest(
    shards: Sequence[ShardMetadata],
    plan: Plan,
    config: ConversionConfig,
    left_out: Sequence[RefusedEntry] = (),
) -> Manifest:
    """Writes `refused.csv`, `classes.txt` and then the manifest.

    Args:
      shards: metadata of all shards.
      plan: plan of the data set.
      config: settings of the conversion.
      left_out: files that are no videos; listed in `refused.csv` after the refused
        videos, but not in the manifest.

    Returns:
      The manifest.  Its settings hold the history of the data set, see `Plan.history`.

    Raises:
      UserError: no video could be read; only `refused.csv` is written then.
    """
    videos = [video for shard in shards for video in shard.videos]
    entries = [shard.shard for shard in shards if shard.shard is not None]
    manifest = Manifest(
        class_names=plan.class_names,
        videos=tuple(sorted(videos, key=lambda video: video.id)),
        shards=tuple(sorted(entries, key=lambda entry: entry.name)),
        refused=_refused(shards),
        settings={**plan.settings, "generations": plan.history()},
    )
    _write_refused([*manifest.refused, *left_out], config.output_dir)
    if not manifest.videos:
        first = manifest.refused[0]
        raise UserError(
            f"No video in {config.videos!r} could be converted:"
            f" {counted(len(manifest.refused), 'video')} refused, such as"
            f" {first.source}: {first.reason}. All reasons are in"
            f" {os.path.join(config.output_dir, REFUSED_NAME)}."
        )
    _write_classes(manifest.class_names, config.output_dir)
    manifest.save(config.output_dir)
    return manifest


def _refused(shards: Sequence[ShardMetadata]) -> tuple[RefusedEntry, ...]:
    """Returns the refused videos without those that were written on a later try."""
    written = {video.source for shard in shards for video in shard.videos}
    entries = {entry.source: entry for shard in shards for entry in shard.refused}
    return tuple(entries[source] for source in sorted(entries.keys() - written))


def _write_refused(refused: Sequence[RefusedEntry], data_dir: str) -> None:
    path = os.path.join(data_dir, REFUSED_NAME)
    if not refused:
        files.remove(path)
        return
    rows = [(video.source, video.reason) for video in refused]
    files.write_atomically(path, csv_text([("path", "reason"), *rows]))


def _write_classes(names: Sequence[str], data_dir: str) -> None:
    path = os.path.join(data_dir, CLASSES_NAME)
    if not names:
        files.remove(path)
        return
    lines = (f"{label} {printable(name)}\n" for label, name in enumerate(names))
    files.write_atomically(path, "".join(lines))


def summary(manifest: Manifest, data_dir: str) -> Iterator[str]:
    """Yields the lines that sum up a data set."""
    if manifest.refused:
        yield f"Refused ({len(manifest.refused)}):"
        for video in manifest.refused[:_MOST_LISTED]:
            yield f"  {video.source}: {video.reason}"
        if len(manifest.refused) > _MOST_LISTED:
            yield f"  ... and {len(manifest.refused) - _MOST_LISTED} more"
    names = manifest.class_names
    present = {video.label for video in manifest.videos}
    for label, name in enumerate(names):
        if label not in present:
            yield f"All videos of the class {name!r} were refused; the class is empty."
    counts = {split: len(manifest.split(split)) for split in SPLITS}
    if not counts[TEST_SPLIT]:
        del counts[TEST_SPLIT]
    in_splits = ", ".join(f"{count} {split}" for split, count in counts.items())
    yield f"videos:  {in_splits}, {len(manifest.refused)} refused"
    listed = list(names[:_MOST_CLASSES])
    if len(names) > _MOST_CLASSES:
        listed.append(f"and {len(names) - _MOST_CLASSES} more")
    yield f"classes: {len(names)} ({', '.join(listed)})" if names else "classes: none"
    frames = sum(video.frames for video in manifest.videos)
    fps = manifest.settings["fps"]
    yield f"frames:  {frames:,} at {fps:g} fps ({frames / fps / 60:.1f} minutes)"
    num_bytes = sum(shard.bytes for shard in manifest.shards)
    yield (
        f"size:    {_in_units(num_bytes)} in {counted(len(manifest.shards), 'shard')},"
        f" {_in_units(num_bytes / len(manifest.videos))} per video"
    )
    yield f"where:   {os.path.join(data_dir, MANIFEST_NAME)}"
    yield next_step.line("train", f"--data_dir={data_dir}", "--model_dir=RUN")


def _in_units(num_bytes: float) -> str:
    """Returns a size in the largest unit that fits it."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if num_bytes >= size:
            return f"{num_bytes / size:,.1f} {unit}"
    return f"{num_bytes:.0f} bytes"
