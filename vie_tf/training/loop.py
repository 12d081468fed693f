"""The training loop: what happens around the steps.

IR first, then LA (`phase`), or supervised steps all the way.  Before LA begins, and
once per epoch from then on, the rows of the memory bank are clustered anew.  Every so
often the run is logged, validated and written to a checkpoint.
"""

from __future__ import annotations

import contextlib
import sys
import time

import tensorflow as tf

from vie_tf.config import RunConfig
from vie_tf.input import instances as views
from vie_tf.input import pipeline
from vie_tf.input.clip_source import Clips
from vie_tf.input.pipeline import ALL_CLIPS, ClipShard
from vie_tf.metrics.validation import make_validation
from vie_tf.models.from_config import build_model, clip_recipe
from vie_tf.monitoring import console, statistics
from vie_tf.monitoring.profiler import StepProfile
from vie_tf.monitoring.run_log import RunLog
from vie_tf.monitoring.tensorboard import Summaries
from vie_tf.objectives import clustering
from vie_tf.objectives.memory_bank import MemoryBank
from vie_tf.runs import disk_full, history, schedules
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.schedules import is_due
from vie_tf.runs.state import TrainState
from vie_tf.storage import remote_files
from vie_tf.storage.folder_lock import FolderLock
from vie_tf.storage.manifest import Manifest
from vie_tf.training import agreement, distribution, plateau_watch
from vie_tf.training import start as run_start
from vie_tf.training.distribution import Distribution
from vie_tf.training.failures import next_batch, take_step
from vie_tf.training.network_copy import NetworkCopy
from vie_tf.training.setup import complete_settings
from vie_tf.training.step import TrainStep, make_note_of_clips, make_train_step


def train(config: RunConfig) -> None:
    """Trains until `config.train.train_steps`, from wherever the run stands.

    Args:
      config: of the run.

    Raises:
      ValueError: settings that contradict each other, the data or the run, or another
        process that trains in the same folder, or workers that disagree.
      DiskFull: the run's folder takes no more.
      WorkerLost: another worker has ended.
    """
    # First, as TensorFlow wants to know its devices before it computes anything.
    devices = distribution.join(config.distribution)
    with devices.explain_lost_workers(), devices.chief_alone_prints():
        _train_on(config, devices)


def _train_on(config: RunConfig, devices: Distribution) -> None:
    remote_files.connect(config.data.data_dir)
    manifest = Manifest.load(config.data.data_dir)
    asked, config = config, complete_settings(config, manifest)
    if config.loss.name == "la" and asked.loss.la_num_clusters is None:
        num_videos = views.from_data(config.data, manifest).count
        print(
            f"--la_num_clusters=auto: {config.loss.la_num_clusters} clusters for"
            f" {num_videos} training videos."
        )
    run = RunDirectory(
        config.train.model_dir,
        config.train.num_to_keep,
        writes=devices.is_chief,
        of_chief=devices.of_chief,
    )
    devices.check_agreement(agreement.of_settings(config, manifest, run.latest()))
    with contextlib.ExitStack() as resources:
        lock = None
        if devices.is_chief:
            lock = resources.enter_context(
                FolderLock(
                    config.train.model_dir,
                    f"training in {config.train.model_dir!r}",
                    "--model_dir",
                )
            )
        resources.enter_context(disk_full.disk_full_errors(run))
        _train(config, manifest, run, lock, devices)


def _train(
    config: RunConfig,
    manifest: Manifest,
    run: RunDirectory,
    lock: FolderLock | None,
    devices: Distribution,
) -> None:
    run.check_continues(config, manifest)
    assert config.train.batch_size is not None
    if config.train.batch_size % devices.num_replicas:
        raise ValueError(
            f"--batch_size={config.train.batch_size} cannot be divided among"
            f" {devices.num_replicas} devices: give a multiple of that."
        )
    with devices.strategy.scope():
        state = make_state(config, manifest)
        run_start.restore_or_start(state, run, config, manifest)
    if devices.num_workers > 1:
        devices.check_agreement(agreement.of_state(state))
    if lock is not None:
        lock.take()  # until here a refused run has left nothing behind
    devices.check_shared(run.model_dir)
    described = console.description(config, manifest, state, devices.describe())
    print(described, flush=True)
    settings = config.train
    owes_validation = state.owes_validation(settings.eval_steps, settings.train_steps)
    is_done = state.steps_taken() >= settings.train_steps and not owes_validation
    if is_done and not devices.of_chief(run.latest() is None):
        print(
            f"Nothing to do: the run is at step {state.steps_taken()} of"
            f" --train_steps={settings.train_steps}."
        )
        return
    if state.steps_taken() and run.exists():
        changed = config.changes(run.load_config()[0])
        if changed:
            step = state.steps_taken() + 1
            print(f"From step {step} on: {'; '.join(changed)}.")
    if lock is not None:
        run.save_config(config, manifest)
        history.note_start(
            run.model_dir,
            config,
            sys.argv,
            state.steps_taken(),
            devices.num_replicas,
            devices.num_workers,
        )
    num_videos = views.from_data(config.data, manifest).count
    if config.train.batch_size > num_videos:
        print(
            f"A batch of {config.train.batch_size} has the {num_videos} training videos"
            " more than once: lower --batch_size."
        )
    if is_done:
        print(f"Wrote the network as it is at step 0: {run.save(state)}.")
    else:
        _loop(config, manifest, run, devices, state)


def make_state(config: RunConfig, manifest: Manifest) -> TrainState:
    """Makes the state of a run at step 0; call in the strategy's scope."""
    bank = None
    if config.loss.name != "supervised":
        labels = views.from_data(config.data, manifest).labels
        bank = MemoryBank(labels, config.model.embedding_dim, config.train.seed)
    num_clusters = config.loss.la_num_clusters if config.loss.name == "la" else 0
    assert num_clusters is not None
    return TrainState(
        model=build_model(config.model, config.train.seed),
        optimizer=schedules.TF1MomentumSGD(
            config.train.learning_rate, config.train.momentum
        ),
        bank=bank,
        num_clusterings=config.loss.la_num_clusterings,
        num_clusters=num_clusters,
        scales_loss=config.model.precision == "mixed_float16",
    )


def cluster_bank(
    config: RunConfig,
    state: TrainState,
    summaries: Summaries,
    strategy: tf.distribute.Strategy | None = None,
) -> None:
    """Clusters the rows of the bank and notes at which step.

    From the last centroids where there are any: in an epoch the rows move so little
    that a few iterations do.
    """
    settings = config.loss
    assert state.bank is not None and settings.la_num_clusters is not None
    step = state.steps_taken()
    is_first = state.steps_since_clustering() is None
    # Small collections are clustered every few steps.
    log_steps = max(config.train.log_steps, 1)
    clustered_at = int(state.clustered_at.numpy())
    is_told = is_first or step // log_steps > clustered_at // log_steps
    rows = tf.convert_to_tensor(state.bank.rows)
    old_labels = state.cluster_labels.numpy()
    clusterings = []
    for number in range(settings.la_num_clusterings):
        start = time.perf_counter()
        clusters = clustering.k_means(
            rows,
            settings.la_num_clusters,
            num_iterations=settings.la_num_iterations,
            settled_share=settings.la_kmeans_tolerance,
            seed=config.train.seed + 1000 * number + step,
            start=None if is_first else state.cluster_centroids[number],
            strategy=strategy,
        )
        clusterings.append(clusters)
        seconds = time.perf_counter() - start
        cluster_statistics = statistics.cluster_statistics(
            clusters.labels.numpy(),
            settings.la_num_clusters,
            None if is_first else old_labels[number],
        )
        summaries.clusters(clusters, cluster_statistics, seconds, step, number, is_told)
    state.cluster_labels.assign(tf.stack([c.labels for c in clusterings]))
    state.cluster_centroids.assign(tf.stack([c.centroids for c in clusterings]))
    state.clustered_at.assign(step)


def _loop(
    config: RunConfig,
    manifest: Manifest,
    run: RunDirectory,
    devices: Distribution,
    state: TrainState,
) -> None:
    settings, strategy = config.train, devices.strategy
    assert settings.batch_size is not None
    summaries = Summaries(settings.model_dir, writes=devices.is_chief)
    if run.latest() is None:
        summaries.hyper_parameters(config)
    # Workers look at numbers of videos of their own, so they cannot ask each other for
    # the network's statistics meanwhile.
    copy = None
    if devices.num_workers > 1:
        own = build_model(config.model, settings.seed)
        copy = NetworkCopy(state.model, own)
    validation = make_validation(
        state,
        config.data,
        manifest,
        clip_recipe(config.model),
        config.knn,
        network=copy.model if copy else state.model,
        part=ClipShard(devices.worker, devices.num_workers),
        gather=devices.gather,
    )
    share = settings.batch_size // devices.num_workers
    part = ClipShard(devices.worker, devices.num_workers, share)
    clips = clips_of_run(
        config,
        manifest,
        state.clips_read(),
        part=part,
        num_replicas=devices.num_replicas,
    )
    batches = devices.batches(clips.dataset)
    losses = ("supervised",) if state.bank is None else ("ir", "la")
    steps = {name: _whole_step(config, state, strategy, name) for name in losses}
    instances = views.from_data(config.data, manifest)
    steps_per_epoch = -(-instances.count // settings.batch_size)
    log = RunLog(config, state, summaries, instances)
    profiled = settings.profile_steps if devices.is_chief else None
    profile = StepProfile(profiled, settings.model_dir)
    first_step, last_step = state.steps_taken(), settings.train_steps

    def validate(step: int) -> None:
        log.bank(step)
        if validation is not None:
            if copy is not None:
                copy.refresh()
            loss, scores = phase(config, step - 1), validation()
            log.validation(
                step,
                loss,
                validation.name,
                scores,
                validation.num_classes,
                validation.num_queries,
            )
            # First, as it may be done twice: what follows is done in an instant.
            metric = f"{validation.name}/top1"
            run.save_best(state, metric, float(scores["top1"]))
            if loss == "ir":
                state.ir_accuracy.assign(scores["top1"])
            # Those of the IR steps before LA are no measure of LA.
            if loss == config.loss.name:
                plateau_watch.watch(state, settings, step, scores["top1"])
        state.validated_at.assign(step)
        log.went_on()

    try:
        if state.owes_validation(settings.eval_steps, last_step):
            validate(first_step)
        for step in range(first_step + 1, last_step + 1):
            loss = phase(config, step - 1)
            age = state.steps_since_clustering()
            if loss == "la" and (age is None or age >= steps_per_epoch):
                cluster_bank(config, state, summaries, strategy)
                log.went_on()
            with profile.of(step):
                asked = time.perf_counter()
                batch = next_batch(batches, clips, state, settings.batch_size)
                log.waited(time.perf_counter() - asked)
                if step == first_step + 1:
                    shown = strategy.experimental_local_results(batch["clips"])[0]
                    summaries.clips(shown.numpy(), step - 1)
                scalars = take_step(steps[loss], batch, step, settings.batch_size)
            if is_due(step, settings.log_steps, last_step):
                log.step(step, loss, scalars)
            if is_due(step, settings.eval_steps, last_step):
                validate(step)
            if is_due(step, settings.checkpoint_steps, last_step):
                run.save(state)
                log.went_on()
    except KeyboardInterrupt:
        if devices.num_workers > 1:
            raise  # the others are at other steps, and cannot take part
        run.save(state)
        print(f"Stopped at step {state.steps_taken()}; a checkpoint was written.")
        raise


def _whole_step(
    config: RunConfig, state: TrainState, strategy: tf.distribute.Strategy, loss: str
) -> TrainStep:
    """A step and the note of the clips it was taken on, as one graph.

    Ctrl-C comes between two graphs, never within one: what it saves then never has
    read a batch without having learned from it.
    """
    train_step = make_train_step(config, state, strategy, loss)
    note_read = make_note_of_clips(state, strategy)

    @tf.function
    def whole_step(batch: dict) -> dict:
        note_read(batch)
        return train_step(batch)

    return whole_step


def phase(config: RunConfig, steps_taken: int) -> str:
    """Which loss the next step has: LA follows `ir_steps` steps of IR."""
    if config.loss.name == "la" and steps_taken < config.loss.ir_steps:
        return "ir"
    return config.loss.name


def clips_of_run(
    config: RunConfig,
    manifest: Manifest,
    position: int = 0,
    *,
    part: ClipShard = ALL_CLIPS,
    num_replicas: int = 1,
) -> Clips:
    """The training clips of a run from a position on.

    Args:
      config: of the run.
      manifest: of its data.
      position: of the first clip.
      part: of the clips that this worker reads.
      num_replicas: that share a step; each takes a batch.
    """
    assert config.train.batch_size is not None
    return pipeline.training_clips(
        config.data,
        manifest,
        clip_recipe(config.model),
        batch_size=config.train.batch_size // num_replicas,
        seed=config.train.seed,
        start_position=position,
        part=part,
    )
