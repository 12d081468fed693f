"""Embeds videos into a folder, block by block.

The files do not depend on where an earlier call stopped, since blocks and their batches
do not.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from tqdm import tqdm

from vie_tf.config import EmbeddingConfig
from vie_tf.search import parquet_table
from vie_tf.search.embedder import VideoEmbedder, VideoFeatures, averaged
from vie_tf.search.embedding_files import EmbeddingFiles
from vie_tf.search.embedding_index import EmbeddingIndex
from vie_tf.search.video_source import Block, VideoSource
from vie_tf.storage import remote_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.folder_lock import FolderLock
from vie_tf.storage.manifest import RefusedEntry

_LOG_SECONDS = 20.0  # between lines of progress where there is no terminal


def write(
    embedder: VideoEmbedder, settings: EmbeddingConfig, source: VideoSource, folder: str
) -> EmbeddingIndex:
    """Embeds all videos into a folder, or continues where an earlier call stopped.

    Raises:
      UserError: the folder is remote, holds something else, or another process writes
        to it; or no video could be embedded.
    """
    if remote_files.is_remote(folder):
        raise UserError(
            f"--output={folder}: embeddings are appended to files, which needs a local"
            " folder."
        )
    doing = f"writing embeddings to {folder!r}"
    with FolderLock(folder, doing, "--output") as lock:
        lock.take()
        return _write(embedder, settings, source, folder)


def _write(
    embedder: VideoEmbedder, settings: EmbeddingConfig, source: VideoSource, folder: str
) -> EmbeddingIndex:
    files = EmbeddingFiles(
        folder,
        # Its keys are words for the user.
        {
            "videos": source.fingerprint,
            "checkpoint": embedder.fingerprint,
            "endpoints": list(settings.endpoints),
            "average": settings.average,
            "num_clips": settings.num_clips,
            "static_video": settings.static_video,
        },
        {name: embedder.shapes[name] for name in settings.endpoints},
        has_clips=settings.average == "none",
    )
    if files.is_complete:
        print(f"Nothing to do: the embeddings in {folder} are complete.")
        index = EmbeddingIndex.load(folder)
        if not os.path.exists(parquet_table.path(index)):
            parquet_table.write(index)  # after a kill, or where pyarrow is new
        return index
    done = files.progress.num_videos + files.progress.num_refused
    if done:
        print(f"Going on: {done} of {source.num_videos} videos are done.", flush=True)
    with tqdm(
        total=source.num_videos,
        initial=done,
        desc="embedding",
        unit="video",
        mininterval=0.2 if sys.stderr.isatty() else _LOG_SECONDS,
    ) as bar:
        for block in source.blocks(files.progress.blocks):
            _write_block(embedder, settings, block, files, bar)
    files.finish(
        {
            "model_dir": remote_files.absolute(settings.model_dir),
            "model": embedder.model_name,
            "checkpoint": settings.checkpoint,
            "step": embedder.step,
            "videos": source.name,
            "frames": source.frame_settings,
        }
    )
    index = EmbeddingIndex.load(folder)
    _print_summary(index, parquet_table.write(index))
    return index


def _write_block(
    embedder: VideoEmbedder,
    settings: EmbeddingConfig,
    block: Block,
    files: EmbeddingFiles,
    bar: tqdm,
) -> None:
    num_videos = 0
    for features in embedder.embed(block):
        if isinstance(features, RefusedEntry):
            files.refuse(features)
            bar.update()
            continue
        rows = _video_rows(features, block)
        if settings.average == "clips":
            values = {name: averaged(name, v) for name, v in features.values.items()}
        else:
            # [V, num_clips, ...] to [V * num_clips, ...]
            values = {
                name: v.reshape(-1, *v.shape[2:]) for name, v in features.values.items()
            }
            rows = [
                [*row, number, " ".join(map(str, clip))]
                for row, clips in zip(rows, embedder.frames_of(features.videos))
                for number, clip in enumerate(clips)
            ]
        files.append(values, rows)
        num_videos += len(features.videos)
        bar.update(len(features.videos))
    files.end_block(num_videos)


def _video_rows(features: VideoFeatures, block: Block) -> list[list[Any]]:
    """Returns the rows of videos.csv, without the columns of clips."""
    names = block.manifest.class_names
    return [
        [v.id, v.source, names[v.label] if v.label >= 0 else "", block.shown_split]
        for v in features.videos
    ]


def _print_summary(index: EmbeddingIndex, table: str | None) -> None:
    metadata = index.metadata
    print(
        f"Embedded {metadata['num_videos']} videos by {metadata['model']} at step"
        f" {metadata['step']}; {metadata['num_refused']} refused."
    )
    for array in metadata["arrays"].values():
        shape = " x ".join(map(str, array["shape"]))
        print(f"  {os.path.join(index.folder, array['file'])}: {shape}, float32")
    if table is not None:
        print(f"  {table}: the same with the list of the videos")
    if metadata["num_refused"]:
        print(f"  {os.path.join(index.folder, 'refused.csv')}: what is missing and why")
