"""What a data folder remembers of its conversion, so that a run can go on.

`.shards/` holds, beside a lock, the plan (see `conversion_plan`) and the facts of
every finished shard.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from concurrent import futures
from typing import Any

from data_prep.convert import storage
from data_prep.convert.storage import STATE_DIR
from vie_tf.storage import files, remote_files
from vie_tf.storage.folder_lock import FolderLock
from vie_tf.storage.manifest import RefusedEntry, ShardEntry, VideoEntry

PLAN_NAME = "plan.json"
_FACTS_SUFFIX = ".facts.json"


@dataclasses.dataclass(frozen=True)
class ShardMetadata:
    """What became of the rows of one shard.

    Attributes:
      key: hash of everything that the shard was made from.
      shard: None where every video was refused and so no file was written.
      videos: in the order of the shard.
      refused: in the order of the rows.
      refused_files: size and time of change of each refused file (see
        `shard_tasks.size_and_time`), to notice when it is mended.
    """

    key: str
    shard: ShardEntry | None
    videos: tuple[VideoEntry, ...]
    refused: tuple[RefusedEntry, ...]
    refused_files: tuple[tuple[int, int], ...]

    def save(self, data_dir: str, name: str) -> None:
        """Marks the shard `name` as finished; its file must be in place."""
        files.write_atomically(
            os.path.join(data_dir, STATE_DIR, name + _FACTS_SUFFIX),
            json.dumps(dataclasses.asdict(self)),
        )

    @classmethod
    def load_all(cls, data_dir: str) -> dict[str, ShardMetadata]:
        """Returns the facts of all finished shards by the name of the shard."""
        names = [
            name[: -len(_FACTS_SUFFIX)]
            for name in sorted(storage.names_in(os.path.join(data_dir, STATE_DIR)))
            if name.endswith(_FACTS_SUFFIX)
        ]
        # A store answers slowly, but many at a time.
        num_threads = 32 if remote_files.is_remote(data_dir) else 1
        with futures.ThreadPoolExecutor(num_threads) as threads:
            loaded = threads.map(lambda name: cls.load(data_dir, name), names)
            pairs = zip(names, loaded)
            return {name: facts for name, facts in pairs if facts is not None}

    @classmethod
    def load(cls, data_dir: str, name: str) -> ShardMetadata | None:
        """Reads the facts of a shard; None if it is not finished."""
        try:
            path = os.path.join(data_dir, STATE_DIR, name + _FACTS_SUFFIX)
            content = json.loads(storage.read_text(path))
            shard = content["shard"] and ShardEntry(**content["shard"])
            if shard is not None:
                size = storage.size_of(os.path.join(data_dir, shard.name))
                if size != shard.bytes:
                    return None
            return cls(
                key=content["key"],
                shard=shard,
                videos=tuple(VideoEntry(**v) for v in content["videos"]),
                refused=tuple(RefusedEntry(**r) for r in content["refused"]),
                refused_files=tuple((a, b) for a, b in content["refused_files"]),
            )
        # Half-written at a power cut, or written by another version: make it again.
        except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
            return None


def lock(data_dir: str) -> FolderLock:
    """Keeps other conversions out of a data folder, which is made if missing.

    Where the folder is remote, only those of this machine.
    """
    doing = f"converting into {data_dir!r}"
    return FolderLock(storage.scratch_dir(data_dir), doing, "--output_dir")


def hash_of(facts: Any) -> str:
    """Returns the hash of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
