"""A trained network with the data it is evaluated on."""

from __future__ import annotations

import dataclasses
import functools
import os

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig, RunConfig
from vie_tf.evaluation.provenance import TrainedOn, loss_of
from vie_tf.input import pipeline
from vie_tf.input.instances import Instances
from vie_tf.input.sampling import ClipRecipe
from vie_tf.metrics.features import ClipEmbedder, ClipFeatures
from vie_tf.models.from_config import build_model, clip_recipe
from vie_tf.runs import streams
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.streams import StreamPair
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT, Manifest, VideoEntry

UNTRAINED = "untrained"


@dataclasses.dataclass(frozen=True)
class RestoredRun:
    """What every evaluation starts from.

    Queries are the validation videos, or, where there are none, the training videos
    themselves, each left out of the gallery in turn.

    Attributes:
      eval_dir: folder for the results.
      directory: of the run whose memory bank belongs to the network; None for a
        network that was put together for the evaluation.
      config: of the run.
      data: what is evaluated, and how its clips are read.
      manifest: of `data.data_dir`.
      is_training_data: whether the run was trained on this data.
      model: with the weights of a checkpoint.
      step: of the checkpoint, 0 without one.
      checkpoint: which one it is, `latest` or `best`; `untrained` where there is none,
        and the network is as it was before its first step.
      trained_size: height and width of the run's own clips in pixels; those of the
        evaluation are in `recipe`.
      weights_from: what is behind the weights, a part for each run that they are of.
      streams: the runs of a network that was put together of two, else None.
    """

    eval_dir: str
    directory: RunDirectory | None
    config: RunConfig
    data: DataConfig
    manifest: Manifest
    is_training_data: bool
    model: tf.keras.Model
    step: int
    trained_size: int
    checkpoint: str = "latest"
    weights_from: tuple[TrainedOn, ...] = (TrainedOn(),)
    streams: StreamPair | None = None
    # One for each endpoint, so that its graph is made once for all splits.
    _embedders: dict[str, ClipEmbedder] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def load(
        cls,
        model_dir: str,
        data: DataConfig,
        clips_of: str | None = None,
        checkpoint: str = "latest",
        crop_size: int | None = None,
    ) -> RestoredRun:
        """Builds the run's network and restores its weights.

        Args:
          model_dir: folder of the run.
          data: what is evaluated.
          clips_of: family whose clips a run of `single` is given, frame by frame
            (Input-Single, table 4); None for the run's own.
          checkpoint: `latest`, `best` in the run's own validation, or `untrained`,
            for which the run needs no checkpoint.
          crop_size: of the clips in pixels; None for the run's.

        Raises:
          UserError: `model_dir` is no run, or `data` no data set, or the network
            takes no other clips.
        """
        directory = RunDirectory(model_dir)
        if checkpoint == UNTRAINED:
            _check_settings(directory)
        config, fingerprint = directory.load_config()
        manifest = Manifest.load(data.data_dir)
        eval_dir = os.path.join(model_dir, "eval")
        if clips_of is not None:
            config = _with_clips_of(config, clips_of)
            eval_dir = os.path.join(eval_dir, config.model.name)
        trained_size = clip_recipe(config.model).crop_size
        config = _with_crop_size(config, crop_size)
        model = build_model(config.model, config.train.seed)
        step = 0
        if checkpoint != UNTRAINED:
            step = directory.restore_model(model, checkpoint)
        return cls(
            eval_dir=eval_dir,
            directory=directory if clips_of is None else None,
            config=config,
            data=data,
            manifest=manifest,
            is_training_data=manifest.fingerprint() == fingerprint,
            model=model,
            step=step,
            trained_size=trained_size,
            checkpoint=checkpoint,
            weights_from=(TrainedOn.of_run(directory, step),),
        )

    @classmethod
    def of_streams(
        cls,
        single_from: str,
        dynamic_from: str,
        static_frames: str,
        model_dir: str,
        data: DataConfig,
        checkpoint: str = "latest",
        crop_size: int | None = None,
    ) -> RestoredRun:
        """Puts the networks of two runs together to a two-stream network.

        Args:
          single_from: folder of a run of `single`.
          dynamic_from: folder of a run of `slow` or `slowfast`.
          static_frames: `one` or `all`, see `ModelConfig`.
          model_dir: folder for the results; not that of a run.
          data: what is evaluated.
          checkpoint: `latest`, `best` in each run's own validation, or `untrained`.
          crop_size: of the clips in pixels; None for that of the dynamic stream.

        Raises:
          UserError: the runs do not fit together, or a folder is not what it should
            be.
        """
        if RunDirectory(model_dir).exists():
            raise UserError(
                f"--model_dir={model_dir} is a run of its own. With --single_from and"
                " --dynamic_from it is the folder for the results: give another one."
            )
        config, fingerprint = RunDirectory(dynamic_from).load_config()
        settings = streams.stream_settings(single_from, dynamic_from, static_frames)
        config = dataclasses.replace(config, model=settings)
        trained_size = clip_recipe(settings).crop_size
        config = _with_crop_size(config, crop_size)
        manifest = Manifest.load(data.data_dir)
        model = build_model(settings, config.train.seed)
        steps = (0, 0)
        if checkpoint != UNTRAINED:
            steps = streams.restore_streams(
                model, single_from, dynamic_from, checkpoint
            )
        parts = tuple(
            TrainedOn.of_run(RunDirectory(folder), step)
            for folder, step in zip((single_from, dynamic_from), steps)
        )
        pair = StreamPair(
            single_from=single_from,
            single_step=steps[0],
            single_loss=parts[0].loss,
            dynamic_from=dynamic_from,
            dynamic_step=steps[1],
            dynamic_loss=parts[1].loss,
            static_frames=static_frames,
        )
        return cls(
            eval_dir=os.path.join(model_dir, "eval"),
            directory=None,
            config=config,
            data=data,
            manifest=manifest,
            is_training_data=manifest.fingerprint() == fingerprint,
            model=model,
            step=pair.dynamic_step,
            trained_size=trained_size,
            checkpoint=checkpoint,
            weights_from=parts,
            streams=pair,
        )

    def untrained(self) -> RestoredRun:
        """The same network as it was before its first step."""
        model = build_model(self.config.model, self.config.train.seed)
        seed = self.config.train.seed
        drawn = tuple(part.untrained(seed) for part in self.weights_from)
        return dataclasses.replace(self, model=model, step=0, weights_from=drawn)

    @property
    def data_dir(self) -> str:
        """Folder of the data that is evaluated."""
        return self.data.data_dir

    @property
    def data_name(self) -> str:
        """What results call the data: the name of its folder."""
        return os.path.basename(os.path.normpath(self.data_dir))

    @property
    def loss(self) -> str:
        """By which the weights were trained, `none` before the first step."""
        return loss_of(self.weights_from)

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
        """Videos among which neighbors are looked for."""
        return self.manifest.split(TRAIN_SPLIT)

    @property
    def gallery_labels(self) -> np.ndarray:
        """Classes of the gallery's videos, [N] int."""
        return np.array([video.label for video in self.gallery])

    @functools.cached_property
    def instances(self) -> Instances:
        """What a training on labels is given: training videos, or a view of them."""
        return Instances.from_config(self.data, self.manifest)

    @property
    def bank_labels(self) -> np.ndarray:
        """Classes of the rows of the run's memory bank, [N] int64."""
        return Instances.from_config(self.config.data, self.manifest).labels

    @property
    def is_view(self) -> bool:
        """Whether the bank has rows for something else than each training video."""
        return self.config.data.subset < 1 or self.config.data.bin_frames > 0

    @property
    def queries(self) -> tuple[VideoEntry, ...]:
        """Videos whose neighbors are looked for."""
        return self.gallery if self.leaves_one_out else self.manifest.split(VAL_SPLIT)

    def embed(
        self, split: str, num_clips: int, endpoint: str = "embedding"
    ) -> ClipFeatures:
        """Embeds the clips of a split, [V, num_clips, D] float32."""
        clips = pipeline.evaluation_clips(
            self.data,
            self.manifest,
            split,
            self.recipe,
            num_clips=num_clips,
        )
        videos = self.manifest.split(split)
        if endpoint not in self._embedders:
            self._embedders[endpoint] = ClipEmbedder(self.model, endpoint)
        embedder = self._embedders[endpoint]
        return embedder.embed(clips, len(videos), f"embedding {split}")

    def embed_queries(
        self, num_clips: int, endpoint: str = "embedding"
    ) -> ClipFeatures:
        """Embeds the queries, [Q, num_clips, D] float32."""
        split = TRAIN_SPLIT if self.leaves_one_out else VAL_SPLIT
        return self.embed(split, num_clips, endpoint)

    @property
    def is_image_set(self) -> bool:
        """Whether all videos are pictures, that is of one frame."""
        return all(video.frames == 1 for video in self.manifest.videos)

    def clips_per_video(self, num_clips: int) -> int:
        """How many clips of a video are tested: one of a picture, as all are the same.

        Args:
          num_clips: that were asked for.
        """
        return 1 if self.is_image_set else num_clips

    @property
    def queries_in_words(self) -> str:
        """What is compared with what, for protocols."""
        if self.leaves_one_out:
            return "training videos as queries, each left out of the gallery"
        return "validation videos as queries, training videos as gallery"


def _check_settings(directory: RunDirectory) -> None:
    """Says how a folder is made that has just the settings of a network."""
    if not directory.exists():
        raise UserError(
            f"{directory.model_dir!r} has no config.json, of which --from_scratch takes"
            " the network. Make it without training: train.py --model=MODEL"
            " --train_steps=0 with this --data_dir and --model_dir."
        )


def _with_crop_size(config: RunConfig, crop_size: int | None) -> RunConfig:
    """The settings of a run, but for the size of its clips."""
    if crop_size is None:
        return config
    model = dataclasses.replace(config.model, crop_size=crop_size)
    return dataclasses.replace(config, model=model)


def _with_clips_of(config: RunConfig, family: str) -> RunConfig:
    """The settings of a run of `single`, but for its clips."""
    if config.model.name != "single":
        raise UserError(
            f"--clips_of={family} is for runs of --model=single, but this is one of"
            f" --model={config.model.name}."
        )
    model = dataclasses.replace(
        config.model,
        name=f"input_single_{family}",
        num_frames=None,
        frame_interval=None,
    )
    return dataclasses.replace(config, model=model)
