"""Networks restored from the checkpoints of runs, for evaluate.py and embed.py."""

from __future__ import annotations

import dataclasses
import os

from vie_tf.config import RunConfig
from vie_tf.evaluation.provenance import TrainedOn, loss_of
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.keras import keras
from vie_tf.metrics.features import ClipEmbedder
from vie_tf.models.from_config import build_model, clip_recipe
from vie_tf.runs import streams
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.streams import StreamPair
from vie_tf.storage.errors import UserError

UNTRAINED = "untrained"


@dataclasses.dataclass(frozen=True)
class RestoredNetwork:
    """A network with the weights of a checkpoint.

    Attributes:
      model: the network.
      config: settings of its run, with the clips that it is evaluated on.
      data_fingerprint: fingerprint of the data set that the run was trained on.
      eval_dir: folder for the results of its evaluations.
      directory: run whose memory bank belongs to the network; None for two streams, or
        clips of another family.
      checkpoint: `latest` or `best`; `untrained` for the network before its first step.
      step: step of the checkpoint, 0 without one.
      trained_size: height and width of the training clips in pixels.
      trained_on: data and loss behind the weights, one entry for each run.
      streams: both runs of a two-stream network, else None.
    """

    model: keras.Model
    config: RunConfig
    data_fingerprint: str
    eval_dir: str
    directory: RunDirectory | None
    checkpoint: str
    step: int
    trained_size: int
    trained_on: tuple[TrainedOn, ...]
    streams: StreamPair | None = None
    # One for each endpoint, so that its graph is traced once for all splits.
    _embedders: dict[str, ClipEmbedder] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def recipe(self) -> ClipRecipe:
        """Frames and size of a clip of the network."""
        return clip_recipe(self.config.model)

    @property
    def loss(self) -> str:
        """Loss behind the weights, `none` before the first step."""
        return loss_of(self.trained_on)

    def embedder(self, endpoint: str) -> ClipEmbedder:
        """Returns the embedder that computes the features of an endpoint."""
        if endpoint not in self._embedders:
            self._embedders[endpoint] = ClipEmbedder(self.model, endpoint)
        return self._embedders[endpoint]

    def untrained(self) -> RestoredNetwork:
        """Returns the same network before its first step."""
        seed = self.config.train.seed
        return dataclasses.replace(
            self,
            model=build_model(self.config.model, seed),
            step=0,
            trained_on=tuple(part.untrained(seed) for part in self.trained_on),
        )


def load(
    model_dir: str,
    checkpoint: str = "latest",
    *,
    clips_of: str | None = None,
    crop_size: int | None = None,
) -> RestoredNetwork:
    """Builds the network of a run and restores its weights.

    Args:
      model_dir: folder of the run.
      checkpoint: `latest`, `best` by the run's own validation, or `untrained`, for
        which the run needs no checkpoint.
      clips_of: family whose clips a run of `single` is given, frame by frame
        (Input-Single, table 4); None for the run's own clips.
      crop_size: height and width of a clip in pixels; None for the run's.

    Raises:
      UserError: there is no such run or checkpoint, or its network does not take such
        clips.
    """
    directory = RunDirectory(model_dir)
    if checkpoint == UNTRAINED and not directory.exists():
        raise UserError(
            f"{model_dir!r} has no config.json, which --from_scratch takes the network"
            " from. Make one without training: train.py --model=MODEL --train_steps=0"
            " with this --data_dir and --model_dir."
        )
    config, data_fingerprint = directory.load_config()
    eval_dir = os.path.join(model_dir, "eval")
    if clips_of is not None:
        config = _with_clips_of(config, clips_of)
        eval_dir = os.path.join(eval_dir, config.model.name)
    trained_size = clip_recipe(config.model).crop_size
    config = _with_crop_size(config, crop_size)
    model, step = build_model(config.model, config.train.seed), 0
    if checkpoint != UNTRAINED:
        step = directory.checkpoint(checkpoint).restore_model(model)
    return RestoredNetwork(
        model=model,
        config=config,
        data_fingerprint=data_fingerprint,
        eval_dir=eval_dir,
        directory=directory if clips_of is None else None,
        checkpoint=checkpoint,
        step=step,
        trained_size=trained_size,
        trained_on=(TrainedOn.from_run(directory, step),),
    )


def load_streams(
    single_from: str,
    dynamic_from: str,
    static_frames: str,
    model_dir: str,
    checkpoint: str = "latest",
    *,
    crop_size: int | None = None,
) -> RestoredNetwork:
    """Makes a two-stream network of the networks of two runs.

    Args:
      single_from: folder of a run of `single`.
      dynamic_from: folder of a run of `slow` or `slowfast`.
      static_frames: frames of a clip for the static stream, `one` or `all`.
      model_dir: folder for the results; it must not hold a run.
      checkpoint: `latest`, `best` by each run's own validation, or `untrained`.
      crop_size: height and width of a clip in pixels; None for that of the dynamic
        stream.

    Raises:
      UserError: the runs do not fit together, or `model_dir` is a run.
    """
    if RunDirectory(model_dir).exists():
        raise UserError(
            f"--model_dir={model_dir} is the folder of a run. With --single_from and"
            " --dynamic_from it is the folder for the results: give another one."
        )
    config, data_fingerprint = RunDirectory(dynamic_from).load_config()
    settings = streams.stream_settings(single_from, dynamic_from, static_frames)
    trained_size = clip_recipe(settings).crop_size
    config = _with_crop_size(dataclasses.replace(config, model=settings), crop_size)
    model, steps = build_model(config.model, config.train.seed), (0, 0)
    if checkpoint != UNTRAINED:
        steps = streams.restore_streams(model, single_from, dynamic_from, checkpoint)
    single, dynamic = (
        TrainedOn.from_run(RunDirectory(folder), step)
        for folder, step in zip((single_from, dynamic_from), steps)
    )
    return RestoredNetwork(
        model=model,
        config=config,
        data_fingerprint=data_fingerprint,
        eval_dir=os.path.join(model_dir, "eval"),
        directory=None,
        checkpoint=checkpoint,
        step=steps[1],
        trained_size=trained_size,
        trained_on=(single, dynamic),
        streams=StreamPair(
            single_from=single_from,
            single_step=steps[0],
            single_loss=single.loss,
            dynamic_from=dynamic_from,
            dynamic_step=steps[1],
            dynamic_loss=dynamic.loss,
            static_frames=static_frames,
        ),
    )


def _with_crop_size(config: RunConfig, crop_size: int | None) -> RunConfig:
    if crop_size is None:
        return config
    model = dataclasses.replace(config.model, crop_size=crop_size)
    return dataclasses.replace(config, model=model)


def _with_clips_of(config: RunConfig, family: str) -> RunConfig:
    if config.model.name != "single":
        raise UserError(
            f"--clips_of={family} is for runs of --model=single, but this is a run of"
            f" --model={config.model.name}."
        )
    model = dataclasses.replace(
        config.model,
        name=f"input_single_{family}",
        num_frames=None,
        frame_interval=None,
    )
    return dataclasses.replace(config, model=model)
