"""A restored network and the data that it is evaluated on."""

from __future__ import annotations

import dataclasses
import functools
import os

import numpy as np

from vie_tf.config import DataConfig, RunConfig
from vie_tf.evaluation import restored_network
from vie_tf.evaluation.restored_network import RestoredNetwork
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.instances import Instances
from vie_tf.keras import keras
from vie_tf.metrics.features import ClipFeatures
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT, Manifest, VideoEntry


@dataclasses.dataclass(frozen=True)
class RestoredRun:
    """A network and a data set to evaluate it on.

    Queries are the validation videos.  Without any, they are the training videos, each
    of which is left out of the gallery in turn.

    Attributes:
      network: network that is evaluated.
      data: settings of the videos and their clips.
      manifest: manifest of the data set.
    """

    network: RestoredNetwork
    data: DataConfig
    manifest: Manifest

    @classmethod
    def load(
        cls,
        model_dir: str,
        data: DataConfig,
        clips_of: str | None = None,
        checkpoint: str = "latest",
        crop_size: int | None = None,
    ) -> RestoredRun:
        """Restores the network of a run; arguments as of `restored_network.load`."""
        network = restored_network.load(
            model_dir, checkpoint, clips_of=clips_of, crop_size=crop_size
        )
        return cls.from_network(network, data)

    @classmethod
    def from_network(cls, network: RestoredNetwork, data: DataConfig) -> RestoredRun:
        """Reads the manifest of the data set that a network is evaluated on."""
        return cls(network, data, Manifest.load(data.data_dir))

    def untrained(self) -> RestoredRun:
        """Returns the run with its network before the first step."""
        return dataclasses.replace(self, network=self.network.untrained())

    @property
    def model(self) -> keras.Model:
        """Network that is evaluated."""
        return self.network.model

    @property
    def config(self) -> RunConfig:
        """Settings of the network's run."""
        return self.network.config

    @property
    def step(self) -> int:
        """Step of the network's checkpoint."""
        return self.network.step

    @property
    def recipe(self) -> ClipRecipe:
        """Frames and size of a clip."""
        return self.network.recipe

    @property
    def eval_dir(self) -> str:
        """Folder for the results."""
        return self.network.eval_dir

    @property
    def test_data(self) -> DataConfig:
        """Data whose test window is that of the network's own training."""
        return dataclasses.replace(self.data, crop=self.config.data.crop)

    @property
    def data_dir(self) -> str:
        """Folder of the data set."""
        return self.data.data_dir

    @property
    def data_name(self) -> str:
        """Name of the data set in results: that of its folder."""
        return os.path.basename(os.path.normpath(self.data_dir))

    @property
    def is_training_data(self) -> bool:
        """Whether the network's run was trained on this data set."""
        return self.manifest.fingerprint() == self.network.data_fingerprint

    @property
    def is_image_set(self) -> bool:
        """Whether all videos are images, which have one frame."""
        return all(video.frames == 1 for video in self.manifest.videos)

    @property
    def leaves_one_out(self) -> bool:
        """Whether the queries are the training videos themselves."""
        return not self.manifest.split(VAL_SPLIT)

    @property
    def query_split(self) -> str:
        """Split of the queries."""
        return TRAIN_SPLIT if self.leaves_one_out else VAL_SPLIT

    @property
    def queries(self) -> tuple[VideoEntry, ...]:
        """Videos to find neighbors of, [Q]."""
        return self.manifest.split(self.query_split)

    @property
    def gallery(self) -> tuple[VideoEntry, ...]:
        """Videos to find neighbors among, [N]."""
        return self.manifest.split(TRAIN_SPLIT)

    @functools.cached_property
    def instances(self) -> Instances:
        """Instances of a training on labels: training videos, or a subset or bins."""
        return Instances.from_config(self.data, self.manifest)

    @property
    def bank_labels(self) -> np.ndarray:
        """Classes of the entries of the run's memory bank, [N] int64."""
        return Instances.from_config(self.config.data, self.manifest).labels

    def clips_per_video(self, num_clips: int) -> int:
        """Returns the number of clips of a video, which is 1 for images."""
        return 1 if self.is_image_set else num_clips

    def embed(
        self, split: str, num_clips: int, endpoint: str = "embedding"
    ) -> ClipFeatures:
        """Computes features of equally spaced clips of a split, [V, num_clips, D]."""
        clips = pipeline.evaluation_clips(
            self.test_data, self.manifest, split, self.recipe, num_clips=num_clips
        )
        num_videos = len(self.manifest.split(split))
        embedder = self.network.embedder(endpoint)
        return embedder.embed(clips, num_videos, f"embedding {split}")
