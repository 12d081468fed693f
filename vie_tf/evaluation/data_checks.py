"""Checks that a task can be evaluated on a data set; they raise UserError if not."""

from __future__ import annotations

from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.input.clip_recipe import check_motion, with_static
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import NO_LABEL, TRAIN_SPLIT, VAL_SPLIT


def check_clips(run: RestoredRun) -> None:
    """Refuses images for a network of several frames."""
    recipe = with_static(run.recipe, run.data.static_video)
    check_motion(run.manifest.videos, recipe, run.config.model.name)


def check_gallery(run: RestoredRun, task: str) -> None:
    """Refuses data without training videos for --task=`task`."""
    if not run.gallery:
        raise UserError(
            f"--task={task} needs videos of the split {TRAIN_SPLIT}, but"
            f" {run.data_dir!r} has none. Convert the videos again with a lower"
            " --val_fraction."
        )


def check_labels(run: RestoredRun, task: str) -> None:
    """Refuses data with too few labels for --task=`task`.

    It needs two classes, a training video, and a class with both training and
    validation videos.  Classes without training videos are printed.
    """
    names = run.manifest.class_names
    if len(names) < 2:
        found = f"only {names[0]}" if names else "no labels"
        raise UserError(
            f"--task={task} needs videos of at least two classes, but those of"
            f" {run.data_dir!r} have {found}. Put videos of two classes or more into a"
            " folder for each and convert them again, or use --task=retrieval, which"
            " needs no labels."
        )
    check_gallery(run, task)
    known = {video.label for video in run.gallery}
    asked = {video.label for video in run.queries if video.label != NO_LABEL}
    unknown = ", ".join(names[label] for label in sorted(asked - known))
    if unknown and not asked & known:
        raise UserError(
            f"The validation videos of {run.data_dir!r} have the classes {unknown},"
            " which no training video has: give the folders of both splits the same"
            " names, and convert them again."
        )
    if unknown:
        print(
            "Validation videos of these classes count as wrong, since no training video"
            f" has them: {unknown}."
        )


def check_all_labels(run: RestoredRun, task: str) -> None:
    """Refuses unlabeled videos, and training videos of a single class."""
    check_labels(run, task)
    videos = [v for v in run.manifest.videos if v.split in (TRAIN_SPLIT, VAL_SPLIT)]
    unlabeled = [video.source for video in videos if video.label == NO_LABEL]
    if unlabeled:
        raise UserError(
            f"--task={task} needs a label for every video, but {len(unlabeled)} of"
            f" {run.data_dir!r} have none (such as {unlabeled[0]!r}). Put all videos"
            " into folders of their classes and convert them again."
        )
    classes = {video.label for video in run.gallery}
    if len(classes) < 2:
        raise UserError(
            f"--task={task} needs training videos of at least two classes, but all of"
            f" {run.data_dir!r} have the class"
            f" {run.manifest.class_names[classes.pop()]}."
        )


def check_val_split(run: RestoredRun, task: str, instead: str = "") -> None:
    """Refuses data without validation videos; `instead` ends the message."""
    if not run.manifest.split(VAL_SPLIT):
        raise UserError(
            f"--task={task} trains on the split {TRAIN_SPLIT} and tests on"
            f" {VAL_SPLIT}, but {run.data_dir!r} has no split {VAL_SPLIT}: convert the"
            f" videos again with --val_fraction=0.2{instead}."
        )
