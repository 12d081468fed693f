"""Files in a folder of videos that are no videos, counted and listed with a reason."""

from __future__ import annotations

import collections
import os
from typing import Sequence

from vie_tf.storage.manifest import RefusedEntry
from vie_tf.terminal.wording import counted

_MOST_ENDINGS = 6
_ONE = {"videos": "video", "images": "picture"}


def entries(sources: Sequence[str], media: str) -> list[RefusedEntry]:
    """Returns an entry of `refused.csv` for every file that is left out.

    Args:
      sources: files relative to the folder, `MediaTree.left_out`.
      media: `videos` or `images`.
    """
    one = _ONE.get(media, "")
    reason = f"left out: not a {one} by its ending or its first bytes"
    return [RefusedEntry(source, reason) for source in sources]


def summary(sources: Sequence[str], media: str) -> str:
    """Returns one line with their number and endings; there must be at least one."""
    endings = collections.Counter(
        os.path.splitext(source)[1].lower() or "no ending" for source in sources
    )
    counts = [f"{count} {name}" for name, count in endings.most_common(_MOST_ENDINGS)]
    if len(endings) > _MOST_ENDINGS:
        counts.append("...")
    files = counted(len(sources), "file")
    be = "is" if len(sources) == 1 else "are"
    return (
        f"Left out: {files} that {be} no {_ONE.get(media, '')} by ending and first"
        f" bytes ({', '.join(counts)}), such as {sources[0]!r}."
    )
