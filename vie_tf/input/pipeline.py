"""Shards -> batches of clips.

Glossary: a *record* is one video, a *clip* T frames of it, a *row* the position of
its video among the training videos, which is its row in the memory bank; where videos
are cut into bins, every bin has a row.  An *epoch* takes one clip of every video.  A
*position* counts the clips of a run from its start, epoch after epoch.

Training, in this order (`training_clips`):

  order     a position is an epoch and a place in its order, a permutation of all
            videos
  sample    which frames of the video make the clip
  read      those frames, and no other byte of the shard (`frame_reader`)
  decode    only the window that becomes the crop
  augment   resize, color, flip: one draw per clip
  batch     epochs run into each other, so no video is dropped at an epoch's end

Everything random is a function of the seed and the position.  So a run that is started
again at a position reads exactly what the run that was never stopped would have read,
at no cost, and the workers of a tf.data service (`input_service`) need not agree on
anything.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig
from vie_tf.input import augmentations, crops, data_service, sampling
from vie_tf.input import instances as views
from vie_tf.input.clip_source import Clips, ClipSource, ClipWork, Element
from vie_tf.input.sampling import ClipRecipe
from vie_tf.storage.manifest import TRAIN_SPLIT, Manifest

_MAX = 2**40  # epochs or steps: without end
# What is random, each with numbers of its own.
_ORDER, _BINS, _CLIP, _AUGMENTATION = range(4)
_NUM_PURPOSES = 8


class ClipShard(NamedTuple):
    """What one of several workers reads: blocks of positions, dealt out in turn.

    Attributes:
      worker: which of them.
      num_workers: of the run.
      block: positions that follow each other.
    """

    worker: int = 0
    num_workers: int = 1
    block: int = 1

    def of(self, positions: tf.data.Dataset) -> tf.data.Dataset:
        """Leaves out what other workers read."""
        if self.num_workers == 1:
            return positions
        blocks = positions.batch(self.block).shard(self.num_workers, self.worker)
        return blocks.unbatch()


ALL_CLIPS = ClipShard()


def training_clips(
    data: DataConfig,
    manifest: Manifest,
    recipe: ClipRecipe,
    *,
    batch_size: int,
    seed: int,
    start_position: int = 0,
    part: ClipShard = ALL_CLIPS,
    instances: views.Instances | None = None,
) -> Clips:
    """Endless batches of augmented clips, every video once per epoch.

    A video of several bins shows another one in every epoch, until all were shown.

    Args:
      data: where the shards are, and how clips are read and augmented.
      manifest: of `data.data_dir`.
      recipe: of the clips.
      batch_size: B of these batches.
      seed: of order, clips and augmentation.
      start_position: of the first clip.
      part: of the positions, where workers share them; then without a data service.
      instances: instances of the data settings; None finds them.

    Returns:
      Batches of `clips` [B, T, H, W, 3] uint8, `rows` [B] int64, `labels` [B] int64, -1
      where a video has none, `positions` [B] int64, rising, and `skipped` [B] int64,
      bad records that were left out right before a clip.

    Raises:
      ValueError: there is no training video, or a shard is missing or cut.
    """
    recipe = _recipe_of(data, recipe)
    source = ClipSource(data, manifest, TRAIN_SPLIT, portable=bool(data.data_service))
    instances = instances or views.from_data(data, manifest)
    place_of_id = {video.id: place for place, video in enumerate(source.videos)}
    places = np.array([place_of_id[video.id] for video in instances.videos], np.int64)
    num_videos = len(places)
    places_tensor = tf.constant(places)
    first_rows = tf.constant(instances.first_rows)
    num_bins = tf.constant(instances.num_bins)

    def order_of(epoch: tf.Tensor) -> tf.Tensor:
        members = tf.range(num_videos, dtype=tf.int64)
        return tf.random.experimental.stateless_shuffle(
            members, _seed(seed, epoch, _ORDER)
        )

    def sample(position: tf.Tensor, member: tf.Tensor) -> Element:
        epoch = position // num_videos
        video = places_tensor[member]
        row, first = first_rows[member], tf.constant(0)
        num_frames = source.facts["frames"][video]
        if instances.bin_frames:
            bin_seed = _seed(seed, source.facts["id"][video], _BINS)
            number = _bin_of_epoch(num_bins[member], epoch, bin_seed)
            row += number
            first, num_frames = sampling.bin_range(
                num_frames, number, instances.bin_frames
            )
        clip_seed = _seed(seed, position, _CLIP)
        indices = first + sampling.training_clip(recipe, num_frames, clip_seed)
        return {
            "video": video,
            "indices": indices[:1] if recipe.static else indices,
            "row": row,
            "position": position,
        }

    def window(sample: Element) -> tf.Tensor:
        clip_seed = _seed(seed, sample["position"], _AUGMENTATION)
        size = source.size(sample)
        return augmentations.window_for_training(*size, clip_seed, data.crop)

    def augment(sample: Element) -> Element:
        video = sample["video"]
        clip = augmentations.augment_for_training(
            sample["frames"],
            *source.size(sample),
            recipe.crop_size,
            _seed(seed, sample["position"], _AUGMENTATION),
            crop=data.crop,
            color=data.color,
            portable=source.portable,
        )
        if recipe.static:
            clip = tf.repeat(clip, recipe.num_frames, axis=0)
        return {
            "clips": clip,
            "rows": sample["row"],
            "labels": source.facts["label"][video],
            "positions": sample["position"],
        }

    def of_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        first = epoch * num_videos
        places_in_order = tf.range(first, first + num_videos)
        members = tf.data.Dataset.from_tensor_slices((places_in_order, order_of(epoch)))
        return members.skip(tf.maximum(start_position - first, 0))

    def of_step(step: tf.Tensor) -> tf.data.Dataset:
        wanted = tf.range(step * batch_size, (step + 1) * batch_size)
        epochs = tf.range(wanted[0] // num_videos, wanted[-1] // num_videos + 1)
        orders = tf.map_fn(order_of, epochs)  # [epochs, V]
        at = tf.stack([wanted // num_videos - epochs[0], wanted % num_videos], axis=1)
        return tf.data.Dataset.from_tensor_slices((wanted, tf.gather_nd(orders, at)))

    if data.data_service:
        # A worker is given whole steps, of which it makes the batch of a local run.
        steps = tf.data.Dataset.range(start_position // batch_size, _MAX)
        positions = steps.flat_map(of_step)
    else:
        epochs = tf.data.Dataset.range(start_position // num_videos, _MAX)
        positions = part.of(epochs.flat_map(of_epoch))
    # Within a worker the order is kept: a batch is then that of its step.
    keeps_order = data.deterministic or bool(data.data_service)
    work = ClipWork(sample, window, augment, recipe.crop_size)
    clips = source.clips(positions, work, keeps_order)
    batches = clips.batch(batch_size, drop_remainder=True)
    if data.data_service:
        batches = data_service.distribute(batches, data.data_service)

    def sample_at(position: tf.Tensor) -> Element:
        epoch, place = position // num_videos, position % num_videos
        return sample(position, order_of(epoch)[place])

    return Clips(
        batches.prefetch(tf.data.AUTOTUNE).with_options(source.options()),
        source,
        work,
        positions,
        sample_at,
    )


def evaluation_clips(
    data: DataConfig,
    manifest: Manifest,
    split: str,
    recipe: ClipRecipe,
    *,
    num_clips: int | None,
    frames_per_batch: int = 128,
    part: ClipShard = ALL_CLIPS,
) -> Clips:
    """One pass over a split: clips resized and center cropped, nothing random.

    Args:
      data: where the shards are, and what to do with bad records.
      manifest: of `data.data_dir`.
      split: of the videos.
      recipe: of the clips.
      num_clips: equally spaced ones per video; None for all that follow each other
        without overlap, as many as fit.
      frames_per_batch: decides how many videos a batch has, at least one; the last
        may be smaller.
      part: of the clips, where workers share them.

    Returns:
      Batches of `clips` [B, num_clips, T, H, W, 3] uint8 and `rows` [B] int64, the
      positions of the videos in `manifest.split(split)`.  For clips that follow each
      other num_clips is 1, and a row comes as often as its video has clips.

    Raises:
      ValueError: there is no video in the split, or a shard is missing or cut.
    """
    recipe = _recipe_of(data, recipe)
    source = ClipSource(data, manifest, split)
    clips_per_element = num_clips or 1
    num_frames = clips_per_element * recipe.num_frames
    batch_size = max(1, frames_per_batch // num_frames)
    distinct = 1 if recipe.static else recipe.num_frames

    def sample(video: tf.Tensor, clip: tf.Tensor) -> Element:
        length = source.facts["frames"][video]
        if num_clips is None:
            indices = sampling.consecutive_clips(recipe, length)[clip][None]
        else:
            indices = sampling.evaluation_clips(recipe, length, num_clips)
        flat = tf.reshape(indices[:, :distinct], [clips_per_element * distinct])
        return {"video": video, "indices": flat}

    def transform(sample: Element) -> Element:
        video = sample["video"]
        clips = augmentations.transform_for_test(
            sample["frames"], *source.size(sample), recipe.crop_size
        )
        size = recipe.crop_size
        clips = tf.reshape(clips, [clips_per_element, distinct, size, size, 3])
        if recipe.static:
            clips = tf.repeat(clips, recipe.num_frames, axis=1)
        return {"clips": clips, "rows": video}

    def positions_of(video: tf.Tensor) -> tf.data.Dataset:
        count = 1
        if num_clips is None:
            length = source.facts["frames"][video]
            count = tf.shape(sampling.consecutive_clips(recipe, length))[0]
        numbers = tf.data.Dataset.range(tf.cast(count, tf.int64))
        return numbers.map(lambda clip: (video, clip))

    videos = tf.data.Dataset.range(len(source.videos))
    positions = part.of(videos.flat_map(positions_of))
    work = ClipWork(
        sample,
        lambda sample: crops.center(*source.size(sample)),
        transform,
        recipe.crop_size,
    )
    clips = source.clips(positions, work, keeps_order=True)
    return Clips(
        clips.batch(batch_size)
        .prefetch(tf.data.AUTOTUNE)
        .with_options(source.options()),
        source,
        work,
        positions,
        sample_at=lambda video: sample(video, tf.constant(0)),
    )


def _recipe_of(data: DataConfig, recipe: ClipRecipe) -> ClipRecipe:
    return dataclasses.replace(recipe, static=recipe.static or data.static_video)


def _bin_of_epoch(num_bins: tf.Tensor, epoch: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Which bin a video shows: all of them in every `num_bins` epochs, in random order.

    Args:
      num_bins: scalar int64.
      epoch: scalar int64.
      seed: [2] of the video.

    Returns:
      Scalar int64 in 0 .. num_bins - 1.
    """
    round_seed = tf.random.experimental.stateless_fold_in(seed, epoch // num_bins)
    order = tf.random.experimental.stateless_shuffle(tf.range(num_bins), round_seed)
    return order[epoch % num_bins]


def _seed(seed: int, key: tf.Tensor, purpose: int) -> tf.Tensor:
    """Seeds one random choice: [2] int64, another for every key and purpose."""
    return tf.stack([tf.constant(seed, tf.int64), key * _NUM_PURPOSES + purpose])
