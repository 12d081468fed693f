"""The metadata of a finished shard, from which an interrupted conversion continues."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from concurrent import futures
from typing import Any

from data_prep.convert.data_folder import STATE_DIR
from vie_tf.storage import files, remote_files
from vie_tf.storage.manifest import RefusedEntry, ShardEntry, VideoEntry

_SUFFIX = ".facts.json"


@dataclasses.dataclass(frozen=True)
class ShardMetadata:
    """Result of writing one shard.

    Attributes:
      key: hash of everything that the shard depends on.
      shard: entry of the manifest; None if every video was refused and no file written.
      videos: entries of its videos, in the order of the shard.
      refused: entries of the refused videos, in the order of the rows.
      refused_files: size and modification time of each refused file (see
        `shard_task.size_and_time`); if they change, the file is tried again.
      notes: (source, note) of videos of which the user should know something.
    """

    key: str
    shard: ShardEntry | None
    videos: tuple[VideoEntry, ...]
    refused: tuple[RefusedEntry, ...]
    refused_files: tuple[tuple[int, int], ...]
    notes: tuple[tuple[str, str], ...] = ()

    def save(self, data_dir: str, name: str) -> None:
        """Marks the shard `name` as finished; its file must be in place."""
        files.write_atomically(
            os.path.join(data_dir, STATE_DIR, name + _SUFFIX),
            json.dumps(dataclasses.asdict(self)),
        )

    @classmethod
    def load_all(cls, data_dir: str) -> dict[str, ShardMetadata]:
        """Returns the metadata of all finished shards by the name of the shard."""
        names = [
            name[: -len(_SUFFIX)]
            for name in files.names_in(os.path.join(data_dir, STATE_DIR))
            if name.endswith(_SUFFIX)
        ]
        # A store answers slowly, but many requests at a time.
        num_threads = 32 if remote_files.is_remote(data_dir) else 1
        with futures.ThreadPoolExecutor(num_threads) as threads:
            loaded = threads.map(lambda name: cls.load(data_dir, name), names)
            pairs = zip(names, loaded)
            return {name: metadata for name, metadata in pairs if metadata is not None}

    @classmethod
    def load(cls, data_dir: str, name: str) -> ShardMetadata | None:
        """Reads the metadata of a shard; None if it is not finished."""
        path = os.path.join(data_dir, STATE_DIR, name + _SUFFIX)
        try:
            content = json.loads(files.read_text(path))
            shard = content["shard"] and ShardEntry(**content["shard"])
            if shard is not None:
                size = files.size_of(os.path.join(data_dir, shard.name))
                if size != shard.bytes:
                    return None
            return cls(
                key=content["key"],
                shard=shard,
                videos=tuple(VideoEntry(**v) for v in content["videos"]),
                refused=tuple(RefusedEntry(**r) for r in content["refused"]),
                refused_files=tuple((a, b) for a, b in content["refused_files"]),
                notes=tuple((a, b) for a, b in content.get("notes", ())),
            )
        # Incomplete after a power cut, or written by another version: written again.
        except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
            return None


def hash_of(content: Any) -> str:
    """Returns the hash of any JSON-serializable content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
