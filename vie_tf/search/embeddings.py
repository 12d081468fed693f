"""Embeds videos into a folder, block by block.

The files do not depend on where an earlier call stopped, since blocks and their batches
do not.  Rows of videos that were embedded before are kept (`known_videos`, `update`).
"""

from __future__ import annotations

import os
import sys
from typing import Callable, Mapping, Sequence

from tqdm import tqdm

from vie_tf.config import READY_NETWORKS, RUN, EmbeddingConfig
from vie_tf.metrics.search_features import SEARCH_FEATURES
from vie_tf.search import known_videos, parquet_table, search_space, update
from vie_tf.search.embedder import Embedder, averaged, row_shape
from vie_tf.search.embedding_files import EmbeddingFiles
from vie_tf.search.embedding_index import (
    INDEX_NAME,
    NEW_ROWS,
    PROGRESS_NAME,
    EmbeddingIndex,
    read_metadata,
)
from vie_tf.search.known_videos import CONTENTS_NAME, KnownVideo, KnownVideos, Place
from vie_tf.search.video_source import Block, VideoSource
from vie_tf.storage import remote_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import full_disk_errors
from vie_tf.storage.folder_lock import FolderLock
from vie_tf.storage.manifest import RefusedEntry
from vie_tf.terminal import next_step
from vie_tf.terminal.wording import counted

_LOG_SECONDS = 20.0  # between lines of progress where there is no terminal


def write(
    embedder: Embedder, settings: EmbeddingConfig, source: VideoSource, folder: str
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
    with FolderLock(folder, doing, "--output"), full_disk_errors(folder):
        return _write(embedder, settings, source, folder)


def _write(
    embedder: Embedder, settings: EmbeddingConfig, source: VideoSource, folder: str
) -> EmbeddingIndex:
    # Its keys are words for the user.
    made_from = {
        "videos": source.fingerprint,
        "checkpoint": embedder.fingerprint,
        "endpoints": list(settings.endpoints),
        "average": settings.average,
        "num_clips": settings.num_clips,
        "static_video": settings.static_video,
        # Folders of earlier versions are of runs, and do not say so.
        **({} if settings.network == RUN else {"network": settings.network}),
    }
    shapes = _row_shapes(embedder, settings, folder)

    def open_files(place: str) -> EmbeddingFiles:
        return EmbeddingFiles(place, made_from, shapes, settings.average == "none")

    update.finish_merged(folder)
    files = _opened(open_files, folder, source)
    is_same = files.progress.made_from["videos"] == source.fingerprint
    if files.is_complete and is_same:
        print(f"Nothing to do: the embeddings in {folder} are complete.")
        index = EmbeddingIndex.load(folder)
        search_space.write(index)
        if not os.path.exists(parquet_table.path(index)):
            parquet_table.write(index)  # after a kill, or where pyarrow is new
        return index
    parts = [files]
    if files.is_complete:
        parts.append(open_files(os.path.join(folder, NEW_ROWS)))
    places = _embed_missing(embedder, settings, source, parts)
    metadata = {
        "model_dir": settings.model_dir and remote_files.absolute(settings.model_dir),
        "model": embedder.model_name,
        "checkpoint": settings.checkpoint,
        "step": embedder.step,
        "videos": source.name,
        "frames": source.frame_settings,
        "search_blocks": embedder.block_sizes,
    }
    if not files.is_complete and update.is_in_order(files, places):
        files.finish(metadata)
    else:
        update.merge(folder, open_files, source, parts, places, metadata)
    index = EmbeddingIndex.load(folder)
    search_space.write(index)
    _print_summary(index, parquet_table.write(index))
    return index


def _row_shapes(
    embedder: Embedder, settings: EmbeddingConfig, folder: str
) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of the rows of a folder, by endpoint.

    A folder that an earlier version made goes on without search features.
    """
    if settings.average == "none":
        return {name: embedder.shapes[name] for name in settings.endpoints}
    names = embedder.endpoints
    known = read_metadata(folder, INDEX_NAME) or read_metadata(folder, PROGRESS_NAME)
    if known is not None:
        there = {*known.get("arrays", ()), *known.get("sizes", ())}
        if not there & {SEARCH_FEATURES, f"{SEARCH_FEATURES}.npy"}:
            names = settings.endpoints
    return {name: row_shape(embedder, name) for name in names}


def _opened(
    open_files: Callable[[str], EmbeddingFiles], folder: str, source: VideoSource
) -> EmbeddingFiles:
    """Opens a folder, and makes again what is damaged in it."""
    files = open_files(folder)
    damage = files.damage()
    if damage:
        path = os.path.join(folder, damage)
        print(f"{path} was damaged: all videos are embedded again.", flush=True)
        files.begin()
    if len(files.videos) == files.num_known:
        return files
    # The list of contents is damaged, or an earlier version wrote none.
    if files.progress.made_from["videos"] == source.fingerprint:
        files.write_contents(_contents_of(files, source))
    elif files.writes_contents:
        path = os.path.join(folder, CONTENTS_NAME)
        print(f"{path} was damaged: all videos are embedded again.", flush=True)
        files.begin()
    return files


def _contents_of(files: EmbeddingFiles, source: VideoSource) -> list[KnownVideo]:
    """Makes the list of contents of a folder from its videos, which did not change."""
    reasons, count = files.reasons(), files.num_known
    known = known_videos.describe(source, range(count))
    return [one._replace(reason=reasons.get(one.path, "")) for one in known]


def _embed_missing(
    embedder: Embedder,
    settings: EmbeddingConfig,
    source: VideoSource,
    parts: Sequence[EmbeddingFiles],
) -> list[Place]:
    """Embeds the videos that have no rows yet; returns the places of all.

    Args:
      embedder: network.
      settings: settings of the rows.
      source: all videos.
      parts: folders with rows; new ones are appended to the last.

    Raises:
      UserError: the folder has embeddings of other videos only.
    """
    is_same = parts[0].progress.made_from["videos"] == source.fingerprint
    found = KnownVideos((part.videos for part in parts), is_same).find(source)
    missing = [number for number, place in enumerate(found) if place is None]
    num_videos, files = len(source.videos), parts[-1]
    num_kept, num_known = num_videos - len(missing), parts[0].num_known
    if num_known and not num_kept:
        raise UserError(
            f"--output={parts[0].folder} holds embeddings with other videos; give the"
            " same again, or a new folder."
        )
    if num_known and not is_same:
        _print_plan(parts[0], found)
    elif num_kept:
        print(f"Going on: {num_kept} of {num_videos} videos are done.", flush=True)
    with tqdm(
        total=num_videos,
        initial=num_kept,
        desc="embedding",
        unit="video",
        mininterval=0.2 if sys.stderr.isatty() else _LOG_SECONDS,
    ) as bar:
        position_of = {source.videos[number].source: number for number in missing}
        for block in source.blocks(missing) if missing else ():
            _write_block(embedder, settings, block, source, position_of, files, bar)
    new = KnownVideos([*([] for _ in parts[1:]), files.videos])
    return [
        new.named(source.videos[number]) if place is None else place
        for number, place in enumerate(found)
    ]


def _print_plan(files: EmbeddingFiles, found: Sequence[Place | None]) -> None:
    """Prints how many videos are kept, embedded and dropped."""
    kept = [place for place in found if place is not None]
    rows = {(place.folder, place.row) for place in kept if place.row is not None}
    num_old = sum(folder == 0 for folder, _ in rows)
    num_dropped = files.progress.num_videos - num_old
    print(
        f"The videos have changed since {files.folder} was written: {len(kept)} of"
        f" {len(found)} are kept, {len(found) - len(kept)} are embedded,"
        f" {num_dropped} of {files.progress.num_videos} rows are dropped.",
        flush=True,
    )


def _write_block(
    embedder: Embedder,
    settings: EmbeddingConfig,
    block: Block,
    source: VideoSource,
    position_of: Mapping[str, int],
    files: EmbeddingFiles,
    bar: tqdm,
) -> None:
    num_videos = 0
    for features in embedder.embed(block):
        if isinstance(features, RefusedEntry):
            (known,) = known_videos.describe(source, [position_of[features.source]])
            files.refuse(features, known)
            bar.update()
            continue
        positions = [position_of[video.source] for video in features.videos]
        rows = [update.row_of(source.videos[position]) for position in positions]
        if settings.average == "clips":
            values = {
                name: averaged(name, features.values[name]) for name in files.shapes
            }
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
        files.append(values, rows, known_videos.describe(source, positions))
        num_videos += len(features.videos)
        bar.update(len(features.videos))
    files.end_block(num_videos)


def _print_summary(index: EmbeddingIndex, table: str | None) -> None:
    metadata = index.metadata
    state = f" at step {metadata['step']}"
    network = metadata["made_from"].get("network")
    if network in READY_NETWORKS:
        state = f", --network={network}"
    elif network:
        state = ", which has learned nothing"
    print(
        f"Embedded {counted(metadata['num_videos'], 'video')} by"
        f" {metadata['model']}{state}; {metadata['num_refused']} refused."
    )
    for array in metadata["arrays"].values():
        shape = " x ".join(map(str, array["shape"]))
        print(f"  {os.path.join(index.folder, array['file'])}: {shape}, float32")
    if table is not None:
        print(f"  {table}: the same with the list of the videos")
    if metadata["num_refused"]:
        print(f"  {os.path.join(index.folder, 'refused.csv')}: what is missing and why")
    print(next_step.line("embed", "--query=VIDEO", f"--index={index.folder}"))
