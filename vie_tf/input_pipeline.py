"""Shards -> batches of clips.

Glossary: a *record* is one video, a *clip* T frames of it, a *row* the position of
its video among the training videos, which is its row in the memory bank; where videos
are cut into bins, every bin has a row.  An *epoch* takes one clip of every video.

Training, in this order (`training_batches`):

  order     the shards of an epoch are shuffled, then read side by side
  parse     a serialised record becomes JPEG strings and facts
  sample    T of the JPEG strings are kept, the rest is dropped undecoded
  view      videos that are not of the view are dropped (`vie_tf.views`)
  shuffle   sampled clips, within windows
  decode    only the window that becomes the crop, then resize
  augment   one draw per clip
  batch     epochs run into each other, so no video is dropped at an epoch's end

Every random choice is a function of (seed, epoch, video), and the position in the
data a function of the step.  So a run that is started again at step s reads exactly
what the run that was never stopped would have read.
"""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from vie_tf import augmentations, clip_sampling, records, views

_PARALLEL_SHARDS = 8  # read side by side; more only costs memory (16 videos each)
_MAX_EPOCHS = 2**31 - 1


def training_batches(
    data_dir: str,
    manifest: records.Manifest,
    recipe: clip_sampling.ClipRecipe,
    *,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    shuffle_buffer: int = 1024,
    color_noise: bool = True,
    instances: views.Instances | None = None,
) -> tf.data.Dataset:
    """Endless batches of augmented clips, every video once per epoch.

    A video of several bins shows another one in every epoch, until all were shown.

    Args:
      data_dir: folder of the shards.
      manifest: of `data_dir`.
      recipe: of the clips.
      batch_size: B, over all replicas.
      seed: of order, clips and augmentation.
      start_step: batches that were consumed before.
      shuffle_buffer: clips of a window that is shuffled.
      color_noise: whether colour noise is a part of the augmentation.
      instances: what is an instance; None for every training video.

    Returns:
      A dataset of `clips` [B, T, H, W, 3] uint8, `rows` [B] int64 and `labels` [B]
      int64, -1 where a video has none.

    Raises:
      ValueError: there is no training video, or a shard is missing.
    """
    instances = instances or views.instances_of(manifest)
    videos = instances.videos
    shards = tf.constant(_shard_paths(data_dir, manifest, records.TRAIN_SPLIT))
    highest_id = max(video.id for video in manifest.videos)
    row_of_id = tf.constant(_by_id(videos, instances.first_rows, highest_id))
    bins_of_id = tf.constant(_by_id(videos, instances.num_bins, highest_id))
    start_epoch, videos_to_skip = divmod(start_step * batch_size, len(videos))

    def sample(record: tf.Tensor, epoch: tf.Tensor) -> dict[str, tf.Tensor]:
        video = records.parse(record)
        clip_seed = _seed(seed, epoch, video["id"])
        first_row = row_of_id[video["id"]]
        num_bins = tf.maximum(bins_of_id[video["id"]], 1)
        number = _bin_of_epoch(num_bins, epoch, _seed(seed, video["id"]))
        first, num_frames = clip_sampling.bin_range(
            tf.size(video["frames"]), number, instances.bin_frames
        )
        indices = first + clip_sampling.training_clip(recipe, num_frames, clip_seed)
        return {
            "frames": tf.gather(video["frames"], indices),
            "height": tf.cast(video["height"], tf.int32),
            "width": tf.cast(video["width"], tf.int32),
            "row": tf.where(first_row < 0, first_row, first_row + number),
            "label": video["label"],
            "seed": clip_seed + 1,
        }

    def epoch_of_samples(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(shards, _seed(seed, epoch))
        samples = (
            tf.data.Dataset.from_tensor_slices(order)
            .interleave(
                tf.data.TFRecordDataset,
                cycle_length=_PARALLEL_SHARDS,
                num_parallel_calls=_PARALLEL_SHARDS,
            )
            .map(
                lambda record: sample(record, epoch),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
            # After sampling: whole records between two steps would cost memory.
            .filter(lambda sample: sample["row"] >= 0)
            .batch(shuffle_buffer)
            .map(_shuffle_window)
            .unbatch()
        )
        # Skipped undecoded: what a run that is started again pays is reading.
        skipped = tf.cast(epoch == start_epoch, tf.int64) * videos_to_skip
        return samples.skip(skipped)

    def augment(sample: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        clip = augmentations.augment_for_training(
            sample["frames"],
            sample["height"],
            sample["width"],
            recipe.crop_size,
            recipe.num_frames,
            sample["seed"],
            color_noise,
        )
        return {"clips": clip, "rows": sample["row"], "labels": sample["label"]}

    return (
        tf.data.Dataset.range(start_epoch, _MAX_EPOCHS)
        .flat_map(epoch_of_samples)
        .map(augment, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(batch_size, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
        .with_options(_options())
    )


def test_batches(
    data_dir: str,
    manifest: records.Manifest,
    split: str,
    recipe: clip_sampling.ClipRecipe,
    *,
    num_clips: int,
    frames_per_batch: int = 128,
) -> tf.data.Dataset:
    """One pass over a split: equally spaced clips, resized and centre cropped.

    Args:
      data_dir: folder of the shards.
      manifest: of `data_dir`.
      split: `train` or `val`.
      recipe: of the clips.
      num_clips: per video.
      frames_per_batch: decides how many videos a batch has, at least one; the last
        may be smaller.

    Returns:
      A dataset of `clips` [B, num_clips, T, H, W, 3] uint8 and `rows` [B] int64, the
      positions of the videos in `manifest.split(split)`.
    """
    paths = _shard_paths(data_dir, manifest, split)
    videos = manifest.split(split)
    highest_id = max(video.id for video in videos)
    row_of_id = tf.constant(_by_id(videos, np.arange(len(videos)), highest_id))
    batch_size = max(1, frames_per_batch // (num_clips * recipe.num_frames))

    def sample_and_transform(record: tf.Tensor) -> dict[str, tf.Tensor]:
        video = records.parse(record)
        indices = clip_sampling.test_clips(recipe, tf.size(video["frames"]), num_clips)
        num_frames = num_clips * recipe.num_frames
        frames = tf.gather(video["frames"], tf.reshape(indices, [num_frames]))
        clips = augmentations.transform_for_test(
            frames,
            tf.cast(video["height"], tf.int32),
            tf.cast(video["width"], tf.int32),
            recipe.crop_size,
            num_frames,
        )
        size = recipe.crop_size
        shape = [num_clips, recipe.num_frames, size, size, 3]
        return {"clips": tf.reshape(clips, shape), "rows": row_of_id[video["id"]]}

    return (
        tf.data.TFRecordDataset(paths)
        .map(sample_and_transform, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(batch_size)
        .prefetch(tf.data.AUTOTUNE)
        .with_options(_options())
    )


def _shuffle_window(samples: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Permutes a window of samples.

    `Dataset.shuffle` would hold as many samples, but its order depends on the global
    seed, and it refuses a seed that changes from epoch to epoch.
    """
    positions = tf.range(tf.shape(samples["seed"])[0])
    # The seed of the first sample is another one in every window of every epoch.
    order = tf.random.experimental.stateless_shuffle(positions, samples["seed"][0])
    return {name: tf.gather(values, order) for name, values in samples.items()}


def _shard_paths(data_dir: str, manifest: records.Manifest, split: str) -> list[str]:
    """Paths of the shards of a split; raises ValueError where one is missing."""
    paths = [
        os.path.join(data_dir, shard.name)
        for shard in manifest.shards
        if shard.split == split and shard.videos > 0
    ]
    if not paths:
        raise ValueError(f"There is no {split} video in {data_dir!r}.")
    for path in paths:
        if not tf.io.gfile.exists(path):
            raise ValueError(
                f"The shard {path} is missing, although the manifest names it. Run the"
                " command that converted the videos again: it makes what is missing."
            )
    return paths


def _by_id(
    videos: tuple[records.VideoEntry, ...], values: np.ndarray, highest_id: int
) -> np.ndarray:
    """Values of videos by their ids, which have gaps; [highest id + 1], -1 in gaps."""
    by_id = np.full(highest_id + 1, -1, np.int64)
    by_id[[video.id for video in videos]] = values
    return by_id


def _bin_of_epoch(num_bins: tf.Tensor, epoch: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Which bin a video shows: all of them in every `num_bins` epochs, in random order.

    Args:
      num_bins: scalar int64.
      epoch: scalar int64.
      seed: [2] of the video.

    Returns:
      Scalar int64 in 0 .. num_bins - 1.
    """
    order = tf.random.experimental.stateless_shuffle(
        tf.range(num_bins),
        tf.random.experimental.stateless_fold_in(seed, epoch // num_bins),
    )
    return order[epoch % num_bins]


def _seed(seed: int, *keys: tf.Tensor) -> tf.Tensor:
    """Folds keys into a seed; [2] int64, another for every combination of keys."""
    folded = tf.constant([seed, 0], tf.int64)
    for key in keys:
        folded = tf.random.experimental.stateless_fold_in(folded, key)
    return folded


def _options() -> tf.data.Options:
    options = tf.data.Options()
    # Each replica takes its part of the global batch; files are not divided.
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.OFF
    )
    options.deterministic = True
    return options
