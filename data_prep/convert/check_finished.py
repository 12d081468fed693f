"""Looks for damage in the finished shards of a conversion that is given again.

Comes in: the metadata of finished shards.  Goes out: those whose files are whole; the
others are written again.  An index that is damaged, missing, or of an earlier version
is made again from its shard.
"""

from __future__ import annotations

import os
import sys
from concurrent import futures
from typing import Mapping

from tqdm import tqdm

from data_prep.convert.shard_state import ShardMetadata
from vie_tf.storage import files, remote_files
from vie_tf.storage.shard_index import ShardIndex, index_path

_SLOW_SECONDS = 2.0  # before progress is shown


def without_damaged(
    data_dir: str, on_disk: Mapping[str, ShardMetadata]
) -> dict[str, ShardMetadata]:
    """Leaves out shards whose bytes are not those that were written.

    Reads all of them, which a disk does many times faster than videos are decoded.
    Shards in an object store are not read.

    Args:
      data_dir: folder of the data set.
      on_disk: finished shards by name.
    """
    if remote_files.is_remote(data_dir):
        return dict(on_disk)
    # Hashing lets other threads work.
    with futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        checks = threads.map(
            lambda metadata: _is_whole(data_dir, metadata), on_disk.values()
        )
        progress = tqdm(
            checks,
            total=len(on_disk),
            desc="checking finished shards",
            unit="shard",
            leave=False,
            delay=_SLOW_SECONDS,
            file=sys.stderr,
        )
        whole = dict(zip(on_disk, progress))
    damaged = [name for name, is_whole in whole.items() if not is_whole]
    if damaged:
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        print(f"Damaged since it was written, and made again: {damaged[0]}{more}.")
    return {name: metadata for name, metadata in on_disk.items() if whole[name]}


def _is_whole(data_dir: str, metadata: ShardMetadata) -> bool:
    shard = metadata.shard
    if shard is None:
        return True
    path = os.path.join(data_dir, shard.name)
    if files.sha256_of(path) != shard.sha256:
        return False
    index = ShardIndex.load(index_path(path))
    if (
        index is None
        or index.shard_bytes != shard.bytes
        or not index.checksums.all()
        or index.ids.tolist() != [video.id for video in metadata.videos]
    ):
        ShardIndex.from_shard(path, with_checksums=True).save(index_path(path))
    return True
