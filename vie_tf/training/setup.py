"""Completes the settings of a run from its data, network and objective."""

from __future__ import annotations

import dataclasses

from vie_tf.config import RunConfig, TrainConfig
from vie_tf.input.clip_recipe import check_motion, with_static
from vie_tf.input.instances import Instances
from vie_tf.metrics import validation
from vie_tf.models.from_config import clip_recipe, with_family_defaults
from vie_tf.objectives import objective_class
from vie_tf.runs import streams
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import NO_LABEL, TRAIN_SPLIT, Manifest
from vie_tf.terminal.wording import counted
from vie_tf.training import progressive


def complete_settings(
    config: RunConfig, manifest: Manifest, instances: Instances
) -> RunConfig:
    """Fills in settings that follow from family, streams and data, and checks all.

    Raises:
      UserError: settings contradict each other, the streams or the data.
    """
    train = config.train
    model = config.model
    _check_start(config)
    if train.single_from and train.dynamic_from:
        model = streams.stream_settings(
            train.single_from, train.dynamic_from, model.static_frames
        )
        streams.check_agrees(config.model, model)
    objective = objective_class(config.loss.name)
    if objective.needs_labels:
        model = dataclasses.replace(model, num_classes=_num_classes(config, manifest))
    elif model.num_classes is not None:
        raise UserError(
            "The streams are supervised networks; train them on with --loss=supervised."
        )
    if instances.count < 2:
        raise UserError(
            f"{config.data.data_dir!r} has"
            f" {counted(instances.count, 'training video')}, but a loss that tells"
            " videos apart needs at least 2."
        )
    loss = objective.complete(config.loss, instances.count)
    config = dataclasses.replace(config, model=model, loss=loss)
    config = with_family_defaults(objective.complete_config(config))
    if config.distribution.strategy == "multi_worker" and config.data.data_service:
        raise UserError(
            "--data_service gives its batches to one process: with"
            " --strategy=multi_worker every worker reads its own part of the clips, so"
            " leave --data_service out."
        )
    recipe = with_static(clip_recipe(config.model), config.data.static_video)
    check_motion(manifest.split(TRAIN_SPLIT), recipe, config.model.name)
    num_rows = None if objective.needs_labels else instances.count
    if objective.has_own_head:
        config = _without_bank(config)
    config = _with_gallery(config, manifest, num_rows)
    _check_schedule(config, manifest, num_rows)
    progressive.check(config)
    steps = config.train.profile_steps
    if steps and steps[1] > config.train.train_steps:
        raise UserError(
            f"--profile_steps={steps[0]},{steps[1]} ends after the last step,"
            f" --train_steps={config.train.train_steps}: give earlier steps."
        )
    return config


def _check_start(config: RunConfig) -> None:
    """Checks that a run starts from one other run, or from two streams."""
    train = config.train
    starts = (train.init_from, train.network_from, train.single_from)
    if sum(start is not None for start in starts) > 1:
        raise UserError(
            "A run has one start: give one of --init_from, --network_from and"
            " --single_from with --dynamic_from."
        )
    if train.network_from and config.model.name in streams.FAMILIES.values():
        raise UserError(
            "--network_from is for networks of one stream. Give --single_from and"
            f" --dynamic_from with --model={config.model.name}."
        )
    if bool(train.single_from) != bool(train.dynamic_from):
        raise UserError("--single_from and --dynamic_from are given together.")


def clips_between_validations(train: TrainConfig) -> int:
    """Returns how many clips are trained on from one validation to the next."""
    assert train.batch_size is not None
    return (train.eval_steps or train.train_steps) * train.batch_size


def _with_gallery(
    config: RunConfig, manifest: Manifest, num_rows: int | None
) -> RunConfig:
    """Decides what kNN validations compare with, where that is `auto`."""
    train = config.train
    if train.knn_gallery != "auto" or num_rows is None:
        return config
    gallery, _ = validation.gallery_of_run(
        manifest, num_rows, clips_between_validations(train), config.knn.num_clips
    )
    train = dataclasses.replace(train, knn_gallery=gallery)
    return dataclasses.replace(config, train=train)


def _without_bank(config: RunConfig) -> RunConfig:
    """Lets kNN validations compare with embeddings, as there is no memory bank."""
    train = config.train
    if train.knn_gallery == "bank":
        raise UserError(
            f"--loss={config.loss.name} has no memory bank to validate against: leave"
            " --knn_gallery=bank out."
        )
    train = dataclasses.replace(train, knn_gallery="features")
    return dataclasses.replace(config, train=train)


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
