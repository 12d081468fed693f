"""Videos to be embedded, in blocks: those of a data set, or of video files.

`data_prep` decodes video files, so `embed.py` makes their source.

Letters: V videos of the source.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any, Callable, Collection, Iterable, Sequence

import numpy as np

from vie_tf.storage import remote_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.frame_index import FrameIndex
from vie_tf.storage.manifest import SPLITS, Manifest, VideoEntry

_VIDEOS_PER_BLOCK = 512


@dataclasses.dataclass(frozen=True)
class Block:
    """Videos of one split that are embedded together.

    Attributes:
      data_dir: folder of the shards.
      manifest: videos of the block, and those that could not be decoded.
      split: split of the videos.
    """

    data_dir: str
    manifest: Manifest
    split: str


@dataclasses.dataclass(frozen=True)
class ListedVideo:
    """A video before it is read.

    Attributes:
      id: number of the video.
      source: name of the video, unique in its source.
      label: name of its class; empty without one.
      split: split for the user; empty for video files.
      stamp: what changes with the content, such as size and time of a file.  Contents
        can only be equal where the first words of the stamps are.
    """

    id: int
    source: str
    label: str
    split: str
    stamp: str


@dataclasses.dataclass(frozen=True)
class VideoSource:
    """Videos to be embedded.

    Attributes:
      name: path as the index stores it.
      fingerprint: hash of everything that the files of embeddings depend on.
      videos: videos in the order of their rows, [V].
      contents: maps positions in `videos` to hashes of what their frames depend on,
        each empty if it is not known.
      stamps: maps positions in `videos` to the stamps that they have by now.
      blocks: maps rising positions in `videos` to the blocks of these videos.
      frame_settings: settings of the frames, for queries of the index.
    """

    name: str
    fingerprint: str
    videos: tuple[ListedVideo, ...]
    contents: Callable[[Sequence[int]], list[str]]
    stamps: Callable[[Sequence[int]], list[str]]
    blocks: Callable[[Sequence[int]], Iterable[Block]]
    frame_settings: dict[str, Any]


def source_of_data_set(data_dir: str) -> VideoSource:
    """Makes the source of all videos of a data set.

    Raises:
      UserError: there is no data set, or it has no videos.
    """
    manifest = Manifest.load(data_dir)
    blocks = blocks_of_data_set(data_dir, manifest)
    entries = [video for block in blocks for video in block.manifest.videos]
    content = [manifest.fingerprint(), [shard.sha256 for shard in manifest.shards]]
    sums = {shard.name: shard.sha256 for shard in manifest.shards}
    names = manifest.class_names

    def blocks_of(positions: Sequence[int]) -> list[Block]:
        chosen = {entries[position].id for position in positions}
        return blocks_of_data_set(data_dir, manifest, chosen=chosen)

    videos = tuple(
        ListedVideo(
            id=video.id,
            source=video.source,
            label=names[video.label] if video.label >= 0 else "",
            split=video.split,
            stamp=f"records {sums[video.shard]} {video.id}",
        )
        for video in entries
    )
    return VideoSource(
        name=remote_files.absolute(data_dir),
        fingerprint=hashlib.sha256(json.dumps(content).encode()).hexdigest(),
        videos=videos,
        contents=lambda positions: _contents_of_records(
            data_dir, manifest, [entries[position] for position in positions]
        ),
        stamps=lambda positions: [videos[position].stamp for position in positions],
        blocks=blocks_of,
        frame_settings=manifest.settings,
    )


def _contents_of_records(
    data_dir: str, manifest: Manifest, videos: Sequence[VideoEntry]
) -> list[str]:
    """Returns hashes of the frames of some videos, by their checksums."""
    contents = []
    for start in range(0, len(videos), _VIDEOS_PER_BLOCK):
        chosen = videos[start : start + _VIDEOS_PER_BLOCK]
        index = FrameIndex.load(data_dir, manifest, chosen, allow_faults=True)
        for video, first in zip(chosen, index.first_sizes.tolist()):
            sums = index.checksums[first : first + video.frames]
            frames = [np.ascontiguousarray(sums, "<u4").tobytes(), repr(video.fps)]
            digest = hashlib.sha256(repr(frames).encode()).hexdigest()
            contents.append(digest if sums.all() else "")
    return contents


def blocks_of_data_set(
    data_dir: str,
    manifest: Manifest,
    videos_per_block: int = _VIDEOS_PER_BLOCK,
    chosen: Collection[int] | None = None,
) -> list[Block]:
    """Divides a data set into blocks of whole shards, split by split.

    Args:
      data_dir: folder of the data set.
      manifest: its manifest.
      videos_per_block: least number of videos in a block, but for the last.
      chosen: ids of the videos; None for all of them.

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
            if chosen is None or video.id in chosen:
                by_shard.setdefault(video.shard, []).append(video)
        of_block: list[VideoEntry] = []
        for number, videos in enumerate(by_shard.values(), 1):
            of_block += videos
            if len(of_block) >= videos_per_block or number == len(by_shard):
                part = dataclasses.replace(manifest, videos=tuple(of_block), refused=())
                blocks.append(Block(data_dir, part, split))
                of_block = []
    return blocks
