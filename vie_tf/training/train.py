"""Training of a run: from its settings to its last step.

`train` checks the settings, makes or restores the state, describes the run, and starts
the loop (`vie_tf.training.loop`).
"""

from __future__ import annotations

import contextlib
import sys

from vie_tf.config import RunConfig
from vie_tf.input.clips import Clips
from vie_tf.input.instances import Instances
from vie_tf.input.pipeline import ClipShard
from vie_tf.keras import keras
from vie_tf.metrics.learning import check as learning_check
from vie_tf.metrics.learning.check import LearningCheck
from vie_tf.metrics.validation import (
    Validation,
    gallery_of_run,
    left_out_note,
    make_validation,
)
from vie_tf.models.batch_norm_check import check_batch_norm
from vie_tf.models.from_config import build_model, clip_recipe
from vie_tf.monitoring import advice, console
from vie_tf.monitoring.profiler import StepProfile
from vie_tf.monitoring.run_log import RunLog
from vie_tf.monitoring.tensorboard import Summaries
from vie_tf.objectives import OBJECTIVES
from vie_tf.runs import history
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.state import TrainState
from vie_tf.storage.folder_lock import FolderLock
from vie_tf.storage.manifest import Manifest
from vie_tf.terminal import termination
from vie_tf.terminal.heartbeat import doing
from vie_tf.training import (
    agreement,
    distribution,
    estimate,
    failures,
    progressive,
    start,
)
from vie_tf.training.distribution import Distribution
from vie_tf.training.loop import Training, run_steps
from vie_tf.training.setup import clips_between_validations, complete_settings


def train(config: RunConfig) -> None:
    """Trains a run from its last checkpoint until `config.train.train_steps`.

    Raises:
      UserError: settings contradict each other, the data or the run; another process
        trains in the same folder; or workers disagree.
      DiskFull: there is no room for the files of the run.
      WorkerLost: another worker has ended.
    """
    doing("reading the data set")
    # First, as TensorFlow must know its devices before it computes anything.
    devices = distribution.join(config.distribution)
    with contextlib.ExitStack() as resources:
        # Again, since TensorFlow sets another handler when workers join.
        resources.enter_context(termination.handled(termination.interrupt))
        resources.enter_context(devices.explain_lost_workers())
        resources.enter_context(devices.chief_alone_prints())
        manifest = Manifest.load(config.data.data_dir)
        instances = Instances.from_config(config.data, manifest)
        config = complete_settings(config, manifest, instances)
        run = RunDirectory(
            config.train.model_dir,
            config.train.num_to_keep,
            writes=devices.is_chief,
            of_chief=devices.of_chief,
        )
        if devices.is_chief:
            place = config.train.model_dir
            lock = FolderLock(place, f"training in {place!r}", "--model_dir")
            resources.enter_context(lock)
        devices.check_agreement(agreement.from_config(config, manifest, run.latest()))
        resources.enter_context(failures.disk_full_errors(run))
        _train_in_folder(config, manifest, instances, run, devices)


def _train_in_folder(
    config: RunConfig,
    manifest: Manifest,
    instances: Instances,
    run: RunDirectory,
    devices: Distribution,
) -> None:
    settings = config.train
    assert settings.batch_size is not None
    run.check_continues(config, manifest)
    devices.check_divides(settings.batch_size)
    doing("making the network")
    with devices.strategy.scope():
        state = start.make_state(config, instances.labels)
        start.restore_or_start(state, run, config, manifest)
    clips_shape = _clips_shape(config, state, devices)
    check_batch_norm(state.model, clips_shape, devices.strategy)
    if devices.num_workers > 1:
        devices.check_agreement(agreement.from_state(state))
    devices.check_shared(run.model_dir)
    described = console.description(
        config, manifest, state, devices.describe(), instances
    )
    print(described, flush=True)
    owes_validation = state.owes_validation(settings.eval_steps, settings.train_steps)
    is_done = state.steps_taken() >= settings.train_steps and not owes_validation
    if is_done and not devices.of_chief(run.latest() is None):
        print(
            f"Nothing to do: the run is at step {state.steps_taken()} of"
            f" --train_steps={settings.train_steps}."
        )
        print(advice.after_training(config, manifest))
        return
    if not state.steps_taken():
        for line in advice.before_training(config, instances.count):
            print(line, flush=True)
    if not is_done:
        _describe_stage(config, state, devices)
    _note_start(config, manifest, run, state, devices)
    if is_done:
        print(f"Wrote the untrained network: {run.save(state)}.")
    else:
        doing("preparing the clips")
        run_steps(_prepare(config, manifest, instances, run, state, devices))
        print(advice.after_training(config, manifest))


def _clips_shape(
    config: RunConfig, state: TrainState, devices: Distribution
) -> tuple[int, ...]:
    """Returns the shape of the clips of a replica in the next step."""
    assert config.train.batch_size is not None
    num_videos = config.train.batch_size // devices.num_replicas
    recipe = progressive.recipe_at(config, state.steps_taken())
    return state.objective.network_shape(num_videos, recipe)


def _describe_stage(
    config: RunConfig, state: TrainState, devices: Distribution
) -> None:
    """Prints the clips of the next steps, and what these will cost."""
    steps_taken, last_step = state.steps_taken(), config.train.train_steps
    line = progressive.describe(config, steps_taken)
    if line:
        print(line, flush=True)
    if steps_taken < config.train.progressive_steps:
        last_step = config.train.progressive_steps
    if devices.num_workers == 1:
        shape = _clips_shape(config, state, devices)
        num_steps = last_step - steps_taken
        estimate.report(state.model, shape, devices.strategy, num_steps)


def _note_start(
    config: RunConfig,
    manifest: Manifest,
    run: RunDirectory,
    state: TrainState,
    devices: Distribution,
) -> None:
    """Prints changes since the last start, and writes settings and history."""
    if state.steps_taken() and run.exists():
        changed = config.changes(run.load_config()[0])
        if changed:
            print(f"From step {state.steps_taken() + 1} on: {'; '.join(changed)}.")
    if devices.is_chief:
        run.save_config(config, manifest)
        history.note_start(
            run.model_dir,
            config,
            sys.argv,
            state.steps_taken(),
            devices.num_replicas,
            devices.num_workers,
        )


def _prepare(
    config: RunConfig,
    manifest: Manifest,
    instances: Instances,
    run: RunDirectory,
    state: TrainState,
    devices: Distribution,
) -> Training:
    """Prepares clips, validation and log of a start."""
    settings = config.train
    assert settings.batch_size is not None
    summaries = Summaries(settings.model_dir, writes=devices.is_chief)
    if run.latest() is None:
        summaries.hyper_parameters(config)
    network, refresh = start.network_to_validate(config, state, devices)
    epoch_steps = -(-instances.count // settings.batch_size)

    def clips() -> Clips:
        recipe = progressive.recipe_at(config, state.steps_taken())
        position = state.clips_read()
        return start.clips_of_run(
            config, manifest, instances, position, devices, recipe
        )

    def clips_of_stage() -> Clips:
        _describe_stage(config, state, devices)
        return clips()

    return Training(
        state=state,
        settings=settings,
        weight_decay=config.loss.weight_decay,
        clips=clips(),
        devices=devices,
        run=run,
        log=RunLog(
            state,
            summaries,
            group="train",
            train_steps=settings.train_steps,
            log_steps=settings.log_steps,
            # Untrained networks give all videos similar embeddings.
            settled_at=max(epoch_steps, settings.lr_warmup_steps),
            loss=config.loss,
        ),
        validation=_validation(
            config, manifest, state, network, devices, instances.count
        ),
        prepare_validation=refresh,
        learning=_learning_check(config, manifest, state, network, devices),
        profile=StepProfile(
            settings.profile_steps if devices.is_chief else None, settings.model_dir
        ),
        next_stage=settings.progressive_steps,
        clips_of_stage=clips_of_stage,
    )


def _validation(
    config: RunConfig,
    manifest: Manifest,
    state: TrainState,
    network: keras.Model,
    devices: Distribution,
    num_instances: int,
) -> Validation | None:
    """Prepares the validation of a network, None where there is nothing to do it on."""
    num_rows = None if state.objective.needs_labels else num_instances
    note = left_out_note(manifest, num_rows)
    if note:
        print(note, flush=True)
    _, num_gallery_clips = gallery_of_run(
        *(manifest, num_rows, clips_between_validations(config.train)),
        config.knn.num_clips,
    )
    return make_validation(
        state.bank,
        config.data,
        manifest,
        clip_recipe(config.model),
        config.knn,
        network=network,
        shard=ClipShard(devices.worker, devices.num_workers),
        gather=devices.gather,
        gallery=config.train.knn_gallery,
        num_gallery_clips=num_gallery_clips,
        num_rows=num_rows,
    )


def _learning_check(
    config: RunConfig,
    manifest: Manifest,
    state: TrainState,
    network: keras.Model,
    devices: Distribution,
) -> LearningCheck | None:
    """Prepares the comparison of the chief's network with what has learned nothing."""
    settings = config.train
    if not devices.is_chief or OBJECTIVES[config.loss.name].needs_labels:
        return None
    sample = learning_check.choose(config, manifest, clip_recipe(config.model))
    if sample is None:
        return None
    has_learned = state.steps_taken() or any(
        (settings.init_from, settings.network_from, settings.single_from)
    )

    def untrained() -> keras.Model:
        return build_model(config.model, settings.seed) if has_learned else network

    return learning_check.prepare(
        sample, settings.model_dir, settings.seed, network, untrained
    )
