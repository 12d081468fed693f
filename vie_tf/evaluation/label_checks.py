"""What training on labels needs of a run and its data, and settings that follow."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from vie_tf import views
from vie_tf.config import LabelConfig
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.records import NO_LABEL, TRAIN_SPLIT, VAL_SPLIT

Settings = TypeVar("Settings", bound=LabelConfig)


def check_data(run: RestoredRun, task: str) -> None:
    """Checks that the videos have what a task needs that trains on labels.

    Args:
      run: that is evaluated.
      task: its name, for the message.

    Raises:
      ValueError: no labels, no training videos or those of one class, or images for a
        network of several frames.
    """
    run.check_labels(task)
    videos = [v for v in run.manifest.videos if v.split in (TRAIN_SPLIT, VAL_SPLIT)]
    unlabelled = [video.source for video in videos if video.label == NO_LABEL]
    if unlabelled:
        raise ValueError(
            f"--task={task} needs a label for every video, but {len(unlabelled)} of"
            f" {run.data_dir!r} have none (such as {unlabelled[0]!r}). Put all videos"
            " into folders of their classes and convert them again."
        )
    classes = {video.label for video in run.gallery}
    if len(classes) < 2:
        raise ValueError(
            f"--task={task} needs training videos of at least two classes, but all of"
            f" {run.data_dir!r} are of {run.manifest.class_names[classes.pop()]}."
        )
    is_images = all(video.frames == 1 for video in videos)
    if is_images and run.recipe.num_frames > 1 and not run.data.static_video:
        raise ValueError(
            f"{run.data_dir!r} has images (videos of one frame), but --model="
            f"{run.config.model.name} takes {run.recipe.num_frames} frames: say"
            " --static_video to show it each image as often."
        )


def check_val_split(run: RestoredRun, task: str, instead: str = "") -> None:
    """Checks that there are videos to test on.

    Args:
      run: that is evaluated.
      task: its name, for the message.
      instead: what else can be done, for the message.

    Raises:
      ValueError: there is no val split.
    """
    if run.manifest.split(VAL_SPLIT):
        return
    raise ValueError(
        f"--task={task} trains on the split {TRAIN_SPLIT} and tests on {VAL_SPLIT}, but"
        f" {run.data_dir!r} has no split {VAL_SPLIT}: convert the videos again with"
        f" --val_fraction=0.2{instead}."
    )


def complete(settings: Settings, run: RestoredRun) -> Settings:
    """Fills in what depends on the videos and their number.

    Args:
      settings: as they were asked for.
      run: that is evaluated.

    Raises:
      ValueError: a schedule that needs validations without any.
    """
    num_videos = views.of_data(run.data, run.manifest).count
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
