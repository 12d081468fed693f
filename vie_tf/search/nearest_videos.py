"""A video and a folder of embeddings -> the videos nearest to it.

Comes in: one video that was just decoded.  Goes out: rows of videos.csv with their
similarities.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Iterable

from vie_tf.config import EmbeddingConfig
from vie_tf.metrics import nearest
from vie_tf.search import embeddings
from vie_tf.search.clip_features import Block, Network, averaged
from vie_tf.search.embedding_files import EmbeddingIndex
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import RefusedEntry


@dataclasses.dataclass(frozen=True)
class Hit:
    """A video of the index: its row of videos.csv, and its cosine to the query."""

    video: dict[str, str]
    similarity: float


def network_of(index: EmbeddingIndex, model_dir: str | None) -> Network:
    """Loads the network that the index was made by.

    Args:
      index: to be searched.
      model_dir: of the run to take instead, whatever its checkpoint; None for the
        index's own.

    Raises:
      UserError: the run has another checkpoint now, and was not given explicitly.
    """
    facts, made_from = index.facts, index.facts["made_from"]
    name, rows = embeddings.rows_to_search(index)
    network = embeddings.network_of(
        EmbeddingConfig(
            model_dir=model_dir or facts["model_dir"],
            checkpoint=facts["checkpoint"],
            endpoints=(name,),
            num_clips=made_from["num_clips"],
            static_video=made_from["static_video"],
        )
    )
    if network.fingerprint != made_from["checkpoint"]:
        what = (
            f"The index {index.folder!r} was made by the checkpoint of step"
            f" {facts['step']}, but the {facts['checkpoint']} one of"
            f" {model_dir or facts['model_dir']!r} is another, of step {network.step}"
        )
        if model_dir is None:
            raise UserError(
                f"{what}. Embed the videos again, or give --model_dir to compare what"
                " they do not agree on."
            )
        print(f"{what}; similarities say little.")
    if network.shapes[name] != rows.shape[1:]:
        raise UserError(
            f"The index {index.folder!r} has {rows.shape[1]} dimensions, but the"
            f" network of {model_dir!r} {network.shapes[name][0]}."
        )
    return network


def search(
    index: EmbeddingIndex, network: Network, blocks: Iterable[Block], count: int
) -> list[Hit]:
    """Finds the videos nearest to one.

    Args:
      index: to be searched.
      network: from `network_of`.
      blocks: of the one video.
      count: of the videos that are returned, at most.

    Raises:
      UserError: the video cannot be read.
    """
    name, rows = embeddings.rows_to_search(index)
    vector = None
    for block in blocks:
        for answers in network.answers(block):
            if isinstance(answers, RefusedEntry):
                raise UserError(
                    f"The video {answers.source!r} cannot be read: {answers.reason}."
                )
            vector = averaged(name, answers.values[name])  # [1, D]
    assert vector is not None
    found = nearest.search(rows, vector, count)
    videos = index.videos()
    return [
        Hit(videos[row], float(similarity))
        for row, similarity in zip(found.neighbor_index[0], found.similarities[0])
    ]


def in_lines(hits: list[Hit], facts: dict[str, Any], query: str) -> str:
    """What the user reads of a search."""
    lines = [f"Nearest to {query} of {facts['num_videos']} videos, by cosine:"]
    for place, hit in enumerate(hits, 1):
        label = f"  ({hit.video['label']})" if hit.video["label"] else ""
        lines.append(f"{place:>4}  {hit.similarity:6.3f}  {hit.video['source']}{label}")
    return "\n".join(lines)
