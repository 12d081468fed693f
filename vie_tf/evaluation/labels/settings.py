"""Settings of a training on labels: what follows from its data, and how to say it."""

from __future__ import annotations

import dataclasses
from typing import Sequence, TypeVar

from vie_tf.config import LabelConfig
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.storage.errors import UserError

Settings = TypeVar("Settings", bound=LabelConfig)


def complete(settings: Settings, run: RestoredRun) -> Settings:
    """Fills in what depends on the videos and their number.

    Args:
      settings: settings as they were asked for.
      run: run that is evaluated.

    Raises:
      UserError: a schedule that needs validations without any.
    """
    train_steps, eval_steps = settings.train_steps, settings.eval_steps
    boundaries = settings.lr_boundaries
    if train_steps is None:
        steps_per_epoch = -(-run.instances.count // settings.batch_size)
        train_steps = max(settings.epochs * steps_per_epoch, settings.min_steps)
    if eval_steps is None:
        eval_steps = max(train_steps // settings.num_validations, 1)
    if settings.lr_schedule == "plateau":
        boundaries = ()
        if eval_steps == 0:
            raise UserError(
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


def describe_rate(settings: LabelConfig) -> str:
    """Describes the learning rate and its drops, for a protocol."""
    return f"rate {settings.learning_rate:g}{_describe_drops(settings)}"


def _describe_drops(settings: LabelConfig) -> str:
    if settings.lr_schedule == "plateau":
        validations = f"{settings.num_validations} validations"
        if settings.eval_steps:
            validations = f"validations {settings.eval_steps:,} steps apart"
        patience, gain = settings.plateau_patience, 100 * settings.plateau_min_delta
        return (
            f", divided by 10 at plateaus of {validations} ({patience} of them without"
            f" a gain of {gain:g} points; {settings.plateau_max_drops} times at most)"
        )
    boundaries = settings.lr_boundaries
    if boundaries is None:
        shares = [f"{share:.0%}" for share in settings.boundary_shares]
        return f", divided by 10 after {_enumerate(shares)} of the steps"
    if not boundaries:
        return " throughout"
    return f", divided by 10 after {_enumerate([f'{b:,}' for b in boundaries])} steps"


def _enumerate(texts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))
