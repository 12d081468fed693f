"""The steps from a position to a clip, in training and in evaluation.

Sampling chooses frames and a window, which `Clips` reads; then they are decoded and
transformed.

Letters: T frames, S height and width, C channels of a clip; V videos.
"""

from __future__ import annotations

import abc
from typing import Any

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig
from vie_tf.input import clip_blocks, fixed_clips, later_frames, sampling
from vie_tf.input.augmentation import augmentations, crops
from vie_tf.input.clip_order import ClipOrder, Purpose, random_seed
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.clip_source import ClipSource, Element
from vie_tf.input.instances import Instances, bin_range


class ClipMaker(abc.ABC):
    """The steps from a position to a clip; training and evaluation have one each.

    Attributes:
      source: videos that the clips are taken from.
      recipe: frames, size and channels of the clips.
      clips_per_element: clips that are made together.
    """

    source: ClipSource
    recipe: ClipRecipe
    clips_per_element: int = 1

    @abc.abstractmethod
    def element_at(self, position: tf.Tensor) -> Element:
        """Returns the element of the dataset of positions at a scalar int64."""

    @abc.abstractmethod
    def sample(self, element: Element) -> Element:
        """Chooses frames: `video`, an index into the split, and `indices` [T]."""

    def choose(self, sample: Element) -> Element:
        """Chooses among the frames that were read; by default all are taken."""
        return sample

    @abc.abstractmethod
    def window(self, sample: Element) -> tf.Tensor:
        """Returns the window of a sample's crop, [4] int32."""

    def decode(self, sample: Element) -> list[tf.Tensor]:
        """Decodes the windows of the `frames` of a sample."""
        return augmentations.decode_window(
            sample["frames"],
            self.window(sample),
            self.recipe.crop_size,
            self.recipe.input,
            self._repeats(sample),
        )

    def _repeats(self, sample: Element) -> later_frames.Repeats | None:
        count = self.clips_per_element
        return later_frames.repeats(self.recipe, sample["indices"], count)

    @abc.abstractmethod
    def finish(self, sample: Element) -> Element:
        """Decodes and transforms the `frames` of a sample to the tensors of a batch."""


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
        self.source, self.recipe = source, recipe
        self._order, self._data = order, data
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
            first, num_frames = bin_range(num_frames, number, self._bin_frames)
        return {
            "video": video,
            "indices": first + self._draw_frames(position, num_frames),
            "row": row,
            "position": position,
        }

    def _draw_frames(self, position: tf.Tensor, num_frames: tf.Tensor) -> tf.Tensor:
        """Draws the frames of a clip and their later ones, each in 0 .. F - 1."""
        return self._frames_of(self._seed(position, Purpose.CLIP), num_frames)

    def _frames_of(self, seed: tf.Tensor, num_frames: tf.Tensor) -> tf.Tensor:
        """Draws the frames of a clip by a seed, [2] integers."""
        indices = sampling.training_clip(self.recipe, num_frames, seed)
        if self.recipe.static:
            indices = indices[:1]
        return later_frames.with_later_frames(self.recipe, indices, num_frames)

    def window(self, sample: Element) -> tf.Tensor:
        """Draws the window of a sample's crop, [4] int32."""
        seed = self._seed(sample["position"], Purpose.AUGMENTATION)
        size = self.source.size(sample)
        return augmentations.window_for_training(
            *size, seed, self._data.crop, self._data.min_crop_area
        )

    def draw(self, element: Element) -> Element:
        """Draws all of a clip at random: `sample`, and `draw` for its pixels."""
        sample = self.sample(element)
        draw = clip_blocks.draw_for_training(
            *self.source.size(sample),
            self.recipe.crop_size,
            self._seed(sample["position"], Purpose.AUGMENTATION),
            **self._augmentation,
        )
        return {**sample, "draw": draw}

    def finish_block(self, block: Element) -> Element:
        """Reads, decodes and augments a block of clips, each of which was drawn."""
        clips = clip_blocks.make_clips(
            self.source,
            self.recipe,
            self._data.color,
            *(block["video"], block["indices"], block["draw"]),
        )
        skipped = tf.zeros_like(block["row"])
        return {"clips": clips, **self._metadata(block), "skipped": skipped}

    @property
    def _augmentation(self) -> dict[str, Any]:
        names = ("crop", "min_crop_area", "color", "gray_probability", "gray_first")
        return {name: getattr(self._data, name) for name in names}

    def _metadata(self, sample: Element) -> Element:
        return {
            "rows": sample["row"],
            "labels": tf.gather(self.source.metadata["label"], sample["video"]),
            "positions": sample["position"],
        }

    def finish(self, sample: Element) -> Element:
        """Decodes and augments the frames of a sample."""
        return {**self._finish_clip(sample), **self._metadata(sample)}

    def _finish_clip(self, sample: Element) -> Element:
        """Returns `clips`, and what else belongs to the clip alone."""
        clip = self._augment(sample, sample["frames"], self.recipe.crop_size)
        if self.recipe.static:
            clip = tf.repeat(clip, self.recipe.num_frames, axis=0)
        return {"clips": clip}

    def _augment(
        self,
        sample: Element,
        frames: tf.Tensor,
        size: int,
        window: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Decodes and augments frames of a sample: [T, size, size, C] uint8."""
        return augmentations.augment_for_training(
            frames,
            *self.source.size(sample),
            size,
            self._seed(sample["position"], Purpose.AUGMENTATION),
            **self._augmentation,
            input=self.recipe.input,
            repeats=self._repeats(sample) if window is None else None,
            frame_jitter=self._data.frame_jitter or 0,
            portable=self.source.portable,
            window=window,
        )

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
        self.source, self.recipe = source, recipe
        self.clips_per_element = num_clips or 1
        self._num_clips, self._crop = num_clips, crop
        self._distinct_frames = 1 if recipe.static else recipe.num_frames

    def positions(self) -> tf.data.Dataset:
        """Returns elements `video` and `clip`, the number of a clip of it."""
        videos = tf.data.Dataset.range(len(self.source.videos))
        if self._num_clips is not None:
            # Without a function of Python, which takes long to be traced.
            first = tf.data.Dataset.from_tensors(tf.constant(0, tf.int64)).repeat()
            return tf.data.Dataset.zip({"video": videos, "clip": first})

        def of_video(video: tf.Tensor) -> tf.data.Dataset:
            length = self.source.metadata["frames"][video]
            clips = fixed_clips.consecutive_clips(self.recipe, length)
            numbers = tf.data.Dataset.range(tf.shape(clips, tf.int64)[0])
            return numbers.map(lambda number: {"video": video, "clip": number})

        return videos.flat_map(of_video)

    def element_at(self, position: tf.Tensor) -> Element:
        """Returns the element of the first clips of a video, scalar int64."""
        return {"video": position, "clip": tf.constant(0)}

    def sample(self, element: Element) -> Element:
        """Chooses the frames of the equally spaced clips, or of a consecutive one."""
        video = element["video"]
        length = self.source.metadata["frames"][video]
        if self._num_clips is None:
            indices = fixed_clips.consecutive_clips(self.recipe, length)
            indices = indices[element["clip"]][None]
        else:
            indices = sampling.evaluation_clips(self.recipe, length, self._num_clips)
        num_frames = self.clips_per_element * self._distinct_frames
        flat = tf.reshape(indices[:, : self._distinct_frames], [num_frames])
        frames = later_frames.with_later_frames(self.recipe, flat, length)
        return {"video": video, "indices": frames}

    def window(self, sample: Element) -> tf.Tensor:
        """Returns the window of the center crop, [4] int32."""
        return crops.TEST_WINDOWS[self._crop](*self.source.size(sample))

    def finish(self, sample: Element) -> Element:
        """Decodes the frames of a sample and crops their center."""
        clips = augmentations.transform_for_test(
            sample["frames"],
            *self.source.size(sample),
            self.recipe.crop_size,
            self._crop,
            self.recipe.input,
            self._repeats(sample),
        )
        shape = [self.clips_per_element, self._distinct_frames, *clips.shape[1:]]
        clips = tf.reshape(clips, shape)
        if self.recipe.static:
            clips = tf.repeat(clips, self.recipe.num_frames, axis=1)
        return {"clips": clips, "rows": sample["video"]}
