"""Compares the network of a run with what has learned nothing, while it is trained.

Comes in: a sample of the training videos.  Goes out: a `LearningReport`.  The figures
of the untrained network and of the baselines are computed once in a run and kept in its
folder.

Letters: N videos of the sample, D dimension.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import json
import os
from typing import Callable, NamedTuple

import numpy as np

from vie_tf.config import RunConfig
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.keras import keras
from vie_tf.metrics import leave_one_out
from vie_tf.metrics.baselines.reading import read_vectors
from vie_tf.metrics.features import NothingRead
from vie_tf.metrics.learning import figures
from vie_tf.metrics.learning.figures import Figures
from vie_tf.metrics.learning.sample import NUM_CLIPS, Embedded, Embedder, Sample
from vie_tf.monitoring.learning_report import (
    BASELINES,
    RUN,
    UNTRAINED,
    LearningReport,
)
from vie_tf.storage import files, small_files
from vie_tf.storage.manifest import TRAIN_SPLIT, Manifest

NAME = "references.npz"
_VERSION = 2  # another one computes the figures again
# Clips of a comparison, as a fraction of those that were trained on since the last. One
# takes a third to a half of the time of a training clip.
_MOST_CLIPS = 0.25
_FEWEST_VIDEOS = 4


def choose(config: RunConfig, manifest: Manifest, recipe: ClipRecipe) -> Sample | None:
    """Chooses the videos of a run to compare on, the same at every start.

    Returns:
      None where the run asks for no comparison, or there is nothing to compare: a few
      videos, or images, in which nothing moves.
    """
    videos = manifest.split(TRAIN_SPLIT)
    count = min(config.train.learning_videos, len(videos))
    if count < _FEWEST_VIDEOS or max(video.frames for video in videos) == 1:
        return None
    chosen = np.random.default_rng(0).choice(len(videos), count, replace=False)
    data = dataclasses.replace(config.data, on_bad_record="skip")
    return Sample(data, manifest, tuple(videos[n] for n in np.sort(chosen)), recipe)


@dataclasses.dataclass(frozen=True)
class LearningCheck:
    """Compares a network with the references of a run.

    Attributes:
      sample: videos that all references could read.
      embedder: embedder of the network that is trained.
      references: figures of the untrained network and the baselines, by name.
    """

    sample: Sample
    embedder: Embedder
    references: dict[str, Figures]

    def is_due(self, step: int, eval_steps: int, batch_size: int) -> bool:
        """Tells whether a validation on the way also compares; the last always does.

        Args:
          step: number of the step.
          eval_steps: steps between validations; 0 for none on the way.
          batch_size: clips of a step.
        """
        num_clips = NUM_CLIPS * len(self.sample.videos)
        trained = max(eval_steps * batch_size, 1)
        every = int(np.ceil(num_clips / (_MOST_CLIPS * trained)))
        return eval_steps > 0 and step % (every * eval_steps) == 0

    def __call__(self) -> LearningReport | None:
        """Compares; None if a video can no longer be read."""
        found = self.embedder.embed(self.sample)
        if len(found.video_index) < len(self.sample.videos):
            return None
        labels = self.sample.labels
        run = figures.figures(found.rows, found.halves, labels)
        has_labels = len(run.is_right) > 0
        others = self.references
        return LearningReport(
            num_videos=len(run.is_right) if has_labels else len(labels),
            chance=_chance(labels) if has_labels else None,
            values={
                RUN: run.values(),
                **{name: one.values() for name, one in others.items()},
            },
            discordant={
                name: (
                    int(np.sum(run.is_right & ~one.is_right)),
                    int(np.sum(one.is_right & ~run.is_right)),
                )
                for name, one in others.items()
                if has_labels
            },
            scene=figures.same_scene(run, *(others[name] for name in BASELINES)),
        )


def prepare(
    sample: Sample,
    model_dir: str,
    seed: int,
    network: keras.Model,
    make_untrained: Callable[[], keras.Model],
) -> LearningCheck | None:
    """Loads the figures of what has learned nothing, or computes them once.

    Args:
      sample: result of `choose`.
      model_dir: folder of the run, which has to exist.
      seed: seed of the untrained network.
      network: network that is trained.
      make_untrained: makes the network before its first step; `network` itself if it
        has taken none.

    Returns:
      None if too few videos can be read.
    """
    path, key = os.path.join(model_dir, NAME), _key(sample, seed)
    embedder = Embedder(network, sample.recipe)
    stored = _load(path, key)
    if stored is None:
        untrained = make_untrained()
        is_same = untrained is network
        stored = _compute(
            sample, embedder if is_same else Embedder(untrained, sample.recipe)
        )
        if stored is None:
            return None
        _save(path, key, stored)
    return LearningCheck(sample.only(stored.video_index), embedder, stored.references)


class _Stored(NamedTuple):
    """References of a run, and the positions in the sample of their videos."""

    references: dict[str, Figures]
    video_index: np.ndarray


def _compute(sample: Sample, untrained: Embedder) -> _Stored | None:
    """Computes the references for the videos that all of them can read."""
    try:
        embedded = {UNTRAINED: untrained.embed(sample)}
        for name in BASELINES:
            vectors = read_vectors(
                *(sample.data.data_dir, sample.manifest, sample.videos, name),
                with_halves=True,
                title=f"{name} of {len(sample.videos)} videos",
            )
            embedded[name] = Embedded(*vectors)
    except NothingRead:
        return None
    kept = functools.reduce(np.intersect1d, (e.video_index for e in embedded.values()))
    if len(kept) < _FEWEST_VIDEOS:
        return None
    labels, references = sample.only(kept).labels, {}
    for name, one in embedded.items():
        places = np.searchsorted(one.video_index, kept)
        references[name] = figures.figures(one.rows[places], one.halves[places], labels)
    return _Stored(references, kept)


def _key(sample: Sample, seed: int) -> str:
    """Returns everything that the references depend on, as JSON."""
    videos = [video.id for video in sample.videos]
    return json.dumps(
        {
            "version": _VERSION,
            "data": sample.manifest.fingerprint(),
            "videos": hashlib.sha256(json.dumps(videos).encode()).hexdigest(),
            "recipe": repr(sample.recipe),
            "crop": sample.data.crop,
            "seed": seed,
        }
    )


def _save(path: str, key: str, stored: _Stored) -> None:
    as_bytes = np.frombuffer(key.encode(), np.uint8)
    arrays = {"key": as_bytes, "video_index": stored.video_index}
    for name, one in stored.references.items():
        for field, value in vars(one).items():
            arrays[f"{name}/{field}"] = np.asarray(value)
    content = io.BytesIO()
    np.savez(content, **arrays)
    files.write_atomically(path, content.getvalue())


def _load(path: str, key: str) -> _Stored | None:
    """Reads the references; None if there are none, or of other videos."""
    if not files.exists(path):
        return None
    try:
        arrays = small_files.read_arrays(path, "")
        if arrays["key"].tobytes() != key.encode():
            return None
        references = {
            name: Figures(
                agreement=float(arrays[f"{name}/agreement"]),
                alignment=float(arrays[f"{name}/alignment"]),
                uniformity=float(arrays[f"{name}/uniformity"]),
                is_right=arrays[f"{name}/is_right"],
                ranking=arrays[f"{name}/ranking"],
            )
            for name in (UNTRAINED, *BASELINES)
        }
        return _Stored(references, arrays["video_index"])
    except (KeyError, small_files.DamagedFile):
        return None  # they are computed again


def _chance(labels: np.ndarray) -> float:
    return 1 / len(np.unique(labels[leave_one_out.counted(labels)]))
