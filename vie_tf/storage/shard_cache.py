"""Copies of shards on a local disk, made while training reads the originals.

They help with data in an object store or on a slow disk.  A copy is used as soon as it
is complete, and a resumed run finds its earlier copies.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading

from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest, ShardEntry


class ShardCache:
    """Keeps copies of the shards of one split of a data set.

    Args:
      cache_dir: local folder; `/dev/shm/NAME` is memory.
      data_dir: folder of the data set.
      manifest: manifest of `data_dir`.
      split: split whose shards are copied.

    Raises:
      UserError: the folder has no room for what is missing, or cannot be made.
    """

    def __init__(
        self, cache_dir: str, data_dir: str, manifest: Manifest, split: str
    ) -> None:
        # Shards of another data set have the same names.
        self._folder = os.path.join(cache_dir, manifest.fingerprint())
        files.make_folder(self._folder)
        self._data_dir = data_dir
        self._shards = [s for s in manifest.shards if s.split == split and s.videos]
        missing = sum(s.bytes for s in self._shards if not self._is_copied(s))
        free = shutil.disk_usage(self._folder).free
        if missing > free:
            raise UserError(
                f"--cache_dir={cache_dir} has room for {free / 1e9:.1f} GB, but"
                f" {missing / 1e9:.1f} GB of shards are to be copied. Give a folder on"
                " a larger disk, or leave the flag out."
            )
        self._copied = {
            os.path.join(data_dir, shard.name)
            for shard in self._shards
            if self._is_copied(shard)
        }
        self._thread = threading.Thread(target=self._copy_all, daemon=True)
        self._thread.start()

    def path(self, shard_path: str) -> str:
        """Returns the path of a shard's copy, else that of the shard."""
        if shard_path in self._copied:
            return os.path.join(self._folder, os.path.basename(shard_path))
        return shard_path

    def drop(self, shard_path: str) -> None:
        """Removes a copy that was damaged; it is made again while others are read."""
        self._copied.discard(shard_path)
        copy = os.path.join(self._folder, os.path.basename(shard_path))
        print(f"{copy} was damaged: the shard is read, and copied again.", flush=True)
        with contextlib.suppress(OSError):
            os.remove(copy)
        if not self._thread.is_alive():
            self._thread = threading.Thread(target=self._copy_all, daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Waits until all shards that can be copied are."""
        self._thread.join()

    def _is_copied(self, shard: ShardEntry) -> bool:
        path = os.path.join(self._folder, shard.name)
        return os.path.exists(path) and os.path.getsize(path) == shard.bytes

    def _copy_all(self) -> None:
        for shard in self._shards:
            source = os.path.join(self._data_dir, shard.name)
            if source in self._copied:
                continue
            target = os.path.join(self._folder, shard.name)
            unfinished = f"{target}.{os.getpid()}.tmp"
            # A shard that cannot be copied is still read from the data set.
            with contextlib.suppress(OSError):
                files.copy(source, unfinished)
                os.replace(unfinished, target)
                if self._is_copied(shard):
                    self._copied.add(source)
