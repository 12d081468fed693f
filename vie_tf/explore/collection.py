"""A collection of videos with one vector each: from an index, or from a memory bank.

Letters: V videos, D dimension.
"""

from __future__ import annotations

import dataclasses
import os

import numpy as np

from vie_tf.config import RUN
from vie_tf.explore import space
from vie_tf.input.instances import Instances
from vie_tf.metrics.features import unit_norm
from vie_tf.runs.checkpoint_folder import step_of
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.search.embedding_index import EmbeddingIndex
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest


@dataclasses.dataclass(frozen=True)
class Collection:
    """Videos with their embeddings.

    Attributes:
      name: name of the collection, for people.
      network: family of the network and step of its checkpoint, or name of a baseline,
        for people.
      videos: folder of the video files, or of the data set.
      sources: names of the videos, [V].
      labels: names of their classes, empty without one, [V].
      splits: splits of the data set, empty for files, [V].
      vectors: directions that are compared, unit norm, [V, D] float32.
    """

    name: str
    network: str
    videos: str
    sources: tuple[str, ...]
    labels: tuple[str, ...]
    splits: tuple[str, ...]
    vectors: np.ndarray


def of_index(index: EmbeddingIndex) -> Collection:
    """Returns the videos of an index; the clips of each are averaged.

    Raises:
      UserError: the index has no vectors, or its files are damaged.
    """
    metadata = index.metadata
    rows, vectors = index.videos(), space.of_index(index).vectors
    if space.is_index_of_clips(index):
        num_clips = len(rows) // metadata["num_videos"]
        rows = rows[::num_clips]
        clips = vectors.reshape(len(rows), num_clips, -1)
        vectors = unit_norm(clips.mean(axis=1))
    videos, network = metadata["videos"], metadata["model"]
    if metadata["made_from"].get("network", RUN) == RUN:  # Others have no steps.
        network = f"{network}, step {metadata['step']}"
    return Collection(
        name=os.path.basename(videos.rstrip("/")) or videos,
        network=network,
        videos=videos,
        sources=tuple(row["source"] for row in rows),
        labels=tuple(row["label"] for row in rows),
        splits=tuple(row["split"] for row in rows),
        vectors=vectors,
    )


def of_bank(model_dir: str, data_dir: str | None, checkpoint: str) -> Collection:
    """Returns the instances of a run's memory bank.

    Args:
      model_dir: folder of the run.
      data_dir: data set that it was trained on; None for that of its settings.
      checkpoint: `latest` or `best`.

    Raises:
      UserError: there is no run, no memory bank or another data set.
    """
    directory = RunDirectory(model_dir)
    config, _ = directory.load_config()
    data_dir = data_dir or config.data.data_dir
    stored = directory.checkpoint(checkpoint)
    bank = stored.read_bank()
    manifest = Manifest.load(data_dir)
    instances = Instances.from_config(config.data, manifest)
    if len(bank) != instances.count or config.data.bin_frames:
        raise UserError(
            f"The memory bank of {model_dir!r} has {len(bank)} entries, and"
            f" {data_dir!r} has {len(instances.videos)} training videos: give the data"
            " set that the run was trained on (a run on bins of videos has no entry for"
            " a video)."
        )
    names = (*manifest.class_names, "")  # NO_LABEL is -1
    vectors = unit_norm(bank)
    return Collection(
        name=os.path.basename(data_dir.rstrip("/")) or data_dir,
        network=f"memory bank of {config.model.name}, step {step_of(stored.path)}",
        videos=data_dir,
        sources=tuple(video.source for video in instances.videos),
        labels=tuple(names[video.label] for video in instances.videos),
        splits=tuple(video.split for video in instances.videos),
        vectors=space.centered(vectors, space.mean_of(vectors)),
    )
