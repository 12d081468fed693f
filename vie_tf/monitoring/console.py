"""What the terminal is told about a run, as text."""

from __future__ import annotations

from typing import Mapping

import numpy as np

from vie_tf.config import LabelConfig, RunConfig, TrainConfig
from vie_tf.input import instances as views
from vie_tf.models.from_config import clip_recipe
from vie_tf.monitoring.stopwatch import Interval
from vie_tf.runs import schedules
from vie_tf.runs.state import TrainState
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT, Manifest

_LOSS_TITLES = {"ir": "IR", "la": "LA", "supervised": "softmax"}


def description(
    config: RunConfig,
    manifest: Manifest,
    state: TrainState,
    devices: str,
) -> str:
    """The run in a sentence: network, clips, devices, videos, step."""
    recipe = clip_recipe(config.model)
    num_parameters = sum(
        int(np.prod(variable.shape)) for variable in state.model.trainable_variables
    )
    instances = views.from_data(config.data, manifest)
    training = f"{len(instances.videos)} training"
    if len(instances.videos) < len(manifest.split(TRAIN_SPLIT)):
        training += f" (of {len(manifest.split(TRAIN_SPLIT))})"
    if instances.bin_frames:
        training += f" (in {instances.count} bins of {instances.bin_frames} frames)"
    return (
        f"{config.model.name}: {num_parameters:,} parameters, clips of"
        f" {recipe.num_frames} x {recipe.crop_size} x {recipe.crop_size}, batches of"
        f" {config.train.batch_size} on {devices};"
        f" {training} and"
        f" {len(manifest.split(VAL_SPLIT))} validation videos; step"
        f" {state.steps_taken()} of {config.train.train_steps}."
    )


def step_line(
    step: int,
    loss: str,
    values: dict[str, float],
    interval: Interval,
    train_steps: int,
    seconds_per_step: float,
) -> str:
    """A step: its loss, what that works on, the rate, how fast, and how long still.

    Args:
      step: of the run.
      loss: `ir`, `la` or `supervised`.
      values: of the step.
      interval: that ends with it.
      train_steps: of the whole run.
      seconds_per_step: since the start, work between steps included.
    """
    return (
        f"step {step}/{train_steps}  {_LOSS_TITLES[loss]} loss"
        f" {values['loss']:.3f}  {_progress(values)}  rate"
        f" {values['learning_rate']:.2g}"
        f"  {_pace(interval, seconds_per_step * (train_steps - step))}"
    )


def _pace(interval: Interval, seconds_left: float) -> str:
    return (
        f"{interval.steps_per_second:.2f} steps/s  waiting for input"
        f" {interval.wait_share:.0%}  left {duration(seconds_left)}"
    )


def duration(seconds: float) -> str:
    """A time in its two largest units: `3:20 min`, `5 h 12 min` or `11 d 2 h`."""
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def _progress(values: dict[str, float]) -> str:
    """What the loss is working on, in words."""
    if "accuracy" in values:
        return f"accuracy {values['accuracy']:.2f}"
    own = f"similarity to own row {values['similarity_to_own_row']:.2f}"
    if "similarity_between_videos" not in values:  # in batches of a single video
        return own
    return f"{own}, to others {values['similarity_between_videos']:.2f}"


def validation_line(
    step: int, name: str, scores: Mapping[str, float], num_classes: int
) -> str:
    """Formats the accuracies of a validation by `knn` or `softmax`."""
    title = {"knn": "kNN"}.get(name, name)
    return (
        f"step {step}  {title} top-1 {scores['top1']:.1%} (chance"
        f" {1 / num_classes:.1%}), top-5 {scores['top5']:.1%}"
    )


def label_line(
    step: int,
    values: dict[str, float],
    interval: Interval,
    train_steps: int,
    seconds_per_step: float,
) -> str:
    """A step of a training on labels: loss, accuracy of each read-out, and pace.

    Args:
      step: of the training.
      values: of the step.
      interval: that ends with it.
      train_steps: of the whole training.
      seconds_per_step: since the start, work between steps included.
    """
    end = "_accuracy"
    accuracies = "  ".join(
        f"{name[: -len(end)]} {value:.2f}"
        for name, value in values.items()
        if name.endswith(end)
    )
    return (
        f"step {step}/{train_steps}  loss {values['loss']:.3f}  accuracy {accuracies} "
        f" rate {values['learning_rate']:.2g}"
        f"  {_pace(interval, seconds_per_step * (train_steps - step))}"
    )


def probes_line(step: int, scores: Mapping[str, Mapping[str, float]]) -> str:
    """Top-1 accuracies of the read-outs in a validation."""
    top1 = "  ".join(f"{name} {values['top1']:.1%}" for name, values in scores.items())
    return f"step {step}  validation top-1  {top1}"


def drop_line(
    step: int, now: schedules.Plateau, settings: TrainConfig | LabelConfig
) -> str:
    """That a plateau has divided the learning rate, and why."""
    return (
        f"step {step}  rate divided by {schedules.LR_DIVISOR:.0f} (drop"
        f" {now.num_drops} of at most {settings.plateau_max_drops}): top-1 has not"
        f" risen by more than {settings.plateau_min_delta:.1%} over {now.best:.1%} in"
        f" {settings.plateau_patience} validations"
    )
