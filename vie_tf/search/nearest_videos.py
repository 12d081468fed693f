"""Finds the videos of a folder of embeddings that are nearest to a video."""

from __future__ import annotations

import dataclasses
from typing import Iterable

import numpy as np

from vie_tf.config import RUN, EmbeddingConfig
from vie_tf.metrics import nearest
from vie_tf.search import search_space
from vie_tf.search.baseline_embedder import make_embedder
from vie_tf.search.embedder import Embedder, averaged, row_shape
from vie_tf.search.embedding_index import EmbeddingIndex
from vie_tf.search.search_features import SEARCH_FEATURES
from vie_tf.search.video_source import Block
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import RefusedEntry
from vie_tf.storage.printable import printable
from vie_tf.storage.wording import counted


@dataclasses.dataclass(frozen=True)
class Hit:
    """A video of the index: its row of videos.csv, and its cosine to the query."""

    video: dict[str, str]
    similarity: float


def endpoint_of(index: EmbeddingIndex, search_by: str) -> str:
    """Returns what the videos of an index are compared by.

    Args:
      index: index to be searched.
      search_by: `components` or `embedding`, see `vie_tf.config.SearchConfig`.

    Raises:
      UserError: the index has nothing to compare by.
    """
    if search_by == "components" and search_space.is_possible(index):
        return SEARCH_FEATURES
    return index.searchable()[0]


def embedder_of_index(
    index: EmbeddingIndex, model_dir: str | None, endpoint: str
) -> Embedder:
    """Loads the network that an index was made with.

    Args:
      index: index to be searched.
      endpoint: result of `endpoint_of`.
      model_dir: another run, whatever its checkpoint; None for the index's own.

    Raises:
      UserError: the index's run has another checkpoint now, or features of another
        size; or a run is given for an index of a baseline.
    """
    metadata, made_from = index.metadata, index.metadata["made_from"]
    folder, name = model_dir or metadata["model_dir"], made_from.get("network", RUN)
    if model_dir is not None and name != RUN:
        raise UserError(
            f"The index {index.folder!r} was made by {name} and has no run: leave"
            " --model_dir out."
        )
    embedder = make_embedder(
        EmbeddingConfig(
            model_dir=folder,
            network=name,
            checkpoint=metadata["checkpoint"],
            endpoints=(endpoint,),
            num_clips=made_from["num_clips"],
            static_video=made_from["static_video"],
        )
    )
    if embedder.fingerprint != made_from["checkpoint"]:
        difference = (
            f"The index {index.folder!r} was made with the checkpoint of step"
            f" {metadata['step']}, but the {metadata['checkpoint']} checkpoint of"
            f" {folder!r} is another, of step {embedder.step}"
        )
        if model_dir is None:
            raise UserError(
                f"{difference}. Embed the videos again, or give --model_dir to compare"
                " features of two networks."
            )
        print(f"{difference}; similarities say little.")
    (size,), (_, known) = (
        row_shape(embedder, endpoint),
        metadata["arrays"][endpoint]["shape"],
    )
    if size != known:
        raise UserError(
            f"The index {index.folder!r} has {known} dimensions of {endpoint}, but the"
            f" network of {folder!r} has {size}."
        )
    return embedder


def search(
    index: EmbeddingIndex,
    embedder: Embedder,
    blocks: Iterable[Block],
    count: int,
    endpoint: str,
) -> list[Hit]:
    """Finds the videos nearest to a video, nearest first.

    Args:
      index: index to be searched.
      embedder: result of `embedder_of_index`.
      blocks: blocks with the one video.
      count: largest number of videos to return.
      endpoint: result of `endpoint_of`.

    Raises:
      UserError: the video cannot be read.
    """
    (features,) = (one for block in blocks for one in embedder.embed(block))
    if isinstance(features, RefusedEntry):
        raise UserError(
            f"The video {features.source!r} cannot be read: {features.reason}."
        )
    query = averaged(endpoint, features.values[endpoint])  # [1, D]
    if endpoint == SEARCH_FEATURES:
        gallery, space = search_space.load(index)
        query = space.project(query)  # [1, K]
    else:
        gallery = np.asarray(index.array(endpoint))
    found = nearest.search(gallery, query, count)
    videos = index.videos()
    return [
        Hit(videos[neighbor], float(similarity))
        for neighbor, similarity in zip(found.neighbor_index[0], found.similarities[0])
    ]


def format_hits(hits: list[Hit], index: EmbeddingIndex, query: str) -> str:
    """Formats the result of a search in lines."""
    num_videos = index.metadata["num_videos"]
    lines = [f"Nearest to {query} of {counted(num_videos, 'video')}, by cosine:"]
    for place, hit in enumerate(hits, 1):
        label = f"  ({hit.video['label']})" if hit.video["label"] else ""
        lines.append(f"{place:>4}  {hit.similarity:6.3f}  {hit.video['source']}{label}")
    return "\n".join(map(printable, lines))
