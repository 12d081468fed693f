"""From settings to a network and its clips.

Shared by training and evaluation, which must agree on both.  `complete_settings` is for
training alone: a run that was trained has all of its settings.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from vie_tf import models, streams, views
from vie_tf.clip_sampling import ClipRecipe
from vie_tf.config import ModelConfig, RunConfig
from vie_tf.evaluation import validation
from vie_tf.records import NO_LABEL, TRAIN_SPLIT, Manifest

# Training videos of Kinetics-400 in the paper (appendix A), and its m for them.
_PAPER_NUM_VIDEOS = 239_888
_PAPER_NUM_CLUSTERS = 8000


def complete_settings(config: RunConfig, manifest: Manifest) -> RunConfig:
    """Fills in what family, streams and data decide, and checks the result.

    Args:
      config: as it was asked for.
      manifest: of the data.

    Raises:
      ValueError: settings that contradict each other, the streams or the data.
    """
    train = config.train
    model = config.model
    if train.single_from or train.dynamic_from:
        if not (train.single_from and train.dynamic_from) or train.init_from:
            raise ValueError(
                "--single_from and --dynamic_from are given together, and without"
                " --init_from."
            )
        model = streams.stream_settings(
            train.single_from, train.dynamic_from, model.static_frames
        )
        streams.check_agrees(config.model, model)
    if config.loss.name == "supervised":
        model = dataclasses.replace(model, num_classes=_num_classes(config, manifest))
    elif model.num_classes is not None:
        raise ValueError(
            "The streams are supervised networks; train them on with --loss=supervised."
        )
    loss = config.loss
    if loss.la_num_clusters is None:
        num_videos = views.of_data(config.data, manifest).count
        num_clusters = num_clusters_for(num_videos)
        loss = dataclasses.replace(loss, la_num_clusters=num_clusters)
    config = with_family_defaults(dataclasses.replace(config, model=model, loss=loss))
    _check_distribution(config)
    _check_clips(config, manifest)
    _check_loss(config, manifest)
    _check_schedule(config, manifest)
    steps = config.train.profile_steps
    if steps and steps[1] > config.train.train_steps:
        raise ValueError(
            f"--profile_steps={steps[0]},{steps[1]} ends after the last step,"
            f" --train_steps={config.train.train_steps}: give earlier steps."
        )
    return config


def num_clusters_for(num_videos: int) -> int:
    """Scales the paper's number of clusters, 8000 for 239,888 videos (appendix A).

    Args:
      num_videos: N, rows of the memory bank.

    Returns:
      M, at least 2: with a single cluster all neighbours would be close.
    """
    return max(round(num_videos * _PAPER_NUM_CLUSTERS / _PAPER_NUM_VIDEOS), 2)


def _num_classes(config: RunConfig, manifest: Manifest) -> int:
    unlabelled = [v for v in manifest.videos if v.label == NO_LABEL]
    if len(manifest.class_names) < 2 or unlabelled:
        raise ValueError(
            f"--loss=supervised needs videos of at least two classes, all of them with"
            f" a label, but {config.data.data_dir!r} has"
            f" {len(manifest.class_names)} classes and {len(unlabelled)} videos without"
            " a label. Put the videos into one folder per class and convert them"
            " again, or take --loss=ir, which needs no labels."
        )
    return len(manifest.class_names)


def _check_distribution(config: RunConfig) -> None:
    if config.distribution.strategy == "multi_worker" and config.data.data_service:
        raise ValueError(
            "--data_service gives its batches to one process: with"
            " --strategy=multi_worker every worker reads its own part of the clips, so"
            " leave --data_service out."
        )


def _check_clips(config: RunConfig, manifest: Manifest) -> None:
    num_frames = clip_recipe(config.model).num_frames
    videos = manifest.split(TRAIN_SPLIT)
    is_image_set = bool(videos) and all(video.frames == 1 for video in videos)
    if is_image_set and num_frames > 1 and not config.data.static_video:
        raise ValueError(
            f"{config.data.data_dir!r} has images (videos of one frame), but --model="
            f"{config.model.name} takes {num_frames} frames. Add --static_video to show"
            " it each image as a static video, or take --model=single."
        )


def _check_loss(config: RunConfig, manifest: Manifest) -> None:
    instances = views.of_data(config.data, manifest)
    num_videos = instances.count
    settings = config.loss
    if num_videos < 2:
        raise ValueError(
            f"There are {num_videos} training videos in {config.data.data_dir!r}, but a"
            " loss that tells videos apart needs at least 2."
        )
    if settings.name != "la":
        return
    # Checked before the first step, not after 50,000 steps of IR.
    assert settings.la_num_clusters is not None
    if settings.la_num_clusters > num_videos:
        raise ValueError(
            f"--la_num_clusters={settings.la_num_clusters} is more than the"
            f" {num_videos} training videos. The paper takes one cluster for about 30"
            f" videos: --la_num_clusters={num_clusters_for(num_videos)}, which is what"
            " --la_num_clusters=auto takes."
        )
    if settings.la_num_background > num_videos:
        raise ValueError(
            f"--la_num_background={settings.la_num_background} is more than the"
            f" {num_videos} training videos. Try --la_num_background="
            f"{max(num_videos // 8, 2)}."
        )


def _check_schedule(config: RunConfig, manifest: Manifest) -> None:
    if config.train.lr_schedule != "plateau":
        return
    if config.train.eval_steps == 0:
        raise ValueError(
            "--lr_schedule=plateau follows the validations, but --eval_steps=0 makes"
            " none on the way: give the steps between them, or --lr_boundaries instead."
        )
    num_rows = None
    if config.loss.name != "supervised":
        num_rows = views.of_data(config.data, manifest).count
    if validation.split_to_validate(manifest, num_rows) is None:
        raise ValueError(
            "--lr_schedule=plateau follows the validations, but"
            f" {config.data.data_dir!r} has no videos with labels to validate this run"
            " on: give --lr_boundaries instead."
        )


def with_family_defaults(config: RunConfig) -> RunConfig:
    """Fills in what the network's family decides: clip and batch size."""
    recipe = clip_recipe(config.model)
    model = dataclasses.replace(
        config.model,
        num_frames=recipe.num_frames,
        frame_interval=recipe.frame_interval,
        crop_size=recipe.crop_size,
    )
    batch_size = config.train.batch_size or models.MODELS[config.model.name].batch_size
    train = dataclasses.replace(config.train, batch_size=batch_size)
    return dataclasses.replace(config, model=model, train=train)


def clip_recipe(model: ModelConfig) -> ClipRecipe:
    """Which clips a network of these settings is given."""
    recipe = models.clip_recipe(model.name)
    return dataclasses.replace(
        recipe,
        num_frames=model.num_frames or recipe.num_frames,
        frame_interval=model.frame_interval or recipe.frame_interval,
        crop_size=model.crop_size or recipe.crop_size,
    )


def build_model(model: ModelConfig, seed: int) -> tf.keras.Model:
    """Makes the network of these settings, untrained.

    Args:
      model: settings.
      seed: of the weights; the same seed makes the same network.
    """
    tf.keras.utils.set_random_seed(seed)
    return models.build(
        model.name,
        resnet_size=model.resnet_size,
        embedding_dim=model.embedding_dim,
        num_filters=model.num_filters,
        num_frames=model.num_frames,
        trn_head=model.trn_head,
        static_frames=model.static_frames,
        num_classes=model.num_classes,
        batch_norm_momentum=model.batch_norm_momentum,
        sync_batch_norm=model.sync_batch_norm,
        precision=model.precision,
    )
