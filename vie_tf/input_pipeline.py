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
  augment   resize, colour, flip: one draw per clip
  batch     epochs run into each other, so no video is dropped at an epoch's end

Everything random is a function of the seed and the position.  So a run that is started
again at a position reads exactly what the run that was never stopped would have read,
at no cost, and the workers of a tf.data service (`input_service`) need not agree on
anything.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Iterator

import numpy as np
import tensorflow as tf

from vie_tf import (
    augmentations,
    clip_sampling,
    frame_index,
    frame_reader,
    input_service,
    records,
    remote_files,
    shard_cache,
    views,
)
from vie_tf.clip_sampling import ClipRecipe
from vie_tf.config import DataConfig

_MAX = 2**40  # epochs or steps: without end
# What is random, each with numbers of its own.
_ORDER, _BINS, _CLIP, _AUGMENTATION = range(4)
_NUM_PURPOSES = 8
_PARALLEL_REMOTE_READS = 32  # a store answers slowly, but many at a time

Element = dict[str, tf.Tensor]


class BadRecord(ValueError):
    """A video that cannot be read although it is in the data set."""


@dataclasses.dataclass(frozen=True)
class Clips:
    """Batches of clips, and how to find out which clip has failed.

    Attributes:
      dataset: of the batches.
      explain: takes a position and a number of clips from there, and says what is wrong
        with the first of them that fails; None where none does.
    """

    dataset: tf.data.Dataset
    explain: Callable[[int, int], str | None]

    def __iter__(self) -> Iterator[Element]:
        """Iterates; raises BadRecord where a clip fails."""
        position = 0
        batches = iter(self.dataset)
        while True:
            try:
                batch = next(batches)
            except StopIteration:
                return
            except tf.errors.OpError as error:
                raise self.error(error, position, 2**20) from error
            position += int(tf.shape(batch["rows"])[0])
            yield batch

    def error(self, error: Exception, position: int, num_clips: int) -> Exception:
        """What to raise in place of an error of the dataset.

        Args:
          error: that was raised.
          position: of the first clip that can be the reason.
          num_clips: that can.
        """
        reason = self.explain(position, num_clips)
        if reason is None:
            return error
        return BadRecord(
            f"{reason}. Convert that video again (python -m data_prep.describe"
            " --verify checks all), or train without it: --on_bad_record=skip."
        )


def training_clips(
    data: DataConfig,
    manifest: records.Manifest,
    recipe: ClipRecipe,
    *,
    batch_size: int,
    seed: int,
    start_position: int = 0,
) -> Clips:
    """Endless batches of augmented clips, every video once per epoch.

    A video of several bins shows another one in every epoch, until all were shown.

    Args:
      data: where the shards are, and how clips are read and augmented.
      manifest: of `data.data_dir`.
      recipe: of the clips.
      batch_size: B, over all replicas.
      seed: of order, clips and augmentation.
      start_position: of the first clip.

    Returns:
      Batches of `clips` [B, T, H, W, 3] uint8, `rows` [B] int64, `labels` [B] int64, -1
      where a video has none, `positions` [B] int64, rising, and `skipped` [B] int64,
      bad records that were left out right before a clip.

    Raises:
      ValueError: there is no training video, or a shard is missing or cut.
    """
    skips = data.on_bad_record == "skip"
    split = records.TRAIN_SPLIT
    index = frame_index.load(data.data_dir, manifest, split, allow_faults=skips)
    _report_faults(index)
    instances = views.of_data(data, manifest)
    source = _Source(data, manifest, index, split, portable=bool(data.data_service))
    place_of_id = {video.id: place for place, video in enumerate(index.videos)}
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
            first, num_frames = clip_sampling.bin_range(
                num_frames, number, instances.bin_frames
            )
        clip_seed = _seed(seed, position, _CLIP)
        indices = first + clip_sampling.training_clip(recipe, num_frames, clip_seed)
        return {
            "video": video,
            "indices": indices[:1] if recipe.static else indices,
            "row": row,
            "position": position,
        }

    def augment(sample: Element) -> Element:
        video = sample["video"]
        clip = augmentations.augment_for_training(
            sample["frames"],
            source.facts["height"][video],
            source.facts["width"][video],
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
        positions = epochs.flat_map(of_epoch)
    # Within a worker the order is kept: a batch is then that of its step.
    keeps_order = data.deterministic or bool(data.data_service)
    clips = source.clips(
        positions, sample, augment, skips=skips, deterministic=keeps_order
    )
    batches = clips.batch(batch_size, drop_remainder=True)
    if data.data_service:
        batches = input_service.distribute(batches, data.data_service)
    return Clips(
        batches.prefetch(tf.data.AUTOTUNE).with_options(source.options(data)),
        lambda position, count: source.explain(
            lambda position: sample(
                position, order_of(position // num_videos)[position % num_videos]
            ),
            augment,
            range(position, position + count),
        ),
    )


def test_clips(
    data: DataConfig,
    manifest: records.Manifest,
    split: str,
    recipe: ClipRecipe,
    *,
    num_clips: int | None,
    frames_per_batch: int = 128,
) -> Clips:
    """One pass over a split: clips resized and centre cropped, nothing random.

    Args:
      data: where the shards are, and what to do with bad records.
      manifest: of `data.data_dir`.
      split: of the videos.
      recipe: of the clips.
      num_clips: equally spaced ones per video; None for all that follow each other
        without overlap, as many as fit.
      frames_per_batch: decides how many videos a batch has, at least one; the last
        may be smaller.

    Returns:
      Batches of `clips` [B, num_clips, T, H, W, 3] uint8 and `rows` [B] int64, the
      positions of the videos in `manifest.split(split)`.  For clips that follow each
      other num_clips is 1, and a row comes as often as its video has clips.

    Raises:
      ValueError: there is no video in the split, or a shard is missing or cut.
    """
    skips = data.on_bad_record == "skip"
    index = frame_index.load(data.data_dir, manifest, split, allow_faults=skips)
    source = _Source(data, manifest, index, split, portable=False)
    clips_per_element = num_clips or 1
    num_frames = clips_per_element * recipe.num_frames
    batch_size = max(1, frames_per_batch // num_frames)
    distinct = 1 if recipe.static else recipe.num_frames

    def sample(video: tf.Tensor, clip: tf.Tensor) -> Element:
        length = source.facts["frames"][video]
        if num_clips is None:
            indices = clip_sampling.consecutive_clips(recipe, length)[clip][None]
        else:
            indices = clip_sampling.test_clips(recipe, length, num_clips)
        flat = tf.reshape(indices[:, :distinct], [clips_per_element * distinct])
        return {"video": video, "indices": flat}

    def transform(sample: Element) -> Element:
        video = sample["video"]
        clips = augmentations.transform_for_test(
            sample["frames"],
            source.facts["height"][video],
            source.facts["width"][video],
            recipe.crop_size,
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
            count = tf.shape(clip_sampling.consecutive_clips(recipe, length))[0]
        numbers = tf.data.Dataset.range(tf.cast(count, tf.int64))
        return numbers.map(lambda clip: (video, clip))

    positions = tf.data.Dataset.range(len(index.videos)).flat_map(positions_of)
    clips = source.clips(positions, sample, transform, skips=skips, deterministic=True)
    return Clips(
        clips.batch(batch_size)
        .prefetch(tf.data.AUTOTUNE)
        .with_options(source.options(data)),
        lambda position, count: source.explain(
            lambda video: sample(video, tf.constant(0)),
            transform,
            range(0, len(index.videos)),
        ),
    )


class _Source:
    """Videos of a split: their facts as tensors, and their frames.

    Attributes:
      facts: `id`, `label` int64; `frames`, `height`, `width` int32; [V] each.
      portable: whether everything is done without Python.
    """

    def __init__(
        self,
        data: DataConfig,
        manifest: records.Manifest,
        index: frame_index.FrameIndex,
        split: str,
        portable: bool,
    ) -> None:
        types = {"id": tf.int64, "label": tf.int64}
        self.facts = {
            name: tf.constant(
                [getattr(video, name) for video in index.videos],
                types.get(name, tf.int32),
            )
            for name in ("id", "label", "frames", "height", "width")
        }
        self.portable = portable
        self._index = index
        self._is_remote = remote_files.is_remote(data.data_dir)
        local_path = None
        if data.cache_dir:
            cache = shard_cache.ShardCache(
                data.cache_dir, data.data_dir, manifest, split
            )
            local_path = cache.path
        self._reader = frame_reader.FrameReader(index, local_path)

    def read(self, sample: Element) -> Element:
        """Puts `frames`, JPEG strings, and `problem` into a sample."""
        video, indices = sample["video"], sample["indices"]
        if self.portable:
            frames, problem = frame_reader.read_record(self._index, video, indices)
        else:
            frames, problem = self._reader(video, indices)
        return {**sample, "frames": frames, "problem": problem}

    def clips(
        self,
        positions: tf.data.Dataset,
        sample: Callable[..., Element],
        finish: Callable[[Element], Element],
        *,
        skips: bool,
        deterministic: bool,
    ) -> tf.data.Dataset:
        """Positions -> sampled, read, decoded and transformed clips.

        Args:
          positions: whatever `sample` takes.
          sample: says which frames, of which video.
          finish: decodes and transforms what was read.
          skips: whether bad records are left out and counted, or raise.
          deterministic: whether the order is kept.
        """

        def sample_and_read(*position: tf.Tensor) -> Element:
            return self.read(sample(*position))

        parallel = _PARALLEL_REMOTE_READS if self._is_remote else tf.data.AUTOTUNE
        read = positions.map(
            sample_and_read, num_parallel_calls=parallel, deterministic=deterministic
        )
        finish_or_fail = self._finish_or_skip if skips else self._finish_or_fail
        clips = read.map(
            finish_or_fail(finish),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=deterministic,
        )
        return self._without_bad(clips) if skips else clips

    def _finish_or_fail(self, finish: Callable) -> Callable[[Element], Element]:
        def finish_clip(sample: Element) -> Element:
            problem = sample.pop("problem")
            fine = tf.debugging.Assert(tf.equal(problem, ""), [problem])
            with tf.control_dependencies([fine]):
                frames = tf.identity(sample["frames"])
            finished = finish({**sample, "frames": frames})
            return {**finished, "skipped": tf.constant(0, tf.int64)}

        return finish_clip

    def _finish_or_skip(self, finish: Callable) -> Callable[[Element], Element]:
        def finish_clip(sample: Element) -> Element:
            one = tf.data.Dataset.from_tensors(sample)
            good = one.map(
                lambda sample: (finish(sample), sample["video"], tf.constant(True))
            )
            nothing = tf.nest.map_structure(
                lambda spec: tf.zeros(spec.shape, spec.dtype), good.element_spec[0]
            )
            bad = one.map(lambda sample: (nothing, sample["video"], tf.constant(False)))
            # An error becomes a value: the first element is the clip, if there is one.
            tried = good.apply(tf.data.Dataset.ignore_errors)
            finished, video, is_good = (
                tried.concatenate(bad).take(1).get_single_element()
            )
            return {**finished, "video": video, "is_good": is_good}

        return finish_clip

    def _without_bad(self, clips: tf.data.Dataset) -> tf.data.Dataset:
        def count(skipped: tf.Tensor, clip: Element) -> tuple[tf.Tensor, Element]:
            is_good = clip["is_good"]
            waiting = tf.where(is_good, tf.constant(0, tf.int64), skipped + 1)
            return waiting, {**clip, "skipped": skipped}

        def is_good(clip: Element) -> tf.Tensor:
            return clip["is_good"]

        def without_marks(clip: Element) -> Element:
            del clip["video"], clip["is_good"]
            return clip

        counted = clips.scan(tf.constant(0, tf.int64), count)
        return counted.filter(is_good).map(without_marks)

    def explain(
        self,
        sample: Callable[[tf.Tensor], Element],
        finish: Callable[[Element], Element],
        positions: range,
    ) -> str | None:
        """What is wrong with the first clip that fails; None where none does."""
        for position in positions:
            read = self.read(sample(tf.constant(position, tf.int64)))
            problem = read.pop("problem").numpy().decode()
            if not problem:
                try:
                    finish(read)
                    continue
                except tf.errors.OpError:
                    problem = "a frame is no whole JPEG image"
            return f"{self._name(int(read['video']))}: {problem}"
        return None

    def _name(self, number: int) -> str:
        video = self._index.videos[number]
        path = self._index.paths[self._index.shards[number]]
        return f"Video {video.id} ({video.source}) in {path} cannot be read"

    def options(self, data: DataConfig) -> tf.data.Options:
        """Options of the whole dataset."""
        options = tf.data.Options()
        # Each replica takes its part of the global batch; files are not divided.
        options.experimental_distribute.auto_shard_policy = (
            tf.data.experimental.AutoShardPolicy.OFF
        )
        options.deterministic = data.deterministic
        if self._is_remote:
            options.threading.private_threadpool_size = _PARALLEL_REMOTE_READS
        return options


def _report_faults(index: frame_index.FrameIndex) -> None:
    for path, fault in index.faults.items():
        print(f"The shard {path} {fault}; what cannot be read of it is skipped.")


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
