"""Settings of a training on labels that follow from its data."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from vie_tf.config import LabelConfig
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.input import instances

Settings = TypeVar("Settings", bound=LabelConfig)


def complete(settings: Settings, run: RestoredRun) -> Settings:
    """Fills in what depends on the videos and their number.

    Args:
      settings: as they were asked for.
      run: that is evaluated.

    Raises:
      ValueError: a schedule that needs validations without any.
    """
    num_videos = instances.from_data(run.data, run.manifest).count
    train_steps, eval_steps = settings.train_steps, settings.eval_steps
    boundaries = settings.lr_boundaries
    if train_steps is None:
        steps_per_epoch = -(-num_videos // settings.batch_size)
        train_steps = max(settings.epochs * steps_per_epoch, settings.min_steps)
    if eval_steps is None:
        eval_steps = max(train_steps // settings.num_validations, 1)
    if settings.lr_schedule == "plateau":
        boundaries = ()
        if eval_steps == 0:
            raise ValueError(
                "--lr_schedule=plateau follows the validations, but --eval_steps=0"
                " makes none on the way: give the steps between them, or"
                " --lr_boundaries instead."
            )
    elif boundaries is None:
        steps = {max(int(s * train_steps), 1) for s in settings.boundary_shares}
        boundaries = tuple(sorted(steps))
    return dataclasses.replace(
        settings,
        num_clips=run.clips_per_video(settings.num_clips),
        train_steps=train_steps,
        eval_steps=eval_steps,
        lr_boundaries=boundaries,
    )
