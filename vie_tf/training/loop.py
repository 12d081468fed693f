"""The training loop: steps, and periodic logs, validations and checkpoints.

It serves pre-training, supervised training, linear probes and fine-tuning, and does not
depend on the objective.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Callable, Iterator

import tensorflow as tf

from vie_tf.config import OptimizationConfig
from vie_tf.input.clips import Clips
from vie_tf.metrics.knn_validation import FEATURES
from vie_tf.metrics.learning.check import LearningCheck
from vie_tf.metrics.validation import Scores, Validation
from vie_tf.monitoring import console
from vie_tf.monitoring.profiler import StepProfile
from vie_tf.monitoring.run_log import RunLog
from vie_tf.objectives import Objective
from vie_tf.runs import history
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.schedules import is_due
from vie_tf.runs.state import TrainState
from vie_tf.terminal.heartbeat import doing
from vie_tf.terminal.termination import Terminated
from vie_tf.training.distribution import Distribution
from vie_tf.training.failures import next_batch, take_step
from vie_tf.training.step import TrainStep, make_train_step
from vie_tf.training.stopping import StopRequests


@dataclasses.dataclass(frozen=True)
class Training:
    """Parts of a training.

    Attributes:
      state: state at the first step of this start.
      settings: steps, learning rate, and intervals of periodic actions.
      weight_decay: lambda of equations 3 and 4.
      clips: training clips from the state's position on.
      devices: devices that share a batch.
      run: folder of the checkpoints.
      log: log of this start.
      validation: validation of the network; None without videos to validate on.
      prepare_validation: called by all workers before a validation.
      learning: comparison with what has learned nothing, by the chief; None for none.
      keeps_best: whether the best checkpoint is kept beside the newest.
      profile: steps that are profiled.
      next_stage: step after which the clips change; 0 for never.
      clips_of_stage: makes the clips from the state's position on, as they are then.
    """

    state: TrainState
    settings: OptimizationConfig
    weight_decay: float
    clips: Clips
    devices: Distribution
    run: RunDirectory
    log: RunLog
    validation: Validation | None
    prepare_validation: Callable[[], None] = lambda: None
    learning: LearningCheck | None = None
    keeps_best: bool = True
    profile: StepProfile = StepProfile(None, "")
    next_stage: int = 0
    clips_of_stage: Callable[[], Clips] | None = None


def run_steps(training: Training) -> Scores | None:
    """Takes the remaining steps.

    Returns:
      The scores of the last validation, None if there was none.

    Raises:
      BadRecord: a video cannot be read.
      StepTooLarge: a step does not fit into the memory of a device.
      TrainingDiverged: the loss is not a finite number.
      KeyboardInterrupt: after Ctrl-C or SIGTERM, when a checkpoint was written.
    """
    stops = StopRequests(training.devices)
    with stops.noticed():
        try:
            return _run_steps(training, stops)
        except KeyboardInterrupt as error:
            # After Ctrl-C, other workers are at other steps and cannot take part.
            if training.devices.num_workers == 1 or isinstance(error, Terminated):
                step = training.state.steps_taken()
                training.run.save(training.state)
                training.devices.wait_for_all()
                print(f"Stopped at step {step}; a checkpoint was written.", flush=True)
            raise


def _run_steps(training: Training, stops: StopRequests) -> Scores | None:
    state, settings, log = training.state, training.settings, training.log
    batch_size, last_step = settings.batch_size, settings.train_steps
    assert batch_size and last_step is not None and settings.eval_steps is not None
    first_step, scores = state.steps_taken(), None
    clips = training.clips
    batches = training.devices.batches(clips.dataset)
    take_step_of: dict[Objective, TrainStep] = {}
    if state.owes_validation(settings.eval_steps, last_step):
        scores = _validate(training, first_step)
    for step in range(first_step + 1, last_step + 1):
        objective = state.objective.at(step - 1)
        if objective not in take_step_of:
            take_step_of[objective] = _make_step(training, objective)
        doing(f"taking step {step:,} of {last_step:,}")
        log.clusterings(objective.before_step(step - 1), step - 1)
        if training.clips_of_stage and first_step < training.next_stage == step - 1:
            # The graph of a step is made again, as its clips have another shape.
            clips = training.clips_of_stage()
            batches = training.devices.batches(clips.dataset)
        with training.profile.of(step):
            batch = _wait_for_batch(training, clips, batches)
            if step == first_step + 1:
                log.clips(_first_replica(training, batch["clips"]), step - 1)
            scalars = take_step(take_step_of[objective], batch, step, batch_size)
        if is_due(step, settings.log_steps, last_step):
            log.step(step, objective.title, scalars)
        else:
            log.between(step, scalars)
        if is_due(step, settings.eval_steps, last_step):
            scores = _validate(training, step)
        if is_due(step, settings.checkpoint_steps, last_step):
            doing(f"writing the checkpoint of step {step:,}")
            training.run.save(state)
            log.went_on()
        if step < last_step:
            stops.after_step()
    return scores


def _make_step(training: Training, objective: Objective) -> TrainStep:
    return make_train_step(
        training.state,
        objective,
        training.devices.strategy,
        training.settings,
        training.weight_decay,
    )


def _wait_for_batch(training: Training, clips: Clips, batches: Iterator[dict]) -> dict:
    assert training.settings.batch_size is not None
    asked = time.perf_counter()
    batch = next_batch(batches, clips, training.state, training.settings.batch_size)
    training.log.waited(time.perf_counter() - asked)
    return batch


def _first_replica(training: Training, values: tf.Tensor) -> tf.Tensor:
    return training.devices.strategy.experimental_local_results(values)[0]


def _validate(training: Training, step: int) -> Scores | None:
    """Validates, keeps the best network, and checks for a plateau."""
    state, log, validation = training.state, training.log, training.validation
    objective, scores = state.objective.at(step - 1), None
    doing(f"validating after step {step:,}")
    log.bank(step)
    training.prepare_validation()
    if validation is not None:
        scores = validation()
        log.validation(
            step,
            validation.name,
            scores.heads,
            validation.num_classes,
            scores.num_queries,
            objective.reference_accuracy(),
            validation.gallery,
        )
        # First, since a resumed run may repeat it, unlike the rest.
        if training.keeps_best:
            metric = f"{validation.name}/top1"
            if validation.gallery == FEATURES:
                metric += " against features"  # not to be compared with the bank's
            training.run.checkpoints.save_best(state, metric, scores.top1)
        objective.after_validation(scores.top1)
        # Validations during IR do not count for LA.
        if objective is state.objective:
            watch_plateau(state, training.settings, step, scores.top1)
    _compare(training, step)
    state.validated_at.assign(step)
    log.went_on()
    return scores


def _compare(training: Training, step: int) -> None:
    """Says how the network compares with what has learned nothing, if that is due."""
    check, settings = training.learning, training.settings
    assert settings.batch_size and settings.eval_steps is not None
    if check is None:
        return
    is_last = step == settings.train_steps
    if not is_last and not check.is_due(step, settings.eval_steps, settings.batch_size):
        return
    report = check()
    if report is None:
        print("A video that was compared before cannot be read; nothing is compared.")
        return
    training.log.learning(step, report)
    history.note_learning(training.run.model_dir, step, dataclasses.asdict(report))


def watch_plateau(
    state: TrainState, settings: OptimizationConfig, step: int, accuracy: float
) -> None:
    """Divides the learning rate if a validation shows a plateau.

    The last validation of a training counts only if a longer training had it, too.

    Args:
      state: state of the training.
      settings: settings of the learning rate.
      step: step that was validated.
      accuracy: top-1 as a fraction.
    """
    assert settings.eval_steps is not None
    if settings.lr_schedule != "plateau" or step % settings.eval_steps:
        return
    before = state.plateau()
    now = before.after(
        accuracy,
        patience=settings.plateau_patience,
        min_delta=settings.plateau_min_delta,
        max_drops=settings.plateau_max_drops,
    )
    state.set_plateau(now)
    if now.num_drops > before.num_drops:
        print(console.drop_line(step, now, settings), flush=True)
