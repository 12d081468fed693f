"""Walks through a folder: each folder once, whatever links lead to it."""

from __future__ import annotations

import collections
import dataclasses
import errno
import os
from typing import Collection

# Made by operating systems; some cannot be read.
_SYSTEM_FOLDERS = frozenset(
    ("lost+found", "$RECYCLE.BIN", "System Volume Information", "@eaDir", "__MACOSX")
)

_SYSTEM_FILES = frozenset(("thumbs.db", "desktop.ini"))


@dataclasses.dataclass
class Walk:
    """What a walk through a folder has found.

    A source is a path relative to the folder, with `/` between the parts.

    Attributes:
      files: sources of the files with one of the wanted extensions.
      others: sources of all other files.
      repeated: sources of folders that were not entered, since they are folders that
        the walk had seen before.
    """

    files: list[str] = dataclasses.field(default_factory=list)
    others: list[str] = dataclasses.field(default_factory=list)
    repeated: list[str] = dataclasses.field(default_factory=list)


def walk(root: str, extensions: Collection[str]) -> Walk:
    """Finds files in a folder and its sub-folders.

    Hidden files and folders are skipped, and those of the system.  Links are followed,
    wherever they lead.  A folder is entered once, which its device and inode tell:
    under its own path if that lies in the root, otherwise through the first link to it
    in the order of the names.

    Args:
      root: folder.
      extensions: extensions of the files, in lower case.

    Raises:
      OSError: a folder cannot be read.
    """
    found = Walk()
    seen: set[tuple[int, int]] = set()
    links = collections.deque([""])
    while links:
        new: list[str] = []
        _enter(root, links.popleft(), extensions, found, seen, new)
        links.extend(sorted(new))
    found.files.sort()
    found.repeated.sort()
    return found


def _enter(
    root: str,
    source: str,
    extensions: Collection[str],
    found: Walk,
    seen: set[tuple[int, int]],
    links: list[str],
) -> None:
    """Adds the files in a folder and below it, and the links to other folders."""
    folders = [source]
    while folders:
        source = folders.pop()
        path = os.path.join(root, source) if source else root
        status = os.stat(path)
        if (status.st_dev, status.st_ino) in seen:
            found.repeated.append(source)
            continue
        seen.add((status.st_dev, status.st_ino))
        prefix = f"{source}/" if source else ""
        inside: list[str] = []
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if is_folder(entry):
                    if not is_skipped(entry.name):
                        of_kind = links if entry.is_symlink() else inside
                        of_kind.append(prefix + entry.name)
                elif os.path.splitext(entry.name)[1].lower() in extensions:
                    found.files.append(prefix + entry.name)
                elif entry.name.lower() not in _SYSTEM_FILES:
                    found.others.append(prefix + entry.name)
        folders.extend(sorted(inside, reverse=True))


def is_skipped(name: str) -> bool:
    """Tells whether a walk passes by a folder of this name."""
    return name.startswith(".") or name in _SYSTEM_FOLDERS


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Tells whether an entry is a folder, or a link to one that is not a circle."""
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return False
