"""A trained network with the data it is evaluated on."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from vie_tf import input_pipeline
from vie_tf.checkpoints import RunDirectory
from vie_tf.clip_sampling import ClipRecipe
from vie_tf.config import RunConfig
from vie_tf.evaluation.features import ClipEmbedder
from vie_tf.records import TRAIN_SPLIT, VAL_SPLIT, Manifest, VideoEntry
from vie_tf.run_setup import build_model, clip_recipe


@dataclasses.dataclass(frozen=True)
class RestoredRun:
    """What every evaluation starts from.

    Queries are the validation videos, or, where there are none, the training videos
    themselves, each left out of the gallery in turn.

    Attributes:
      directory: of the run.
      config: of the run.
      data_dir: of the data that is evaluated.
      manifest: of `data_dir`.
      is_training_data: whether the run was trained on this data.
      model: with the weights of the newest checkpoint.
      step: of the checkpoint.
    """

    directory: RunDirectory
    config: RunConfig
    data_dir: str
    manifest: Manifest
    is_training_data: bool
    model: tf.keras.Model
    step: int

    @classmethod
    def load(cls, model_dir: str, data_dir: str) -> RestoredRun:
        """Builds the run's network and restores its weights.

        Raises:
          ValueError: `model_dir` is no run, or `data_dir` no data set.
        """
        directory = RunDirectory(model_dir)
        config, fingerprint = directory.load_config()
        manifest = Manifest.load(data_dir)
        model = build_model(config.model, config.train.seed)
        step = directory.restore_model(model)
        return cls(
            directory=directory,
            config=config,
            data_dir=data_dir,
            manifest=manifest,
            is_training_data=manifest.fingerprint() == fingerprint,
            model=model,
            step=step,
        )

    def untrained(self) -> RestoredRun:
        """The same network as it was before its first step."""
        model = build_model(self.config.model, self.config.train.seed)
        return dataclasses.replace(self, model=model, step=0)

    @property
    def recipe(self) -> ClipRecipe:
        """Clips of the network."""
        return clip_recipe(self.config.model)

    @property
    def leaves_one_out(self) -> bool:
        """Whether the queries are the training videos themselves."""
        return not self.manifest.split(VAL_SPLIT)

    @property
    def gallery(self) -> tuple[VideoEntry, ...]:
        """Videos among which neighbours are looked for."""
        return self.manifest.split(TRAIN_SPLIT)

    @property
    def queries(self) -> tuple[VideoEntry, ...]:
        """Videos whose neighbours are looked for."""
        return self.gallery if self.leaves_one_out else self.manifest.split(VAL_SPLIT)

    @property
    def own_rows(self) -> np.ndarray | None:
        """Rows of the queries in the gallery, None if they are not in it."""
        return np.arange(len(self.queries)) if self.leaves_one_out else None

    def embed(self, split: str, num_clips: int) -> np.ndarray:
        """Embeds the clips of a split, [V, num_clips, D] float32."""
        batches = input_pipeline.test_batches(
            self.data_dir, self.manifest, split, self.recipe, num_clips=num_clips
        )
        videos = self.manifest.split(split)
        return ClipEmbedder(self.model).embed(
            batches, len(videos), f"embedding {split}"
        )

    def embed_queries(self, num_clips: int) -> np.ndarray:
        """Embeds the queries, [Q, num_clips, D] float32."""
        return self.embed(TRAIN_SPLIT if self.leaves_one_out else VAL_SPLIT, num_clips)

    def check_labels(self, task: str) -> None:
        """Raises ValueError where the videos have no labels, or just one class."""
        if len(self.manifest.class_names) < 2:
            raise ValueError(
                f"--task={task} needs videos of at least two classes, but those"
                f" of {self.data_dir!r} have"
                f" {', '.join(self.manifest.class_names) or 'no labels'}. Put the"
                " videos into one folder per class and convert them again, or use"
                " --task=retrieval, which needs no labels."
            )
