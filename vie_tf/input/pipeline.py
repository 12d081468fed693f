"""The input pipeline: shards in, batches of clips out.

Glossary: a *record* is one video, a *clip* T frames of it, a *row* the bank index of
its instance.

Training, in this order (`training_clips`):

  instances   which videos, or bins of videos, the run learns from  (`instances`)
  order       which video comes at a position                       (`clip_order`)
  sampling    which frames of the video make the clip               (`sampling`)
  reading     those frames, and no other byte of the shard          (`clip_source`)
  decoding    only the window that becomes the crop                 (`crops`)
  augmenting  resize, color jitter, flip: one draw for each clip    (`augmentations`)
  batching    across the ends of epochs, so no video is dropped     (`clips`)

Evaluation (`evaluation_clips`) takes clips at fixed places of every video of a split,
resized and center cropped.

Letters: B clips of a batch, T frames of a clip, S height and width, C channels of a
clip (3 colors, or those of `ClipRecipe.input`), V videos.
"""

from __future__ import annotations

from typing import Sequence

import tensorflow as tf

from vie_tf.config import DataConfig
from vie_tf.input import data_service
from vie_tf.input.clip_blocks import block_size
from vie_tf.input.clip_makers import EvaluationClipMaker, TrainingClipMaker
from vie_tf.input.clip_order import (
    ALL_CLIPS,
    ClipOrder,
    ClipShard,
)
from vie_tf.input.clip_recipe import ClipRecipe, with_static
from vie_tf.input.clip_source import ClipSource
from vie_tf.input.clips import Clips
from vie_tf.input.instances import Instances
from vie_tf.input.questions.makers import CLIP_MAKERS
from vie_tf.storage.manifest import TRAIN_SPLIT, Manifest, VideoEntry


def training_clips(
    data: DataConfig,
    manifest: Manifest,
    recipe: ClipRecipe,
    *,
    batch_size: int,
    seed: int,
    start_position: int = 0,
    shard: ClipShard = ALL_CLIPS,
    instances: Instances | None = None,
) -> Clips:
    """Makes endless batches of augmented clips, every video once per epoch.

    A video of several bins shows another bin in every epoch until it has shown all.

    Args:
      data: where the shards are, and how clips are read and augmented.
      manifest: manifest of `data.data_dir`.
      recipe: frames and size of the clips.
      batch_size: B.
      seed: seed of order, clips and augmentation.
      start_position: position of the first clip.
      shard: positions that this of several workers reads; not with a data service.
      instances: instances that `data` describes; None finds them.

    Returns:
      Batches of `clips` [B, T, S, S, C] uint8, `rows` [B] int64, `labels` [B] int64, -1
      where a video has none, `positions` [B] int64, rising, and `skipped` [B] int64,
      bad records that were left out right before a clip.  Clips that are asked a
      question have `targets` [B, ...], its answers, and puzzles are [B, 4, T, s, s, C].

    Raises:
      UserError: there is no training video, or a shard is missing or cut.
    """
    source = ClipSource(data, manifest, TRAIN_SPLIT, portable=bool(data.data_service))
    instances = instances or Instances.from_config(data, manifest)
    order = ClipOrder(len(instances.videos), seed)
    maker = CLIP_MAKERS[recipe.question](
        source, instances, order, data, with_static(recipe, data.static_video)
    )
    if data.data_service:
        positions = order.positions_by_step(start_position, batch_size)
    else:
        positions = shard.select(order.positions(start_position))

    size = block_size(batch_size) if _makes_blocks(data, source, maker) else 0

    def batch(clips: tf.data.Dataset) -> tf.data.Dataset:
        if size:
            return clips if size == batch_size else clips.rebatch(batch_size)
        batches = clips.batch(batch_size, drop_remainder=True)
        if data.data_service:
            return data_service.distribute(batches, data.data_service)
        return batches

    # Within a worker of the service the order is kept: a batch is that of its step.
    keeps_order = data.deterministic or bool(data.data_service)
    return Clips(maker, positions, batch, keeps_order, size)


def _makes_blocks(
    data: DataConfig, source: ClipSource, maker: TrainingClipMaker
) -> bool:
    """Tells whether several clips are made by one call of Python.

    That pays for clips of one frame; those of more frames got up to 18% slower.  Where
    a store is slow, or a clip may be left out, clips are made one by one.
    """
    if source.portable or source.is_remote or source.skips_bad_records:
        return False
    if data.frame_jitter:
        return False
    return type(maker) is TrainingClipMaker and maker.recipe.num_frames == 1


def evaluation_clips(
    data: DataConfig,
    manifest: Manifest,
    split: str,
    recipe: ClipRecipe,
    *,
    num_clips: int | None,
    frames_per_batch: int = 128,
    shard: ClipShard = ALL_CLIPS,
    videos: Sequence[VideoEntry] | None = None,
) -> Clips:
    """Makes one pass over a split: clips resized and center cropped, nothing random.

    Args:
      data: where the shards are, the crop of the training, which the test window
        follows, and what to do about bad records.
      manifest: manifest of `data.data_dir`.
      split: split of the videos.
      recipe: frames and size of the clips.
      num_clips: equally spaced clips of each video; None for all that follow each other
        without overlap, as many as fit.
      frames_per_batch: decides how many videos a batch has, at least one; the last
        batch may be smaller.
      shard: clips that this of several workers reads.
      videos: some videos of the split; None for `manifest.split(split)`.

    Returns:
      Batches of `clips` [B, num_clips, T, S, S, C] uint8 and `rows` [B] int64, the
      positions of the videos.  For clips that follow each
      other num_clips is 1, and a row comes as often as its video has clips.

    Raises:
      UserError: there is no video in the split, or a shard is missing or cut.
    """
    source = ClipSource(data, manifest, split, videos=videos)
    maker = EvaluationClipMaker(
        source, with_static(recipe, data.static_video), num_clips, data.crop
    )
    num_frames = maker.clips_per_element * recipe.num_frames
    batch_size = max(1, frames_per_batch // num_frames)
    return Clips(
        maker,
        positions=shard.select(maker.positions()),
        batch=lambda clips: clips.batch(batch_size),
        keeps_order=True,
    )
