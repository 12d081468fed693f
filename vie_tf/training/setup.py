"""From settings to a network and its clips.

Shared by training and evaluation, which must agree on both.  `complete_settings` is for
training alone: a run that was trained has all of its settings.
"""

from __future__ import annotations

import dataclasses

from vie_tf.config import RunConfig
from vie_tf.input import sampling
from vie_tf.input.instances import Instances
from vie_tf.metrics import validation
from vie_tf.models.from_config import clip_recipe, with_family_defaults
from vie_tf.objectives import OBJECTIVES
from vie_tf.runs import streams
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import NO_LABEL, TRAIN_SPLIT, Manifest

# Training videos of Kinetics-400 in the paper (appendix A), and its m for them.
_PAPER_NUM_VIDEOS = 239_888
_PAPER_NUM_CLUSTERS = 8000


def complete_settings(
    config: RunConfig, manifest: Manifest, instances: Instances
) -> RunConfig:
    """Fills in what family, streams and data decide, and checks the result.

    Args:
      config: settings as they were asked for.
      manifest: manifest of the data.
      instances: instances that the run trains on.

    Raises:
      UserError: settings that contradict each other, the streams or the data.
    """
    train = config.train
    model = config.model
    if train.single_from or train.dynamic_from:
        if not (train.single_from and train.dynamic_from) or train.init_from:
            raise UserError(
                "--single_from and --dynamic_from are given together, and without"
                " --init_from."
            )
        model = streams.stream_settings(
            train.single_from, train.dynamic_from, model.static_frames
        )
        streams.check_agrees(config.model, model)
    needs_labels = OBJECTIVES[config.loss.name].needs_labels
    if needs_labels:
        model = dataclasses.replace(model, num_classes=_num_classes(config, manifest))
    elif model.num_classes is not None:
        raise UserError(
            "The streams are supervised networks; train them on with --loss=supervised."
        )
    loss = config.loss
    if loss.la_num_clusters is None:
        num_clusters = num_clusters_for(instances.count)
        loss = dataclasses.replace(loss, la_num_clusters=num_clusters)
    config = with_family_defaults(dataclasses.replace(config, model=model, loss=loss))
    _check_distribution(config)
    _check_clips(config, manifest)
    _check_loss(config, instances.count)
    _check_schedule(config, manifest, None if needs_labels else instances.count)
    steps = config.train.profile_steps
    if steps and steps[1] > config.train.train_steps:
        raise UserError(
            f"--profile_steps={steps[0]},{steps[1]} ends after the last step,"
            f" --train_steps={config.train.train_steps}: give earlier steps."
        )
    return config


def num_clusters_for(num_videos: int) -> int:
    """Scales the paper's number of clusters, 8000 for 239,888 videos (appendix A).

    Args:
      num_videos: N, rows of the memory bank.

    Returns:
      M, at least 2: with a single cluster all neighbors would be close.
    """
    return max(round(num_videos * _PAPER_NUM_CLUSTERS / _PAPER_NUM_VIDEOS), 2)


def _num_classes(config: RunConfig, manifest: Manifest) -> int:
    unlabeled = [v for v in manifest.videos if v.label == NO_LABEL]
    if len(manifest.class_names) < 2 or unlabeled:
        raise UserError(
            f"--loss={config.loss.name} needs videos of at least two classes, all of"
            f" them with a label, but {config.data.data_dir!r} has"
            f" {len(manifest.class_names)} classes and {len(unlabeled)} videos without"
            " a label. Put the videos into one folder per class and convert them"
            " again, or take --loss=ir, which needs no labels."
        )
    return len(manifest.class_names)


def _check_distribution(config: RunConfig) -> None:
    if config.distribution.strategy == "multi_worker" and config.data.data_service:
        raise UserError(
            "--data_service gives its batches to one process: with"
            " --strategy=multi_worker every worker reads its own part of the clips, so"
            " leave --data_service out."
        )


def _check_clips(config: RunConfig, manifest: Manifest) -> None:
    recipe = sampling.with_static(clip_recipe(config.model), config.data.static_video)
    videos = manifest.split(TRAIN_SPLIT)
    sampling.check_motion(videos, recipe, config.model.name)


def _check_loss(config: RunConfig, num_videos: int) -> None:
    settings = config.loss
    if num_videos < 2:
        raise UserError(
            f"There are {num_videos} training videos in {config.data.data_dir!r}, but a"
            " loss that tells videos apart needs at least 2."
        )
    if settings.name != "la":
        return
    # Checked before the first step, not after 50,000 steps of IR.
    assert settings.la_num_clusters is not None
    if settings.la_num_clusters > num_videos:
        raise UserError(
            f"--la_num_clusters={settings.la_num_clusters} is more than the"
            f" {num_videos} training videos. The paper takes one cluster for about 30"
            f" videos: --la_num_clusters={num_clusters_for(num_videos)}, which is what"
            " --la_num_clusters=auto takes."
        )
    if settings.la_num_background > num_videos:
        raise UserError(
            f"--la_num_background={settings.la_num_background} is more than the"
            f" {num_videos} training videos. Try --la_num_background="
            f"{max(num_videos // 8, 2)}."
        )


def _check_schedule(
    config: RunConfig, manifest: Manifest, num_rows: int | None
) -> None:
    if config.train.lr_schedule != "plateau":
        return
    if config.train.eval_steps == 0:
        raise UserError(
            "--lr_schedule=plateau follows the validations, but --eval_steps=0 makes"
            " none on the way: give the steps between them, or --lr_boundaries instead."
        )
    if validation.split_to_validate(manifest, num_rows) is None:
        raise UserError(
            "--lr_schedule=plateau follows the validations, but"
            f" {config.data.data_dir!r} has no videos with labels to validate this run"
            " on: give --lr_boundaries instead."
        )
