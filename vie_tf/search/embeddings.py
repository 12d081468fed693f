"""Videos -> a folder of embeddings, block after block.

Comes in: blocks of videos, from a data set or just decoded.  Goes out: the files that
`embedding_files` describes.  A block is the same whenever it comes, and so are the
batches that the network is given; so what is written does not depend on how often the
work was interrupted.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from typing import Any, Callable, Iterable

import numpy as np
from tqdm import tqdm

from vie_tf.config import EmbeddingConfig
from vie_tf.search import embedding_tables
from vie_tf.search.clip_features import Block, Network, VideoFeatures, averaged
from vie_tf.search.embedding_files import EmbeddingFiles, EmbeddingIndex
from vie_tf.storage import remote_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.folder_lock import FolderLock
from vie_tf.storage.manifest import RefusedEntry, VideoEntry

_LOG_SECONDS = 20.0  # between lines of progress where there is no terminal


@dataclasses.dataclass(frozen=True)
class VideoSource:
    """Where the videos come from.

    Attributes:
      name: as the user gave it.
      fingerprint: of all that the frames depend on.
      num_videos: all of them.
      blocks: given the number of the first, the blocks from there on.
      facts: for the index: how the frames of videos that are not in it are made.
    """

    name: str
    fingerprint: str
    num_videos: int
    blocks: Callable[[int], Iterable[Block]]
    facts: dict[str, Any]


def network_of(settings: EmbeddingConfig) -> Network:
    """Loads the network that the settings ask for."""
    return Network(
        settings.model_dir,
        settings.checkpoint,
        settings.endpoints,
        settings.num_clips,
        settings.static_video,
    )


def write(
    network: Network, settings: EmbeddingConfig, source: VideoSource, folder: str
) -> EmbeddingIndex:
    """Embeds all videos, or goes on where an earlier call has stopped.

    Args:
      network: from `network_of` of these settings.
      settings: of the embeddings.
      source: of the videos.
      folder: of the files.

    Raises:
      UserError: the folder holds something else, another process writes to it, or no
        video could be embedded.
    """
    if remote_files.is_remote(folder):
        raise UserError(
            f"--output={folder}: embeddings are written row by row, which needs a"
            " local folder."
        )
    doing = f"writing embeddings to {folder!r}"
    with FolderLock(folder, doing, "--output") as lock:
        lock.take()
        return _write(network, settings, source, folder)


def _write(
    network: Network,
    settings: EmbeddingConfig,
    source: VideoSource,
    folder: str,
) -> EmbeddingIndex:
    files = EmbeddingFiles(
        folder,
        _made_from(network, settings, source),
        {name: network.shapes[name] for name in settings.endpoints},
        has_clips=settings.average == "none",
    )
    if files.is_complete:
        print(f"Nothing to do: the embeddings in {folder} are complete.")
        index = EmbeddingIndex.load(folder)
        if not os.path.exists(embedding_tables.path(index)):
            embedding_tables.write_parquet(index)  # killed before, or pyarrow is new
        return index
    done = files.num_videos + files.num_refused
    if done:
        print(f"Going on: {done} of {source.num_videos} videos are done.", flush=True)
    with tqdm(
        total=source.num_videos,
        initial=done,
        desc="embedding",
        unit="video",
        mininterval=0.2 if sys.stderr.isatty() else _LOG_SECONDS,
    ) as bar:
        for block in source.blocks(files.num_blocks):
            _write_block(network, settings, block, files, bar)
    files.finish(_facts(network, settings, source))
    index = EmbeddingIndex.load(folder)
    table = embedding_tables.write_parquet(index)
    _print_summary(index, table)
    return index


def _write_block(
    network: Network,
    settings: EmbeddingConfig,
    block: Block,
    files: EmbeddingFiles,
    bar: tqdm,
) -> None:
    num_videos = 0
    for answers in network.answers(block):
        if isinstance(answers, RefusedEntry):
            files.refuse(answers)
            bar.update()
            continue
        if settings.average == "clips":
            values = {name: averaged(name, v) for name, v in answers.values.items()}
            rows = [_facts_of(video, block) for video in answers.videos]
        else:
            # [V, num_clips, ...] to [V * num_clips, ...]
            values = {
                name: v.reshape(-1, *v.shape[2:]) for name, v in answers.values.items()
            }
            frames = network.frames_of(answers.videos)
            rows = _rows_of_clips(answers, frames, block)
        files.append(values, rows)
        num_videos += len(answers.videos)
        bar.update(len(answers.videos))
    files.end_block(num_videos)


def _facts_of(video: VideoEntry, block: Block) -> list[Any]:
    names = block.manifest.class_names
    label = names[video.label] if video.label >= 0 else ""
    return [video.id, video.source, label, block.shown_split]


def _rows_of_clips(
    answers: VideoFeatures, frames: np.ndarray, block: Block
) -> list[list[Any]]:
    return [
        [*_facts_of(video, block), number, " ".join(map(str, clip))]
        for video, clips in zip(answers.videos, frames)
        for number, clip in enumerate(clips)
    ]


def _made_from(
    network: Network, settings: EmbeddingConfig, source: VideoSource
) -> dict[str, Any]:
    """Everything that the files depend on; its keys are words for the user."""
    return {
        "videos": source.fingerprint,
        "checkpoint": network.fingerprint,
        "endpoints": list(settings.endpoints),
        "average": settings.average,
        "num_clips": settings.num_clips,
        "static_video": settings.static_video,
    }


def _facts(
    network: Network, settings: EmbeddingConfig, source: VideoSource
) -> dict[str, Any]:
    return {
        "model_dir": remote_files.absolute(settings.model_dir),
        "model": network.config.model.name,
        "checkpoint": settings.checkpoint,
        "step": network.step,
        "videos": source.name,
        **source.facts,
    }


def _print_summary(index: EmbeddingIndex, table: str | None) -> None:
    facts = index.facts
    print(
        f"Embedded {facts['num_videos']} videos by {facts['model']} at step"
        f" {facts['step']}; {facts['num_refused']} refused."
    )
    for array in facts["arrays"].values():
        shape = " x ".join(map(str, array["shape"]))
        print(f"  {os.path.join(index.folder, array['file'])}: {shape}, float32")
    if table is not None:
        print(f"  {table}: the same with the list of the videos")
    if facts["num_refused"]:
        print(f"  {os.path.join(index.folder, 'refused.csv')}: what is missing and why")


def rows_to_search(index: EmbeddingIndex) -> tuple[str, np.ndarray]:
    """The endpoint that videos can be compared by, and its rows, [V, D] float32.

    Raises:
      UserError: there is none.
    """
    made_from = index.facts["made_from"]
    for name in ("embedding", "pooled"):
        if name in index.facts["arrays"] and made_from["average"] == "clips":
            return name, np.asarray(index.array(name))
    raise UserError(
        f"The embeddings in {index.folder!r} cannot be searched: that takes one row of"
        " every video, --average=clips, with embedding or pooled among the"
        " --endpoints."
    )
