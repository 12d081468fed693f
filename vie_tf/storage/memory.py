"""Memory of this machine, as far as this process may use it."""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

_MEMINFO = "/proc/meminfo"
# Limits of a container or a job, and what it uses: of version 2 and of version 1.
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


class Memory(NamedTuple):
    """Bytes of memory.

    Attributes:
      total: bytes that there are, swap included.
      free: bytes that a process can take, swap not included.
    """

    total: int
    free: int


def of_machine(
    meminfo: str = _MEMINFO, cgroups: tuple[tuple[str, str], ...] = _CGROUPS
) -> Memory | None:
    """Returns the memory of the machine or container; None where it is not known.

    Args:
      meminfo: file like `/proc/meminfo`.
      cgroups: files with the limit of a container and with what it uses.
    """
    known = {}
    with contextlib.suppress(OSError, ValueError), open(meminfo) as file:
        for line in file:
            name, _, rest = line.partition(":")
            known[name] = int(rest.split()[0]) * 1024
    if not {"MemTotal", "MemAvailable"} <= known.keys():
        return None
    total = known["MemTotal"] + known.get("SwapTotal", 0)
    free = known["MemAvailable"]
    for limit_path, usage_path in cgroups:
        limit, usage = _number_in(limit_path), _number_in(usage_path)
        if limit is not None and usage is not None and limit < total:
            # Files that the kernel keeps in memory count as usage, but make room.
            total, free = limit, min(free, limit - usage + _cached(limit_path))
    return Memory(total, free)


def _number_in(path: str) -> int | None:
    with contextlib.suppress(OSError, ValueError), open(path) as file:
        return int(file.read())
    return None


def _cached(limit_path: str) -> int:
    """Returns the bytes of files that a container holds in memory."""
    path = os.path.join(os.path.dirname(limit_path), "memory.stat")
    with contextlib.suppress(OSError, ValueError), open(path) as file:
        for line in file:
            name, _, value = line.partition(" ")
            if name in ("inactive_file", "total_inactive_file"):
                return int(value)
    return 0
