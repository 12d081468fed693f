"""Training on labels: the loop of linear read-outs and of fine-tuning.

What is learned is a `Learner`: read-outs of a frozen network, or a whole network.  The
rest is the same: augmented clips of the training videos, a softmax loss, SGD with
momentum, validations, checkpoints.  As in `train_loop`, the state has all that the
next step depends on, so a training that was killed goes on with the same bits.

Letters: B global batch, C classes.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Callable, Protocol, Sequence

import numpy as np
import tensorflow as tf

from vie_tf.config import LabelConfig
from vie_tf.evaluation.labels.folder import LabelFolder
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.input import pipeline
from vie_tf.metrics.video_logits import SplitLogits, VideoLogits
from vie_tf.monitoring import console
from vie_tf.monitoring.stopwatch import StepClock
from vie_tf.monitoring.tensorboard import Summaries
from vie_tf.objectives import losses
from vie_tf.runs import history, schedules
from vie_tf.runs.schedules import is_due
from vie_tf.runs.state import TrainState
from vie_tf.storage.manifest import VAL_SPLIT
from vie_tf.training import plateau_watch
from vie_tf.training.failures import next_batch, take_step
from vie_tf.training.step import make_note_of_clips

Scores = dict[str, dict[str, float]]


class Learner(Protocol):
    """What is trained on labels.

    Attributes:
      name: of the task, and of its group in TensorBoard.
      state: whose `model` has the weights that are trained.
      decayed: those of them that the L2 loss is taken over.
      keeps_best: whether the best state in validations is kept beside the newest.
    """

    name: str
    keeps_best: bool
    state: TrainState
    decayed: Sequence[tf.Variable]

    def inputs(self, clips: tf.Tensor) -> Any:
        """Computes what no gradient goes through, from clips [B, T, H, W, 3] uint8."""

    def logits(self, inputs: Any, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Computes logits [B, C] by read-out, from `inputs`; `seed` is [2] int64."""

    def test_logits(self, clips: tf.Tensor) -> dict[str, tf.Tensor]:
        """Computes logits [B, C] by read-out, in inference mode."""


def check_devices(settings: LabelConfig, strategy: tf.distribute.Strategy) -> None:
    """Raises ValueError where the devices cannot share a batch."""
    if settings.batch_size % strategy.num_replicas_in_sync:
        raise ValueError(
            f"--batch_size={settings.batch_size} cannot be divided among"
            f" {strategy.num_replicas_in_sync} devices: give a multiple of that."
        )


class SplitTest:
    """Tests a learner on the validation videos; its graphs are made once.

    Args:
      run: whose data it is tested on.
      learner: that is tested.
      num_clips: equally spaced ones of a video; None for all that follow each other.

    Attributes:
      labels: of the videos, [V] int.
    """

    def __init__(
        self, run: RestoredRun, learner: Learner, num_clips: int | None
    ) -> None:
        self._clips = pipeline.evaluation_clips(
            run.data, run.manifest, VAL_SPLIT, run.recipe, num_clips=num_clips
        )
        self._logits = VideoLogits(learner.test_logits)
        videos = run.manifest.split(VAL_SPLIT)
        self.labels = np.array([video.label for video in videos])

    def __call__(self, title: str = "") -> SplitLogits:
        """Runs once over the videos; `title` is that of the progress bar, if any."""
        return self._logits.of_split(self._clips, len(self.labels), title)


def make_step(
    learner: Learner, settings: LabelConfig, strategy: tf.distribute.Strategy
) -> Callable[[dict], dict]:
    """Makes the graph of one step.

    Args:
      learner: is read and written by the step.
      settings: of the training, complete.
      strategy: whose replicas share the global batch.

    Returns:
      A function of a distributed batch (`clips`, `labels`) that takes the step and
      returns scalars, averaged over the global batch: `loss`, the sum over read-outs,
      and `NAME_loss` and `NAME_accuracy` of each.
    """
    state = learner.state
    num_replicas = strategy.num_replicas_in_sync
    optimizer = state.loss_scaler or state.optimizer
    weights = state.model.trainable_variables
    boundaries = settings.lr_boundaries or ()
    note_read = make_note_of_clips(state, strategy)

    def replica_step(batch: dict) -> dict:
        inputs, labels = learner.inputs(batch["clips"]), batch["labels"]
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        number = state.step * num_replicas + tf.cast(replica, tf.int64)
        seed = tf.stack([tf.constant(settings.seed, tf.int64), number])
        scalars = {}
        with tf.GradientTape() as tape:
            # Means over the global batch: each replica contributes its share, and the
            # optimizer sums the gradients of all replicas.
            decay = losses.weight_decay_loss(learner.decayed, settings.weight_decay)
            total = decay / num_replicas
            for name, logits in learner.logits(inputs, seed).items():
                per_video = losses.softmax_loss(logits, labels)
                loss = tf.reduce_sum(per_video) / settings.batch_size
                is_right = tf.cast(tf.argmax(logits, axis=1) == labels, tf.float32)
                scalars[f"{name}_loss"] = loss
                scalars[f"{name}_accuracy"] = (
                    tf.reduce_sum(is_right) / settings.batch_size
                )
                total += loss
            # The weights stay as they are when the loss is not finite.
            total = tf.debugging.check_numerics(total, "loss")
            scaled = total
            if state.loss_scaler:
                scaled = state.loss_scaler.get_scaled_loss(total)
        gradients = tape.gradient(scaled, weights)
        if state.loss_scaler:
            gradients = state.loss_scaler.get_unscaled_gradients(gradients)
        optimizer.apply_gradients(zip(gradients, weights))
        return {**scalars, "loss": total}

    # With the note of the clips in one graph, for Ctrl-C comes between two of them.
    @tf.function
    def step(batch: dict) -> dict:
        note_read(batch)
        rate = schedules.step_decay(
            state.step,
            settings.learning_rate,
            boundaries,
            num_drops=state.num_drops,
        )
        state.optimizer.learning_rate.assign(rate)
        scalars = strategy.run(replica_step, args=(batch,))
        state.step.assign_add(1)
        reduced = {
            name: strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)
            for name, value in scalars.items()
        }
        return {**reduced, "learning_rate": rate}

    return step


def train(
    learner: Learner,
    run: RestoredRun,
    settings: LabelConfig,
    folder: LabelFolder,
    strategy: tf.distribute.Strategy,
    validation: SplitTest,
) -> SplitLogits | None:
    """Trains until `settings.train_steps`, from wherever the folder's training stands.

    Args:
      learner: in the state of its first step.
      run: whose data is trained and validated on.
      settings: of the training, complete.
      folder: for checkpoints and TensorBoard, locked.
      strategy: whose replicas share a batch, and in whose scope the state was made.
      validation: of the learner.

    Returns:
      Logits of the last validation, None where there was nothing left to do.

    Raises:
      ValueError: the loss is not a finite number, or a video cannot be read.
    """
    state, directory = learner.state, folder.directory
    assert settings.train_steps is not None and settings.eval_steps is not None
    if directory.latest():
        with strategy.scope():
            directory.restore(state)
        print(f"Going on from {directory.latest()}.")
    first_step, last_step = state.steps_taken(), settings.train_steps
    owes_validation = state.owes_validation(settings.eval_steps, last_step)
    if first_step >= last_step and not owes_validation:
        return None
    history.note_start(
        folder.path, settings, sys.argv, first_step, strategy.num_replicas_in_sync
    )
    clips = pipeline.training_clips(
        run.data,
        run.manifest,
        run.recipe,
        batch_size=settings.batch_size,
        seed=settings.seed,
        start_position=state.clips_read(),
    )
    batches = iter(strategy.experimental_distribute_dataset(clips.dataset))
    step_on = make_step(learner, settings, strategy)
    summaries, clock = Summaries(folder.path), StepClock()
    started, skipped_before = time.perf_counter(), int(state.num_skipped.numpy())
    logits = None

    try:
        if owes_validation:
            logits = _validate(
                learner, settings, folder, validation, summaries, first_step
            )
        for step in range(first_step + 1, last_step + 1):
            asked = time.perf_counter()
            batch = next_batch(batches, clips, state, settings.batch_size)
            clock.waited(time.perf_counter() - asked)
            scalars = take_step(step_on, batch, step, settings.batch_size)
            if is_due(step, settings.log_steps, last_step):
                values = {name: float(value) for name, value in scalars.items()}
                interval = clock.interval()
                speed = {"steps_per_second": interval.steps_per_second}
                summaries.scalars(learner.name, {**values, **speed}, step)
                summaries.scalars("input", {"wait_share": interval.wait_share}, step)
                pace = (time.perf_counter() - started) / (step - first_step)
                line = console.label_line(step, values, interval, last_step, pace)
                print(line, flush=True)
                skipped = int(state.num_skipped.numpy())
                if skipped > skipped_before:
                    print(f"skipped so far: {skipped} clips of bad records", flush=True)
                    skipped_before = skipped
            if is_due(step, settings.eval_steps, last_step):
                logits = _validate(
                    learner, settings, folder, validation, summaries, step
                )
                clock.reset()
            if is_due(step, settings.checkpoint_steps, last_step):
                directory.save(state)
                clock.reset()
    except KeyboardInterrupt:
        directory.save(state)
        print(f"Stopped at step {state.steps_taken()}; a checkpoint was written.")
        raise
    return logits


def mean_top1(scores: Scores) -> float:
    """What a plateau is told by: top-1 accuracy, averaged over the read-outs."""
    return float(np.mean([values["top1"] for values in scores.values()]))


def _validate(
    learner: Learner,
    settings: LabelConfig,
    folder: LabelFolder,
    validation: SplitTest,
    summaries: Summaries,
    step: int,
) -> SplitLogits:
    state = learner.state
    logits = validation()
    scores = logits.accuracies(validation.labels)
    flat = {
        f"{name}_{metric}": value
        for name, values in scores.items()
        for metric, value in values.items()
    }
    summaries.scalars(learner.name, flat, step)
    print(console.probes_line(step, scores), flush=True)
    accuracy = mean_top1(scores)
    # First, as it may be done twice: what follows is done in an instant.
    if learner.keeps_best:
        folder.directory.save_best(state, f"{learner.name}/top1", accuracy)
    plateau_watch.watch(state, settings, step, accuracy)
    state.validated_at.assign(step)
    return logits
