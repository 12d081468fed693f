"""How far the files of a folder of embeddings are complete, and lines of its tables."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass
class Progress:
    """Complete part of a folder of embeddings.

    Attributes:
      made_from: everything that the content depends on.
      blocks: number of complete blocks.
      num_videos: number of videos that have rows.
      num_refused: number of videos that could not be read.
      num_rows: number of rows.
      sizes: bytes of the files, by name.
    """

    made_from: dict[str, Any]
    blocks: int = 0
    num_videos: int = 0
    num_refused: int = 0
    num_rows: int = 0
    sizes: dict[str, int] = dataclasses.field(default_factory=dict)
