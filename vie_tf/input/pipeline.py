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

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig
from vie_tf.input import augmentations, crops, data_service, sampling
from vie_tf.input.clip_order import (
    ALL_CLIPS,
    ClipOrder,
    ClipShard,
    Purpose,
    random_seed,
)
from vie_tf.input.clip_recipe import ClipRecipe, with_static
from vie_tf.input.clip_source import ClipSource, Element
from vie_tf.input.clips import ClipMaker, Clips
from vie_tf.input.instances import Instances
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
      bad records that were left out right before a clip.

    Raises:
      UserError: there is no training video, or a shard is missing or cut.
    """
    source = ClipSource(data, manifest, TRAIN_SPLIT, portable=bool(data.data_service))
    instances = instances or Instances.from_config(data, manifest)
    order = ClipOrder(len(instances.videos), seed)
    maker = TrainingClipMaker(
        source, instances, order, data, with_static(recipe, data.static_video)
    )
    if data.data_service:
        positions = order.positions_by_step(start_position, batch_size)
    else:
        positions = shard.select(order.positions(start_position))

    def batch(clips: tf.data.Dataset) -> tf.data.Dataset:
        batches = clips.batch(batch_size, drop_remainder=True)
        if data.data_service:
            return data_service.distribute(batches, data.data_service)
        return batches

    # Within a worker of the service the order is kept: a batch is that of its step.
    keeps_order = data.deterministic or bool(data.data_service)
    return Clips(maker, positions, batch, keeps_order)


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


class TrainingClipMaker(ClipMaker):
    """Makes one augmented clip of a position.

    Args:
      source: videos of the training split.
      instances: instances of the run.
      order: order in which the run reads them.
      data: how clips are augmented.
      recipe: frames and size of the clips.
    """

    def __init__(
        self,
        source: ClipSource,
        instances: Instances,
        order: ClipOrder,
        data: DataConfig,
        recipe: ClipRecipe,
    ) -> None:
        self.source, self.crop_size = source, recipe.crop_size
        self.input = recipe.input
        self._order, self._data, self._recipe = order, data, recipe
        self._bin_frames = instances.bin_frames
        number_of_id = {video.id: number for number, video in enumerate(source.videos)}
        videos = [number_of_id[video.id] for video in instances.videos]
        # Of each video of an epoch, [V] int64:
        self._videos = tf.constant(np.array(videos, np.int64))
        self._first_rows = tf.constant(instances.first_rows)
        self._num_bins = tf.constant(instances.num_bins)

    def element_at(self, position: tf.Tensor) -> Element:
        """Returns the element of `ClipOrder.positions` at a position."""
        return {"position": position, "video": self._order.video_at(position)}

    def sample(self, element: Element) -> Element:
        """Chooses the frames of the clip of a position."""
        position, member = element["position"], element["video"]
        video = self._videos[member]
        metadata = self.source.metadata
        row, first = self._first_rows[member], tf.constant(0)
        num_frames = metadata["frames"][video]
        if self._bin_frames:
            number = self._order.bin_at(
                position, metadata["id"][video], self._num_bins[member]
            )
            row += number
            first, num_frames = sampling.bin_range(num_frames, number, self._bin_frames)
        clip_seed = self._seed(position, Purpose.CLIP)
        indices = sampling.training_clip(self._recipe, num_frames, clip_seed)
        if self._recipe.static:
            indices = indices[:1]
        indices = sampling.with_later_frames(self._recipe, indices, num_frames)
        return {
            "video": video,
            "indices": first + indices,
            "row": row,
            "position": position,
        }

    def window(self, sample: Element) -> tf.Tensor:
        """Draws the window of a sample's crop, [4] int32."""
        seed = self._seed(sample["position"], Purpose.AUGMENTATION)
        size = self.source.size(sample)
        return augmentations.window_for_training(
            *size, seed, self._data.crop, self._data.min_crop_area
        )

    def finish(self, sample: Element) -> Element:
        """Decodes and augments the frames of a sample."""
        clip = augmentations.augment_for_training(
            sample["frames"],
            *self.source.size(sample),
            self.crop_size,
            self._seed(sample["position"], Purpose.AUGMENTATION),
            crop=self._data.crop,
            min_crop_area=self._data.min_crop_area,
            color=self._data.color,
            gray_probability=self._data.gray_probability,
            gray_first=self._data.gray_first,
            input=self.input,
            portable=self.source.portable,
        )
        if self._recipe.static:
            clip = tf.repeat(clip, self._recipe.num_frames, axis=0)
        return {
            "clips": clip,
            "rows": sample["row"],
            "labels": self.source.metadata["label"][sample["video"]],
            "positions": sample["position"],
        }

    def _seed(self, position: tf.Tensor, purpose: Purpose) -> tf.Tensor:
        return random_seed(self._order.seed, position, purpose)


class EvaluationClipMaker(ClipMaker):
    """Makes the clips of a video at fixed places.

    Args:
      source: videos of the split.
      recipe: frames and size of the clips.
      num_clips: equally spaced clips of each video; None for consecutive ones.
      crop: crop of the training, a key of `crops.TEST_WINDOWS`.

    Attributes:
      clips_per_element: clips that come together, 1 for consecutive ones.
    """

    def __init__(
        self, source: ClipSource, recipe: ClipRecipe, num_clips: int | None, crop: str
    ) -> None:
        self.source, self.crop_size = source, recipe.crop_size
        self.input = recipe.input
        self.clips_per_element = num_clips or 1
        self._recipe, self._num_clips, self._crop = recipe, num_clips, crop
        self._distinct_frames = 1 if recipe.static else recipe.num_frames

    def positions(self) -> tf.data.Dataset:
        """Returns elements `video` and `clip`, the number of a clip of it."""

        def of_video(video: tf.Tensor) -> tf.data.Dataset:
            count = 1
            if self._num_clips is None:
                length = self.source.metadata["frames"][video]
                clips = sampling.consecutive_clips(self._recipe, length)
                count = tf.shape(clips)[0]
            numbers = tf.data.Dataset.range(tf.cast(count, tf.int64))
            return numbers.map(lambda number: {"video": video, "clip": number})

        return tf.data.Dataset.range(len(self.source.videos)).flat_map(of_video)

    def element_at(self, position: tf.Tensor) -> Element:
        """Returns the element of the first clips of a video, scalar int64."""
        return {"video": position, "clip": tf.constant(0)}

    def sample(self, element: Element) -> Element:
        """Chooses the frames of the equally spaced clips, or of a consecutive one."""
        video = element["video"]
        length = self.source.metadata["frames"][video]
        if self._num_clips is None:
            indices = sampling.consecutive_clips(self._recipe, length)
            indices = indices[element["clip"]][None]
        else:
            indices = sampling.evaluation_clips(self._recipe, length, self._num_clips)
        num_frames = self.clips_per_element * self._distinct_frames
        flat = tf.reshape(indices[:, : self._distinct_frames], [num_frames])
        frames = sampling.with_later_frames(self._recipe, flat, length)
        return {"video": video, "indices": frames}

    def window(self, sample: Element) -> tf.Tensor:
        """Returns the window of the center crop, [4] int32."""
        return crops.TEST_WINDOWS[self._crop](*self.source.size(sample))

    def finish(self, sample: Element) -> Element:
        """Decodes the frames of a sample and crops their center."""
        clips = augmentations.transform_for_test(
            sample["frames"],
            *self.source.size(sample),
            self.crop_size,
            self._crop,
            self.input,
        )
        shape = [self.clips_per_element, self._distinct_frames, *clips.shape[1:]]
        clips = tf.reshape(clips, shape)
        if self._recipe.static:
            clips = tf.repeat(clips, self._recipe.num_frames, axis=1)
        return {"clips": clips, "rows": sample["video"]}
