"""The metadata of a finished shard, from which an interrupted conversion continues."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from concurrent import futures
from typing import Any

from data_prep.convert.data_folder import STATE_DIR
from vie_tf.storage import files, remote_files, small_files
from vie_tf.storage.manifest import RefusedEntry, ShardEntry, VideoEntry

_SUFFIX = ".facts.json"
_FIELDS = {"key": "str", "videos": "list", "refused": "list", "refused_files": "list"}


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
        content = json.loads(json.dumps(dataclasses.asdict(self)))
        content["checksum"] = hash_of(content)
        files.write_atomically(
            os.path.join(data_dir, STATE_DIR, name + _SUFFIX), json.dumps(content)
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
        """Reads the metadata of a shard; None if it is not finished or damaged."""
        path = os.path.join(data_dir, STATE_DIR, name + _SUFFIX)
        try:
            metadata = cls._parsed(small_files.read_object(path, _FIELDS, ""), name)
            shard = metadata.shard
            if shard is not None:
                size = files.size_of(os.path.join(data_dir, shard.name))
                return metadata if size == shard.bytes else None
            return metadata
        except FileNotFoundError:
            return None
        # Incomplete after a power cut, or written by another version.
        except (small_files.DamagedFile, LookupError, TypeError, ValueError):
            print(f"{path} was damaged, and its shard is made again.", flush=True)
            return None

    @classmethod
    def _parsed(cls, content: dict[str, Any], name: str) -> ShardMetadata:
        """Makes metadata from JSON; raises TypeError or ValueError if it is damaged."""
        checksum = content.pop("checksum", None)
        if checksum not in (None, hash_of(content)):
            raise ValueError("its checksum is another")
        entries = small_files.entries_of
        shards = entries(ShardEntry, [one for one in [content["shard"]] if one])
        metadata = cls(
            key=content["key"],
            shard=shards[0] if shards else None,
            videos=entries(VideoEntry, content["videos"]),
            refused=entries(RefusedEntry, content["refused"]),
            refused_files=tuple((a, b) for a, b in content["refused_files"]),
            notes=tuple((a, b) for a, b in content.get("notes", ())),
        )
        if {video.shard for video in metadata.videos} - {name}:
            raise ValueError("its videos are in another shard")
        if shards and (shards[0].name != name or not metadata.videos):
            raise ValueError("it belongs to another shard")
        return metadata


def hash_of(content: Any) -> str:
    """Returns the hash of any JSON-serializable content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
