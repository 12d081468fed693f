"""Facts of all shards -> `manifest.json` and `refused.csv`.

The last step of a conversion; the step after is whatever reads the data set.
"""

from __future__ import annotations

import csv
import io
import os
from typing import Sequence

from data_prep.config import ConversionConfig
from data_prep.convert import storage
from data_prep.convert.conversion_plan import Plan
from data_prep.convert.shard_state import ShardMetadata
from vie_tf.storage import files
from vie_tf.storage.manifest import Manifest, RefusedEntry

REFUSED_NAME = "refused.csv"


def write_manifest(
    all_facts: Sequence[ShardMetadata], plan: Plan, config: ConversionConfig
) -> Manifest:
    """Writes what became of all videos.

    Args:
      all_facts: of every shard of the plan, in the order of their generations.
      plan: of the data set.
      config: as for `convert`.

    Returns:
      The manifest, which is written last.  The settings in it hold the history of the
      data set: see `Plan.history`.

    Raises:
      ValueError: no video could be read; only `refused.csv` is written then.
    """
    videos = [video for facts in all_facts for video in facts.videos]
    shards = [facts.shard for facts in all_facts if facts.shard is not None]
    manifest = Manifest(
        class_names=plan.class_names,
        videos=tuple(sorted(videos, key=lambda video: video.id)),
        shards=tuple(sorted(shards, key=lambda shard: shard.name)),
        refused=_refused(all_facts),
        settings={**plan.settings, "generations": plan.history()},
    )
    _write_refused(manifest.refused, config.output_dir)
    if not manifest.videos:
        first = manifest.refused[0]
        raise ValueError(
            f"None of the {len(manifest.refused)} videos in {config.videos!r} could be"
            f" converted (such as {first.source}: {first.reason}); all reasons are in"
            f" {os.path.join(config.output_dir, REFUSED_NAME)}."
        )
    manifest.save(config.output_dir)
    return manifest


def _refused(all_facts: Sequence[ShardMetadata]) -> tuple[RefusedEntry, ...]:
    """Returns what is refused in the end: some were tried again, and written then."""
    entries = {entry.source: entry for facts in all_facts for entry in facts.refused}
    for facts in all_facts:
        for video in facts.videos:
            entries.pop(video.source, None)
    return tuple(sorted(entries.values(), key=lambda entry: entry.source))


def _write_refused(refused: Sequence[RefusedEntry], data_dir: str) -> None:
    path = os.path.join(data_dir, REFUSED_NAME)
    if not refused:
        storage.remove(path)
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "reason"])
    writer.writerows((video.source, video.reason) for video in refused)
    files.write_atomically(path, text.getvalue())
