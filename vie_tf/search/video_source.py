"""Videos to be embedded, in blocks: those of a data set, or of video files.

`data_prep` decodes video files, so `embed.py` makes their source.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any, Callable, Iterable

from vie_tf.storage import remote_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import SPLITS, Manifest, VideoEntry

_VIDEOS_PER_BLOCK = 512


@dataclasses.dataclass(frozen=True)
class Block:
    """Videos of one split, in whole shards.

    Attributes:
      data_dir: folder of the shards.
      manifest: videos of the block, and those that could not be decoded.
      split: split of the videos.
      shown_split: split for the user; empty for video files.
    """

    data_dir: str
    manifest: Manifest
    split: str
    shown_split: str = ""


@dataclasses.dataclass(frozen=True)
class VideoSource:
    """Videos to be embedded.

    Attributes:
      name: path as the index stores it.
      fingerprint: hash of everything that the frames depend on.
      num_videos: number of videos in all blocks.
      blocks: maps the number of a block to this block and all later ones.
      frame_settings: settings of the frames, for queries of the index.
    """

    name: str
    fingerprint: str
    num_videos: int
    blocks: Callable[[int], Iterable[Block]]
    frame_settings: dict[str, Any]


def source_of_data_set(data_dir: str) -> VideoSource:
    """Makes the source of all videos of a data set.

    Raises:
      UserError: there is no data set, or it has no videos.
    """
    manifest = Manifest.load(data_dir)
    blocks = blocks_of_data_set(data_dir, manifest)
    content = [manifest.fingerprint(), [shard.sha256 for shard in manifest.shards]]
    return VideoSource(
        name=remote_files.absolute(data_dir),
        fingerprint=hashlib.sha256(json.dumps(content).encode()).hexdigest(),
        num_videos=len(manifest.videos),
        blocks=lambda first: blocks[first:],
        frame_settings=manifest.settings,
    )


def blocks_of_data_set(
    data_dir: str, manifest: Manifest, videos_per_block: int = _VIDEOS_PER_BLOCK
) -> list[Block]:
    """Divides a data set into blocks of whole shards, split by split.

    Args:
      data_dir: folder of the data set.
      manifest: its manifest.
      videos_per_block: least number of videos in a block, but for the last.

    Raises:
      UserError: there is no video.
    """
    if not manifest.videos:
        raise UserError(
            f"The data set {data_dir!r} has no videos; {len(manifest.refused)} were"
            " refused when it was converted."
        )
    blocks: list[Block] = []
    for split in SPLITS:
        by_shard: dict[str, list[VideoEntry]] = {}
        for video in manifest.split(split):
            by_shard.setdefault(video.shard, []).append(video)
        chosen: list[VideoEntry] = []
        for number, videos in enumerate(by_shard.values(), 1):
            chosen += videos
            if len(chosen) >= videos_per_block or number == len(by_shard):
                part = dataclasses.replace(manifest, videos=tuple(chosen), refused=())
                blocks.append(Block(data_dir, part, split, split))
                chosen = []
    return blocks
