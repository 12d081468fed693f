"""How the settings of two starts of a run differ, in words."""

from __future__ import annotations

import dataclasses
from typing import Collection

from vie_tf.config import RunConfig

# Of where and how long, not of how it is trained.
_IRRELEVANT = {
    *(("train", name) for name in ("model_dir", "train_steps", "profile_steps")),
    *(("train", name) for name in ("log_steps", "checkpoint_steps", "num_to_keep")),
    *(("data", name) for name in ("data_dir", "cache_dir", "data_service")),
}


def changes(
    old: RunConfig, new: RunConfig, among: Collection[tuple[str, str]] | None = None
) -> list[str]:
    """Lists the settings that differ, such as `--seed was 0, is now 1`.

    Args:
      old: settings before.
      new: settings now.
      among: group and name of those that are looked at; None for all but those of
        where and how long.
    """
    before, now = dataclasses.asdict(old), dataclasses.asdict(new)
    every = [(group, name) for group in now for name in now[group]]
    names = [name for name in every if name not in _IRRELEVANT]
    return [
        f"--{name if name != 'name' else group} was {before[group][name]!r}, is now"
        f" {now[group][name]!r}"
        for group, name in (names if among is None else among)
        if before[group][name] != now[group][name]
    ]
