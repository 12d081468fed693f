"""Video files as queries of an index: decoded, embedded and looked up."""

from __future__ import annotations

import dataclasses
import functools
import gc
import os
import tempfile
from typing import Any, Callable, Iterator, Mapping, Sequence

import numpy as np

from data_prep.config import DecodingConfig
from data_prep.convert import decode_blocks
from data_prep.thumbnails.read_files import reader_of_files
from vie_tf.commands.video_files.collection_videos import reader_of
from vie_tf.config import SearchConfig
from vie_tf.explore import answers
from vie_tf.explore.answers import Answer
from vie_tf.explore.gallery import Gallery, format_found
from vie_tf.search import nearest_videos
from vie_tf.search.embedder import Embedder
from vie_tf.search.embedding_index import EmbeddingIndex
from vie_tf.search.video_source import Block
from vie_tf.storage.errors import UserError
from vie_tf.storage.frame_spool import FramesRead
from vie_tf.storage.manifest import RefusedEntry
from vie_tf.storage.printable import printable
from vie_tf.terminal.heartbeat import doing

_MOST_PER_BLOCK = 16
_FEW = 32  # queries for which building a graph takes longer than it saves


def search(
    asked: SearchConfig, model_dir: str | None, decoding: DecodingConfig
) -> None:
    """Looks up the videos nearest to some, and prints and writes what is found.

    A query that is in the index needs no network.

    Raises:
      UserError: there is no such file, index or network, or none of the queries can be
        read.
    """
    # Rows of a large index are many objects, for which Python would look at those of
    # TensorFlow, which stay, again and again.
    gc.freeze()
    index = EmbeddingIndex.load(asked.index)
    queries = query_files(asked.query, index.metadata["frames"].get("media", "videos"))
    gallery = Gallery(index, asked.search_by)
    doing("decoding the queries and searching")
    found = []
    for answer in answer_all(queries, gallery, index, asked, model_dir, decoding):
        found.append(answer)
        if answer.fault:
            print(printable(f"{answer.query} cannot be read: {answer.fault}."))
        else:
            lines = format_found(answer.found, answer.query, gallery.num_videos)
            print("\n".join(map(printable, lines)), flush=True)
    if asked.csv:
        print(answers.write_csv(asked.csv, found))
    if asked.html:
        read = reader_of(index.metadata["videos"], gallery.sources, 0)
        of_queries = reader_of_files([answer.query for answer in found], 1)
        print(answers.write_page(asked.html, found, of_queries, read))
    if all(answer.fault for answer in found):
        raise UserError(
            f"None of the {len(found)} queries can be read, such as"
            f" {found[0].query!r}: {found[0].fault}."
        )


def answer_all(
    queries: Sequence[str],
    gallery: Gallery,
    index: EmbeddingIndex,
    asked: SearchConfig,
    model_dir: str | None,
    decoding: DecodingConfig,
) -> Iterator[Answer]:
    """Yields what is found for each query, in their order."""
    own = {query: gallery.source_of(query) for query in queries}
    # The features of another network are asked for by its run.
    known = {q: s for q, s in own.items() if s is not None and model_dir is None}
    unknown = [query for query in queries if query not in known]
    load = functools.partial(
        nearest_videos.embedder_of_index, index, model_dir, gallery.endpoint
    )
    computed = embedded(unknown, gallery, index, load, decoding)
    for query in queries:
        if query in known:
            vectors = gallery.vectors_of(known[query])
        else:
            _, features = next(computed)
            if isinstance(features, RefusedEntry):
                yield Answer(query, (), features.reason)
                continue
            vectors = gallery.directions(features)
        without = None if asked.find_itself else own[query]
        yield Answer(query, tuple(gallery.nearest(vectors, asked.nearest, without)))


def embedded(
    paths: Sequence[str],
    gallery: Gallery,
    index: EmbeddingIndex,
    load: Callable[[], Embedder],
    decoding: DecodingConfig,
) -> Iterator[tuple[str, np.ndarray | RefusedEntry]]:
    """Yields files in order with the features of their clips, [num_clips, D] float32.

    A file that cannot be read comes with a `RefusedEntry`.  The network is loaded when
    the first file is asked for.
    """
    embedder = load()
    frames = _frame_settings(paths, index.metadata["frames"])
    if frames.media == "images" and not embedder.takes_pictures:
        raise UserError(
            f"--query={paths[0]} is a picture, but {embedder.model_name}, which made"
            " the index, looks at several frames: give a video."
        )
    found = [
        # Files of two folders may have one name.
        dataclasses.replace(
            decode_blocks.find(path, frames.media)[0], source=path, label=None
        )
        for path in paths
    ]
    with tempfile.TemporaryDirectory(prefix="vie_tf-") as folder:
        size = min(len(found), _MOST_PER_BLOCK)
        embed = embedder.embed_few if len(found) <= _FEW else embedder.embed
        read = embedder.frames_read
        for block in decoded(found, frames, folder, 1, size, decoding, read):
            results: dict[str, np.ndarray | RefusedEntry] = {}
            for one in embed(block):
                if isinstance(one, RefusedEntry):
                    results[one.source] = one
                else:
                    values = one.values[gallery.endpoint]
                    results.update(zip((v.source for v in one.videos), values))
            names = [path for path in paths if path in results]
            yield from ((name, results[name]) for name in names)


def _frame_settings(
    paths: Sequence[str], of_index: Mapping[str, Any]
) -> decode_blocks.FrameSettings:
    """Returns frame rate, size and medium of queries."""
    media = {decode_blocks.media_of(path, "frames") for path in paths}
    if len(media) > 1:
        raise UserError(
            "Some of the queries are pictures and some are videos: give the ones, and"
            " the others in another call."
        )
    frames = decode_blocks.frame_settings(of_index)
    return dataclasses.replace(frames, media=media.pop())


def query_files(asked: Sequence[str], media: str = "videos") -> list[str]:
    """Returns the files that a user means by files and folders.

    Args:
      asked: files and folders.
      media: what the index holds; a folder holds the same.  One of `frames` that holds
        pictures itself is one video.

    Raises:
      UserError: there is no such file, or no video in a folder.
    """
    whole = ",".join(asked)
    names = [whole] if os.path.exists(whole) else list(asked)  # with a comma in it
    paths = []
    for name in names:
        if os.path.isdir(name):
            own = decode_blocks.media_of(name, media)
            paths += [video.path for video in decode_blocks.find(name, own)]
        elif os.path.isfile(name):
            paths.append(name)
        else:
            raise UserError(
                f"--query={name} is neither a file nor a folder; give video files,"
                " separated by commas, or a folder of them."
            )
    if not paths:
        raise UserError("--query is empty; give video files or a folder of them.")
    return list(dict.fromkeys(paths))


def decoded(
    videos: Sequence[decode_blocks.FoundVideo],
    frames: decode_blocks.FrameSettings,
    scratch_dir: str,
    num_processes: int,
    videos_per_block: int,
    decoding: DecodingConfig,
    frames_read: FramesRead | None,
) -> Iterator[Block]:
    """Yields blocks of video files; each exists until the next is asked for."""
    for manifest in decode_blocks.decode(
        videos,
        frames,
        scratch_dir,
        videos_per_block=videos_per_block,
        num_processes=num_processes,
        max_megapixels=decoding.max_megapixels,
        max_seconds=decode_blocks.time_limit(videos),
        frames_read=frames_read,
    ):
        yield Block(scratch_dir, manifest, decode_blocks.SPLIT)
