"""The start of a run: its state, from a checkpoint or from scratch, and its clips."""

from __future__ import annotations

import os
from typing import Callable

import numpy as np

from vie_tf.config import RunConfig
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.clips import Clips
from vie_tf.input.instances import Instances
from vie_tf.input.pipeline import ClipShard
from vie_tf.keras import keras
from vie_tf.models.from_config import build_model, clip_recipe
from vie_tf.objectives import objective_class
from vie_tf.runs import schedules, streams
from vie_tf.runs.ready import ready_network
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.state import TrainState
from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest
from vie_tf.terminal.wording import counted
from vie_tf.training.distribution import Distribution


def make_state(config: RunConfig, labels: np.ndarray) -> TrainState:
    """Makes the state of a run at step 0; call in the strategy's scope.

    Args:
      config: complete settings of the run.
      labels: [N] classes of the instances, -1 where one has none.
    """
    model = build_model(config.model, config.train.seed)
    objective = objective_class(config.loss.name).from_config(config, labels)
    if objective.has_own_head:
        objective.make_head(model.num_channels)
    return TrainState(
        model=model,
        optimizer=schedules.TF1MomentumSGD(
            config.train.learning_rate, config.train.momentum
        ),
        objective=objective,
        scales_loss=config.model.precision == "mixed_float16",
    )


def clips_of_run(
    config: RunConfig,
    manifest: Manifest,
    instances: Instances,
    position: int = 0,
    devices: Distribution | None = None,
    recipe: ClipRecipe | None = None,
) -> Clips:
    """Makes the training clips of a run.

    Args:
      config: complete settings of the run.
      manifest: manifest of its data.
      instances: instances that it trains on.
      position: position of the first clip.
      devices: devices that share a step; None for a single one.
      recipe: recipe of the clips; None for that of the network.
    """
    assert config.train.batch_size is not None
    batch_size, shard = config.train.batch_size, pipeline.ALL_CLIPS
    if devices is not None:
        block = batch_size // devices.num_workers
        shard = ClipShard(devices.worker, devices.num_workers, block)
        batch_size //= devices.num_replicas
    recipe = recipe or clip_recipe(config.model)
    return pipeline.training_clips(
        config.data,
        manifest,
        objective_class(config.loss.name).training_recipe(recipe),
        batch_size=batch_size,
        seed=config.train.seed,
        start_position=position,
        shard=shard,
        instances=instances,
    )


def network_to_validate(
    config: RunConfig, state: TrainState, devices: Distribution
) -> tuple[keras.Model, Callable[[], None]]:
    """Returns the network that a worker validates, and a function that updates it.

    Reading the moving statistics of the run's network involves all workers, which
    validate different numbers of videos.  So each of several workers has a copy, and
    all of them must call the function.
    """
    if devices.num_workers == 1:
        return state.model, lambda: None
    copy = build_model(config.model, config.train.seed)

    def refresh() -> None:
        for own, other in zip(copy.variables, state.model.variables):
            own.assign(other.read_value())

    return copy, refresh


def restore_or_start(
    state: TrainState, run: RunDirectory, config: RunConfig, manifest: Manifest
) -> None:
    """Restores the run's own checkpoint, else that of another run, if there is one.

    Args:
      state: state at step 0; call in the strategy's scope.
      run: folder of the run.
      config: settings of the run.
      manifest: manifest of its data.

    Raises:
      UserError: a checkpoint does not fit or is missing.
    """
    if run.latest():
        _restore(state, run, config, manifest)
        print(f"Going on from {run.latest()}.")
    elif config.train.init_from:
        origin = RunDirectory(config.train.init_from)
        if not files.is_folder(config.train.init_from):
            raise UserError(
                f"--init_from={config.train.init_from}: there is no such folder. Give"
                " the --model_dir of an earlier run."
            )
        with_head = not _is_of_single_frames(origin, config)
        _restore(state, origin, config, manifest, with_head)
        # Plateaus and validations of the other run do not count.
        state.set_plateau(schedules.Plateau())
        state.validated_at.assign(state.step)
        but_head = "" if with_head else ", with a new head"
        print(f"Starting from {origin.latest()}{but_head}.")
    elif config.train.network_from:
        _restore_network(state, config)
    elif config.train.single_from and config.train.dynamic_from:
        streams.restore_streams(
            state.model, config.train.single_from, config.train.dynamic_from
        )
        print(
            f"Starting from the networks of {config.train.single_from} and"
            f" {config.train.dynamic_from}, with a new memory bank."
        )
    else:
        print("Starting from scratch.")


def _restore_network(state: TrainState, config: RunConfig) -> None:
    given = str(config.train.network_from)
    folder = ready_network.folder_of(given)
    origin = RunDirectory(folder)
    old, new = origin.load_config()[0].model, config.model
    if old.input != new.input:
        raise UserError(
            f"--network_from={given}: its network sees --input={old.input}"
            f" and this one --input={new.input}. Give the same --input."
        )
    with_head = origin.checkpoint().restore_network(state.model)
    but_head = "" if with_head else ", with a new head"
    whose = origin.latest() if folder == given else os.path.basename(given)
    print(f"Starting from the network of {whose}{but_head}.")


def _is_of_single_frames(origin: RunDirectory, config: RunConfig) -> bool:
    """Returns whether a run of `trn` starts from one of `single`, like the authors'.

    Both have the same network of a frame.

    Raises:
      UserError: the embeddings have another size, so that the bank does not fit.
    """
    old = origin.load_config()[0].model
    if (old.name, config.model.name) != ("single", "trn"):
        return False
    if old.embedding_dim != config.model.embedding_dim:
        raise UserError(
            f"--init_from={origin.model_dir}: its memory bank has"
            f" {old.embedding_dim} dimensions. Give --embedding_dim="
            f"{old.embedding_dim}."
        )
    return True


def _restore(
    state: TrainState,
    run: RunDirectory,
    config: RunConfig,
    manifest: Manifest,
    with_head: bool = True,
) -> None:
    bank_grows = run.check_videos(config, manifest)
    num_new_rows = run.checkpoint().restore(state, bank_grows, with_head)
    if num_new_rows:
        print(
            f"Videos were appended to {config.data.data_dir}:"
            f" {counted(num_new_rows, 'row')} of the memory bank will"
            " start at random."
        )
