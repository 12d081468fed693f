"""Training on labels: what linear probes and fine-tuning share around the loop.

Both learn from augmented clips of the training videos by softmax losses, through the
step and the loop of `vie_tf.training`, in a folder of their own.
"""

from __future__ import annotations

import sys
from typing import Callable, Sequence

import numpy as np
import tensorflow as tf

from vie_tf.config import LabelConfig
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.input import pipeline
from vie_tf.input.clips import Clips
from vie_tf.metrics.split_pass import SplitPass
from vie_tf.metrics.validation import Scores, SoftmaxValidation
from vie_tf.monitoring.run_log import RunLog
from vie_tf.monitoring.tensorboard import Summaries
from vie_tf.runs import history
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.state import TrainState
from vie_tf.storage.manifest import VAL_SPLIT
from vie_tf.training.distribution import Distribution
from vie_tf.training.failures import disk_full_errors
from vie_tf.training.loop import Training, run_steps


def make_validation(
    run: RestoredRun,
    name: str,
    heads: Sequence[str],
    logits_of: Callable[[tf.Tensor], dict[str, tf.Tensor]],
    num_clips: int | None,
) -> SoftmaxValidation:
    """Prepares the test on the validation videos; its graph is made once.

    Args:
      run: run whose data is tested on.
      name: name of the task, and of its group in TensorBoard.
      heads: names of the heads.
      logits_of: takes clips [B, T, H, W, C] uint8; returns logits [B, C] by head.
      num_clips: equally spaced clips of a video; None for all that follow each other.
    """
    clips = pipeline.evaluation_clips(
        run.data, run.manifest, VAL_SPLIT, run.recipe, num_clips=num_clips
    )
    labels = np.array([video.label for video in run.manifest.split(VAL_SPLIT)])
    num_classes = len(run.manifest.class_names)
    logits = SplitPass(logits_of)
    return SoftmaxValidation(name, tuple(heads), logits, clips, labels, num_classes)


def train(
    state: TrainState,
    run: RestoredRun,
    settings: LabelConfig,
    folder: RunDirectory,
    devices: Distribution,
    validation: SoftmaxValidation,
    keeps_best: bool,
) -> Scores | None:
    """Trains until `settings.train_steps`, from where the folder's training stands.

    Args:
      state: state at step 0, made in the strategy's scope.
      run: run whose data is trained on.
      settings: complete settings of the training.
      folder: locked folder for checkpoints and TensorBoard.
      devices: devices that share a batch.
      validation: test on the validation videos.
      keeps_best: whether the best checkpoint is kept beside the newest.

    Returns:
      Scores of the last validation, None where there was nothing left to do.

    Raises:
      UserError: the loss is not a finite number, or a video cannot be read.
    """
    assert settings.train_steps is not None and settings.eval_steps is not None
    if folder.latest():
        with devices.strategy.scope():
            folder.checkpoint().restore(state)
        print(f"Going on from {folder.latest()}.")
    first_step = state.steps_taken()
    owes_validation = state.owes_validation(settings.eval_steps, settings.train_steps)
    if first_step >= settings.train_steps and not owes_validation:
        return None
    history.note_start(
        folder.model_dir, settings, sys.argv, first_step, devices.num_replicas
    )
    clips = _clips(run, settings, state.clips_read(), devices.num_replicas)
    log = RunLog(
        state,
        Summaries(folder.model_dir),
        group=validation.name,
        train_steps=settings.train_steps,
        log_steps=settings.log_steps,
    )
    training = Training(
        *(state, settings, settings.weight_decay, clips, devices, folder, log),
        validation=validation,
        keeps_best=keeps_best,
    )
    with disk_full_errors(folder):
        return run_steps(training)


def _clips(
    run: RestoredRun, settings: LabelConfig, position: int, num_replicas: int
) -> Clips:
    """Returns the training clips from a position on, in batches of a replica."""
    return pipeline.training_clips(
        run.data,
        run.manifest,
        run.recipe,
        batch_size=settings.batch_size // num_replicas,
        seed=settings.seed,
        start_position=position,
        instances=run.instances,
    )
