"""Finds the videos of a folder of embeddings that are nearest to a video."""

from __future__ import annotations

import dataclasses
from typing import Iterable

from vie_tf.config import RUN, EmbeddingConfig
from vie_tf.metrics import nearest
from vie_tf.search.baseline_embedder import make_embedder
from vie_tf.search.embedder import Embedder, averaged
from vie_tf.search.embedding_index import EmbeddingIndex
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


def embedder_of_index(index: EmbeddingIndex, model_dir: str | None) -> Embedder:
    """Loads the network that an index was made with.

    Args:
      index: index to be searched.
      model_dir: another run, whatever its checkpoint; None for the index's own.

    Raises:
      UserError: the index's run has another checkpoint now, or features of another
        size; or a run is given for an index of a baseline.
    """
    metadata, made_from = index.metadata, index.metadata["made_from"]
    endpoint, features = index.searchable()
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
    if embedder.shapes[endpoint] != features.shape[1:]:
        raise UserError(
            f"The index {index.folder!r} has {features.shape[1]} dimensions, but the"
            f" network of {folder!r} has {embedder.shapes[endpoint][0]}."
        )
    return embedder


def search(
    index: EmbeddingIndex, embedder: Embedder, blocks: Iterable[Block], count: int
) -> list[Hit]:
    """Finds the videos nearest to a video, nearest first.

    Args:
      index: index to be searched.
      embedder: result of `embedder_of_index`.
      blocks: blocks with the one video.
      count: largest number of videos to return.

    Raises:
      UserError: the video cannot be read.
    """
    endpoint, gallery = index.searchable()
    (features,) = (one for block in blocks for one in embedder.embed(block))
    if isinstance(features, RefusedEntry):
        raise UserError(
            f"The video {features.source!r} cannot be read: {features.reason}."
        )
    query = averaged(endpoint, features.values[endpoint])  # [1, D]
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
