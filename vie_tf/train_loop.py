"""The training loop: what happens around the steps.

IR first, then LA (`phase`), or supervised steps all the way.  Before LA begins, and
once per epoch from then on, the rows of the memory bank are clustered anew.  Every so
often the run is logged, validated and written to a checkpoint.
"""

from __future__ import annotations

import sys
import time

import tensorflow as tf

from vie_tf import (
    clustering,
    full_disk,
    health,
    input_pipeline,
    remote_files,
    run_history,
    run_lines,
    schedules,
    streams,
    views,
)
from vie_tf.checkpoints import RunDirectory
from vie_tf.clip_source import Clips
from vie_tf.config import RunConfig
from vie_tf.evaluation.validation import make_validation
from vie_tf.memory_bank import MemoryBank
from vie_tf.records import Manifest
from vie_tf.run_lock import RunLock
from vie_tf.run_setup import build_model, clip_recipe, complete_settings
from vie_tf.step_errors import next_batch, take_step
from vie_tf.summaries import StepClock, Summaries
from vie_tf.train_state import TrainState
from vie_tf.train_step import TrainStep, make_note_of_clips, make_train_step


def train(config: RunConfig) -> None:
    """Trains until `config.train.train_steps`, from wherever the run stands.

    Args:
      config: of the run.

    Raises:
      ValueError: settings that contradict each other, the data or the run, or another
        process that trains in the same folder.
      DiskFull: the run's folder takes no more.
    """
    remote_files.connect(config.data.data_dir)
    manifest = Manifest.load(config.data.data_dir)
    asked, config = config, complete_settings(config, manifest)
    if config.loss.name == "la" and asked.loss.la_num_clusters is None:
        num_videos = views.of_data(config.data, manifest).count
        print(
            f"--la_num_clusters=auto: {config.loss.la_num_clusters} clusters for"
            f" {num_videos} training videos."
        )
    run = RunDirectory(config.train.model_dir, config.train.num_to_keep)
    with RunLock(config.train.model_dir) as lock, full_disk.explained(run):
        _train(config, manifest, run, lock)


def _train(
    config: RunConfig, manifest: Manifest, run: RunDirectory, lock: RunLock
) -> None:
    run.check_continues(config, manifest)
    strategy = tf.distribute.MirroredStrategy()
    if config.train.batch_size % strategy.num_replicas_in_sync:
        raise ValueError(
            f"--batch_size={config.train.batch_size} cannot be divided among"
            f" {strategy.num_replicas_in_sync} devices."
        )
    with strategy.scope():
        state = make_state(config, manifest)
        _restore_or_start(state, run, config, manifest)
    lock.take()  # until here a refused run has left nothing behind
    run.save_config(config, manifest)
    run_history.note_start(
        run.model_dir, sys.argv, state.steps_taken(), strategy.num_replicas_in_sync
    )
    num_replicas = strategy.num_replicas_in_sync
    print(run_lines.description(config, manifest, state, num_replicas), flush=True)
    if state.steps_taken() >= config.train.train_steps:
        if run.latest() is None:
            print(f"Wrote the network as it is at step 0: {run.save(state)}.")
            return
        print(
            f"Nothing to do: the run is at step {state.steps_taken()} of"
            f" --train_steps={config.train.train_steps}."
        )
        return
    _loop(config, manifest, run, strategy, state)


def make_state(config: RunConfig, manifest: Manifest) -> TrainState:
    """Makes the state of a run at step 0; call in the strategy's scope."""
    bank = None
    if config.loss.name != "supervised":
        labels = views.of_data(config.data, manifest).labels
        bank = MemoryBank(labels, config.model.embedding_dim, config.train.seed)
    num_clusters = config.loss.la_num_clusters if config.loss.name == "la" else 0
    assert num_clusters is not None
    return TrainState(
        model=build_model(config.model, config.train.seed),
        optimizer=schedules.Momentum(config.train.learning_rate, config.train.momentum),
        bank=bank,
        num_clusterings=config.loss.la_num_clusterings,
        num_clusters=num_clusters,
        scales_loss=config.model.precision == "mixed_float16",
    )


def cluster_bank(config: RunConfig, state: TrainState, summaries: Summaries) -> None:
    """Clusters the rows of the bank and notes at which step.

    From the last centroids where there are any: in an epoch the rows move so little
    that a few iterations do.
    """
    settings = config.loss
    assert state.bank is not None and settings.la_num_clusters is not None
    step = state.steps_taken()
    is_first = state.steps_since_clustering() is None
    rows = tf.convert_to_tensor(state.bank.rows)
    old_labels = state.cluster_labels.numpy()
    clusterings = []
    for number in range(settings.la_num_clusterings):
        start = time.perf_counter()
        clusters = clustering.k_means(
            rows,
            settings.la_num_clusters,
            num_iterations=settings.la_num_iterations,
            settled_share=settings.la_settled_share,
            seed=config.train.seed + 1000 * number + step,
            start=None if is_first else state.cluster_centroids[number],
        )
        clusterings.append(clusters)
        seconds = time.perf_counter() - start
        facts = health.cluster_facts(
            clusters.labels.numpy(),
            settings.la_num_clusters,
            None if is_first else old_labels[number],
        )
        summaries.clusters(clusters, facts, seconds, step, number)
    state.cluster_labels.assign(tf.stack([c.labels for c in clusterings]))
    state.cluster_centroids.assign(tf.stack([c.centroids for c in clusterings]))
    state.clustered_at.assign(step)


def _loop(
    config: RunConfig,
    manifest: Manifest,
    run: RunDirectory,
    strategy: tf.distribute.Strategy,
    state: TrainState,
) -> None:
    settings = config.train
    assert settings.batch_size is not None
    summaries = Summaries(settings.model_dir)
    validation = make_validation(
        state, config.data, manifest, clip_recipe(config.model), config.knn
    )
    clips = clips_of_run(config, manifest, state.clips_read())
    batches = iter(strategy.experimental_distribute_dataset(clips.dataset))
    losses = ("supervised",) if state.bank is None else ("ir", "la")
    steps = {name: _whole_step(config, state, strategy, name) for name in losses}
    num_instances = views.of_data(config.data, manifest).count
    steps_per_epoch = -(-num_instances // settings.batch_size)
    clock = StepClock()
    started, first_step = time.perf_counter(), state.steps_taken()
    reported = int(state.num_skipped.numpy())

    def is_due(step: int, every: int) -> bool:
        return step == settings.train_steps or (every > 0 and step % every == 0)

    try:
        for step in range(first_step + 1, settings.train_steps + 1):
            loss = phase(config, step - 1)
            age = state.steps_since_clustering()
            if loss == "la" and (age is None or age >= steps_per_epoch):
                cluster_bank(config, state, summaries)
            asked = time.perf_counter()
            batch = next_batch(batches, clips, state, settings.batch_size)
            clock.waited(time.perf_counter() - asked)
            if step == first_step + 1:
                shown = strategy.experimental_local_results(batch["clips"])[0]
                summaries.clips(shown.numpy(), step - 1)
            scalars = take_step(steps[loss], batch, step)
            if is_due(step, settings.log_steps):
                _log(step, loss, scalars, clock, summaries, config, started, first_step)
                # Untrained networks give all videos similar embeddings.
                if step > max(steps_per_epoch, settings.lr_warmup_steps):
                    summaries.alarms("train", _alarms(config, scalars), step)
                skipped = int(state.num_skipped.numpy())
                summaries.scalars("input", {"skipped_clips": skipped}, step)
                if skipped > reported:
                    print(f"skipped so far: {skipped} clips of bad records", flush=True)
                    reported = skipped
            if is_due(step, settings.eval_steps):
                if state.bank is not None:
                    summaries.bank(state.bank, step)
                if validation is not None:
                    scores = validation()
                    summaries.scalars(validation.name, scores, step)
                    line = run_lines.validation_line(step, scores, validation)
                    print(line, flush=True)
                    _watch_plateau(state, config, step, loss, scores["top1"])
                    metric = f"{validation.name}/top1"
                    run.save_best(state, metric, float(scores["top1"]))
                clock.reset()
            if is_due(step, settings.checkpoint_steps):
                run.save(state)
                clock.reset()
    except KeyboardInterrupt:
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


def _watch_plateau(
    state: TrainState, config: RunConfig, step: int, loss: str, accuracy: float
) -> None:
    """Divides the rate from the next step on when validations no longer gain.

    Validations during the IR steps before LA do not count: they are no measure of LA.
    Nor does one that is due only because the run ends: a longer run has none there.
    """
    settings = config.train
    if settings.lr_schedule != "plateau" or loss != config.loss.name:
        return
    if step % settings.eval_steps:
        return
    before = state.plateau()
    now = before.after(
        accuracy,
        patience=settings.plateau_patience,
        min_gain=settings.plateau_gain,
        max_drops=settings.plateau_max_drops,
    )
    state.set_plateau(now)
    if now.num_drops > before.num_drops:
        print(run_lines.drop_line(step, now, settings), flush=True)


def clips_of_run(config: RunConfig, manifest: Manifest, position: int = 0) -> Clips:
    """The training clips of a run from a position on."""
    assert config.train.batch_size is not None
    return input_pipeline.training_clips(
        config.data,
        manifest,
        clip_recipe(config.model),
        batch_size=config.train.batch_size,
        seed=config.train.seed,
        start_position=position,
    )


def _restore_or_start(
    state: TrainState, run: RunDirectory, config: RunConfig, manifest: Manifest
) -> None:
    """Own checkpoint, else that of other runs, else from scratch: in this order."""
    if run.latest():
        _restore(state, run, config, manifest)
        print(f"Going on from {run.latest()}.")
    elif config.train.init_from:
        origin = RunDirectory(config.train.init_from)
        if not tf.io.gfile.isdir(config.train.init_from):
            raise ValueError(
                f"--init_from={config.train.init_from}: there is no such folder. Give"
                " the --model_dir of an earlier run."
            )
        _restore(state, origin, config, manifest)
        # The other run's plateaus are not this one's.
        state.set_plateau(schedules.Plateau())
        print(f"Starting from {origin.latest()}.")
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


def _restore(
    state: TrainState, run: RunDirectory, config: RunConfig, manifest: Manifest
) -> None:
    bank_grows = run.check_videos(config, manifest)
    num_new_rows = run.restore(state, bank_grows)
    if num_new_rows:
        print(
            f"Videos were appended to {config.data.data_dir}: {num_new_rows} rows of"
            " the memory bank are new and start at random."
        )


def _log(
    step: int,
    loss: str,
    scalars: dict,
    clock: StepClock,
    summaries: Summaries,
    config: RunConfig,
    started: float,
    first_step: int,
) -> None:
    values = {name: float(value) for name, value in scalars.items()}
    rates = clock.rates()
    clock.reset()
    shown = {**values, **rates}
    if "similarity_to_own_row" in values:
        shown["alignment"] = health.alignment(values["similarity_to_own_row"])
    summaries.scalars("train", shown, step)
    seconds_per_step = (time.perf_counter() - started) / (step - first_step)
    train_steps = config.train.train_steps
    line = run_lines.step_line(step, loss, shown, train_steps, seconds_per_step)
    print(line, flush=True)


def _alarms(config: RunConfig, scalars: dict) -> list[health.Alarm]:
    """Alarms on what a step returned."""
    values = {name: float(value) for name, value in scalars.items()}
    alarms = health.embedding_alarms(values)
    if "close_share" in values:
        assert config.loss.la_num_clusters is not None
        alarms += health.close_share_alarms(
            values["close_share"],
            config.loss.la_num_background,
            config.loss.la_num_clusters,
        )
    return alarms
