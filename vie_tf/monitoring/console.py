"""Lines about a run in the terminal."""

from __future__ import annotations

from typing import Mapping

import numpy as np

from vie_tf.config import OptimizationConfig, RunConfig
from vie_tf.input.instances import Instances
from vie_tf.models.from_config import clip_recipe
from vie_tf.monitoring.stopwatch import Interval
from vie_tf.runs import schedules
from vie_tf.runs.state import TrainState
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT, Manifest
from vie_tf.terminal.wording import counted


def description(
    config: RunConfig,
    manifest: Manifest,
    state: TrainState,
    devices: str,
    instances: Instances,
) -> str:
    """Describes the run: network, clips, devices, videos, step."""
    recipe = clip_recipe(config.model)
    num_parameters = sum(
        int(np.prod(variable.shape)) for variable in state.model.trainable_variables
    )
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
        f" {counted(len(manifest.split(VAL_SPLIT)), 'validation video')}; step"
        f" {state.steps_taken()} of {config.train.train_steps}."
    )


def step_line(
    step: int,
    title: str,
    values: Mapping[str, float],
    interval: Interval,
    train_steps: int,
    seconds_per_step: float,
) -> str:
    """Formats a step: its loss and progress, the rate, the speed and the time left.

    Args:
      step: number of the step.
      title: name of the loss, if it needs one.
      values: scalars of the step.
      interval: interval that ends with it.
      train_steps: last step of the training.
      seconds_per_step: mean since the start, work between steps included.
    """
    parts = [
        f"step {step}/{train_steps}",
        f"{title} loss {values['loss']:.3f}".lstrip(),
        _progress(values),
        f"rate {values['learning_rate']:.2g}",
        f"{interval.steps_per_second:.2f} steps/s",
        f"waiting for input {interval.wait_share:.0%}",
        f"left {duration(seconds_per_step * (train_steps - step))}",
    ]
    return "  ".join(part for part in parts if part)


def duration(seconds: float) -> str:
    """Formats a time in its two largest units: `3:20 min`, `5 h 12 min`, `11 d 2 h`."""
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def _progress(values: Mapping[str, float]) -> str:
    """Formats the accuracies of a step, or else the similarities of its embeddings."""
    end = "accuracy"
    accuracies = [
        f"{name[: -len(end)].rstrip('_')} {value:.2f}".lstrip()
        for name, value in values.items()
        if name.endswith(end)
    ]
    if accuracies:
        return f"{end} {'  '.join(accuracies)}"
    if "similarity_to_own_row" not in values:
        return ""
    line = f"similarity to own row {values['similarity_to_own_row']:.2f}"
    if "similarity_between_videos" in values:  # more than one video in the batch
        line += f", to others {values['similarity_between_videos']:.2f}"
    return line


def validation_line(
    step: int,
    name: str,
    heads: Mapping[str, Mapping[str, float]],
    num_classes: int,
    gallery: str = "",
) -> str:
    """Formats the accuracies of a validation.

    Args:
      step: number of the step before it.
      name: name of the validation.
      heads: `top1` and `top5` of every head, by its name; a single one has none.
      num_classes: C.
      gallery: what kNN compared with, `bank` or `features`; empty for others.
    """
    if "" not in heads:
        top1 = [f"{head} {scores['top1']:.1%}" for head, scores in heads.items()]
        return f"step {step}  validation top-1  {'  '.join(top1)}"
    title, scores = {"knn": "kNN"}.get(name, name), heads[""]
    against = {"bank": ", against the memory bank", "features": ", against embeddings"}
    return (
        f"step {step}  {title} top-1 {scores['top1']:.1%} (chance"
        f" {1 / num_classes:.1%}), top-5 {scores['top5']:.1%}"
        + against.get(gallery, "")
    )


def drop_line(step: int, now: schedules.Plateau, settings: OptimizationConfig) -> str:
    """Says that a plateau has divided the learning rate, and why."""
    return (
        f"step {step}  rate divided by {schedules.LR_DIVISOR:.0f} (drop"
        f" {now.num_drops} of at most {settings.plateau_max_drops}): top-1 has not"
        f" risen by more than {settings.plateau_min_delta:.1%} over {now.best:.1%} in"
        f" {settings.plateau_patience} validations"
    )
