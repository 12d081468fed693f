"""Clips of a data set as a tf.data.Dataset: `vie_tf.dataset`."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import tensorflow as tf

from vie_tf.config import DataConfig, KnnConfig, settings_of
from vie_tf.input import pipeline
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.models.registry import family
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import SPLITS, TRAIN_SPLIT, Manifest


def dataset(
    data_dir: str,
    split: str,
    recipe: ClipRecipe | str,
    *,
    training: bool = False,
    batch_size: int | None = None,
    seed: int = 0,
    num_clips: int = KnnConfig.num_clips,
    **settings: Any,
) -> tf.data.Dataset:
    """Reads clips of a data set that `data_prep.convert` has made.

    Args:
      data_dir: folder of the data set.
      split: `train` or `val`.
      recipe: clips, such as `run.clip` of a loaded run, or the name of a family.
      training: whether clips are drawn and augmented, without end, as train.py does;
        else each video comes once, with clips at fixed places.
      batch_size: B of training, the family's if None, or 64; the batches of a test have
        as many videos as fit into about 128 frames.
      seed: seed of the order, the clips and the augmentation of training.
      num_clips: equally spaced clips of a video where `training` is False.
      **settings: fields of `vie_tf.config.DataConfig`, such as `crop`.

    Returns:
      Batches of `clips` uint8, [B, T, S, S, C] of training or [V, num_clips, T, S, S,
      C], and `rows` int64, the positions of their videos in the split; training has
      `labels` as well, -1 where a video has none.

    Raises:
      UserError: there is no such data set, split or setting.
    """
    if split not in SPLITS:
        raise UserError(f"split is one of {', '.join(SPLITS)}, not {split!r}.")
    if training and split != TRAIN_SPLIT:
        raise UserError("training=True reads the split train.")
    unknown = sorted(set(settings) - set(settings_of(DataConfig)))
    if unknown:
        raise UserError(f"there is no setting {unknown[0]!r} of the data.")
    if isinstance(recipe, str):
        batch_size = batch_size or family(recipe).batch_size
        recipe = family(recipe).clip
    data = DataConfig(os.fspath(data_dir), **settings)
    data = dataclasses.replace(data, static_video=data.static_video or recipe.static)
    manifest = Manifest.load(data.data_dir)
    if training:
        clips = pipeline.training_clips(
            data, manifest, recipe, batch_size=batch_size or 64, seed=seed
        )
    else:
        clips = pipeline.evaluation_clips(
            data, manifest, split, recipe, num_clips=num_clips
        )
    return clips.dataset
