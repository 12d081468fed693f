"""What a data folder remembers of its conversion, so that a run can go on.

`.shards/` holds, beside a lock, the plan (settings and rows of the conversion) and
the facts of every finished shard.  Nothing that is finished is ever written over by
a conversion with another plan.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import glob
import hashlib
import json
import os
from typing import AbstractSet, Any, Iterator

from vie_tf import records

STATE_DIR = ".shards"
_PLAN_NAME = "plan.json"
_FACTS_SUFFIX = ".facts.json"


@dataclasses.dataclass(frozen=True)
class ShardFacts:
    """What became of the rows of one shard.

    Attributes:
      key: hash of everything that the shard was made from.
      shard: None where every video was refused and so no file was written.
      videos: in the order of the shard.
      refused: in the order of the rows.
    """

    key: str
    shard: records.ShardEntry | None
    videos: tuple[records.VideoEntry, ...]
    refused: tuple[records.RefusedEntry, ...]

    def save(self, data_dir: str, name: str) -> None:
        """Marks the shard `name` as finished; its file must be in place."""
        records.write_atomically(
            os.path.join(data_dir, STATE_DIR, name + _FACTS_SUFFIX),
            json.dumps(dataclasses.asdict(self)),
        )

    @classmethod
    def load_all(cls, data_dir: str) -> dict[str, ShardFacts]:
        """Returns the facts of all finished shards by the name of the shard."""
        pattern = os.path.join(glob.escape(data_dir), STATE_DIR, f"*{_FACTS_SUFFIX}")
        names = [os.path.basename(p)[: -len(_FACTS_SUFFIX)] for p in glob.glob(pattern)]
        loaded = {name: cls.load(data_dir, name) for name in names}
        return {name: facts for name, facts in loaded.items() if facts is not None}

    @classmethod
    def load(cls, data_dir: str, name: str) -> ShardFacts | None:
        """Reads the facts of a shard; None if it is not finished."""
        try:
            with open(os.path.join(data_dir, STATE_DIR, name + _FACTS_SUFFIX)) as file:
                content = json.load(file)
            shard = content["shard"] and records.ShardEntry(**content["shard"])
            if shard is not None:
                size = os.path.getsize(os.path.join(data_dir, shard.name))
                if size != shard.bytes:
                    return None
            return cls(
                key=content["key"],
                shard=shard,
                videos=tuple(records.VideoEntry(**v) for v in content["videos"]),
                refused=tuple(records.RefusedEntry(**r) for r in content["refused"]),
            )
        # Half-written at a power cut, or written by another version: make it again.
        except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
            return None


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a data folder is made from and how.

    Attributes:
      settings: as in the manifest.
      rows: hash of ids, sources, labels and splits.
      root: hash of the place of the source folder.
    """

    settings: dict[str, Any]
    rows: str
    root: str

    def save(self, data_dir: str) -> None:
        """Makes this the plan of a data folder."""
        records.write_atomically(
            os.path.join(data_dir, STATE_DIR, _PLAN_NAME),
            json.dumps(dataclasses.asdict(self), indent=1) + "\n",
        )

    @classmethod
    def load(cls, data_dir: str) -> Plan | None:
        """Reads the plan of a data folder; None if there is none."""
        try:
            with open(os.path.join(data_dir, STATE_DIR, _PLAN_NAME)) as file:
                return cls(**json.load(file))
        except (FileNotFoundError, json.JSONDecodeError, TypeError):
            return None


@contextlib.contextmanager
def locked(data_dir: str) -> Iterator[None]:
    """Keeps other conversions out of a data folder, which is made if missing.

    Raises:
      ValueError: another conversion is at work there.
    """
    state_dir = os.path.join(data_dir, STATE_DIR)
    os.makedirs(state_dir, exist_ok=True)
    with open(os.path.join(state_dir, "lock"), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"Another conversion is writing to {data_dir!r}; wait for its end or"
                " choose another --output_dir."
            ) from None
        yield


def check_is_ours(data_dir: str) -> None:
    """Raises ValueError if a data folder holds shards that have no plan."""
    if Plan.load(data_dir) is not None:
        return
    shards = glob.glob(os.path.join(glob.escape(data_dir), "*.tfrecord"))
    manifest = os.path.join(data_dir, records.MANIFEST_NAME)
    if shards or os.path.exists(manifest):
        raise ValueError(
            f"{data_dir!r} holds a data set whose state ({STATE_DIR}/{_PLAN_NAME}) is"
            " missing, so nothing can be added to it; choose another --output_dir."
        )


def check_loses_nothing(data_dir: str, plan: Plan, outdated: AbstractSet[str]) -> None:
    """Raises ValueError if going on by this plan would destroy another's shards.

    Args:
      data_dir: the data folder, locked.
      plan: of the conversion that wants to write.
      outdated: names of finished shards that it would have to replace.
    """
    old = Plan.load(data_dir)
    if old is None or not outdated:
        return
    mend = "choose another --output_dir"
    changes = [
        f"--{name}={old.settings.get(name)} (now {value})"
        for name, value in plan.settings.items()
        if name != "videos" and old.settings.get(name) != value
    ]
    if changes:
        raise ValueError(
            f"{data_dir!r} was made with other settings: {', '.join(changes)}; use"
            f" the same again, or {mend}."
        )
    if old.rows != plan.rows:
        raise ValueError(
            f"{data_dir!r} was made from other videos than those that are in the"
            f" folder now; {mend}."
        )
    if old.root != plan.root:
        raise ValueError(
            f"{data_dir!r} was made from another folder (named"
            f" {old.settings.get('videos')!r}) with videos of the same names; {mend}."
        )


def hash_of(facts: Any) -> str:
    """Returns the hash of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
