"""Batches of clips.  Bad records raise an error that names them, or are skipped."""

from __future__ import annotations

import dataclasses
import functools
import sys
from typing import Callable, Iterator

import numpy as np
import tensorflow as tf

from vie_tf.input.clip_makers import ClipMaker, TrainingClipMaker
from vie_tf.input.clip_source import Element
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import VideoEntry

_NOT_A_JPEG = "a frame is no whole JPEG image"


class BadRecord(UserError):
    """A video of the data set that cannot be read."""


@dataclasses.dataclass(frozen=True)
class Example:
    """A clip before and after its transform.

    Attributes:
      video: video that it is taken from.
      indices: frame indices in the video, [T] int.
      window: top, left, height and width of the crop in source pixels, [4] int.
      frames: frames as they are stored, [T, H, W, 3] uint8.
      clip: frames as the network is given them, [T, S, S, C] uint8.
    """

    video: VideoEntry
    indices: np.ndarray
    window: np.ndarray
    frames: np.ndarray
    clip: np.ndarray


class Clips:
    """Batches of clips; iterating raises BadRecord where a clip fails.

    Args:
      maker: makes a clip of a position.
      positions: an element for each clip, as `maker.sample` takes it.
      batch: takes the dataset of clips and returns the one of batches.
      keeps_order: whether clips come in the order of the positions.
      block_size: clips that are made at once by a maker that can, 0 for one by one.
        `batch` is then given a dataset of blocks.
    """

    def __init__(
        self,
        maker: ClipMaker,
        positions: tf.data.Dataset,
        batch: Callable[[tf.data.Dataset], tf.data.Dataset],
        keeps_order: bool,
        block_size: int = 0,
    ) -> None:
        self._maker, self._source = maker, maker.source
        self._positions, self._batch = positions, batch
        self._keeps_order, self._block_size = keeps_order, block_size

    @functools.cached_property
    def dataset(self) -> tf.data.Dataset:
        """Batches; each clip has `skipped`, the bad records right before it."""
        batches = self._batch(self._blocks() if self._block_size else self._clips())
        return batches.prefetch(tf.data.AUTOTUNE).with_options(self._source.options())

    def _clips(self) -> tf.data.Dataset:
        skips = self._source.skips_bad_records
        clips = self._read(self._keeps_order).map(
            self._finish_or_mark if skips else self._finish_or_fail,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=self._keeps_order,
        )
        return _without_bad(clips) if skips else clips

    def _blocks(self) -> tf.data.Dataset:
        maker = self._maker
        assert isinstance(maker, TrainingClipMaker)
        drawn = self._positions.map(maker.draw).batch(self._block_size)
        return drawn.map(
            maker.finish_block,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=self._keeps_order,
        )

    def __iter__(self) -> Iterator[Element]:
        """Iterates over the batches."""
        batches = iter(self.dataset)
        position = 0
        while True:
            try:
                batch = next(batches)
            except StopIteration:
                return
            except tf.errors.OpError as error:
                num_videos = len(self._source.videos)
                raise self.error(error, position, num_videos) from error
            if "positions" in batch:
                position = int(batch["positions"][-1]) + 1
            yield batch

    def error(self, error: Exception, position: int, num_clips: int) -> Exception:
        """Returns BadRecord in place of an error of the dataset, if a clip caused it.

        Args:
          error: error of the dataset.
          position: first position that can have caused it.
          num_clips: number of such positions.
        """
        reason = self.explain(range(position, position + num_clips))
        if reason is None:
            return error
        return BadRecord(
            f"{reason}. Convert that video again (python -m data_prep.describe"
            " --verify checks all), or train without it: --on_bad_record=skip."
        )

    def explain(self, positions: range) -> str | None:
        """Explains why the first bad clip cannot be made; None if all can."""
        for position in positions:
            try:
                self.at(position)
            except BadRecord as error:
                return str(error)
        return None

    def at(self, position: int) -> Element:
        """Makes the clip of a position without a dataset, whose graph takes seconds.

        Raises:
          BadRecord: its video cannot be read.
        """
        sample = self._sample_at(position)
        problem = sample.pop("problem").numpy().decode()
        if not problem:
            try:
                return self._maker.finish(sample)
            except tf.errors.OpError:
                problem = _NOT_A_JPEG
        video = self._source.describe(int(sample["video"]))
        raise BadRecord(f"{video} cannot be read: {problem}")

    def example(self, position: int) -> Example:
        """Returns the clip of a position before and after its transform."""
        sample = self._sample_at(position)
        frames = [tf.io.decode_jpeg(jpeg, channels=3) for jpeg in sample["frames"]]
        return Example(
            video=self._source.videos[int(sample["video"])],
            indices=sample["indices"].numpy(),
            window=self._maker.window(sample).numpy(),
            frames=np.stack(frames),
            clip=_joined(self._maker.finish(sample)["clips"].numpy()),
        )

    def stages(self) -> dict[str, tf.data.Dataset]:
        """Returns datasets that end after reading, decoding and augmentation."""

        def decode(sample: Element) -> list[tf.Tensor]:
            # Nothing that is copied:
            return [frame[0, 0, 0] for frame in self._maker.decode(sample)]

        read = self._read(keeps_order=True)
        parallel = {"num_parallel_calls": tf.data.AUTOTUNE, "deterministic": True}
        stages = {
            "read": read.map(lambda sample: sample["video"], **parallel),
            "decode": read.map(decode, **parallel),
            "augment": read.map(self._maker.finish, **parallel),
        }
        options = self._source.options()
        return {name: stage.with_options(options) for name, stage in stages.items()}

    def _sample_at(self, position: int) -> Element:
        return self._read_one(self._maker.element_at(tf.constant(position, tf.int64)))

    def _read_one(self, element: Element) -> Element:
        maker = self._maker
        return maker.choose(self._source.read(maker.sample(element)))

    def _read(self, keeps_order: bool) -> tf.data.Dataset:
        return self._positions.map(
            self._read_one,
            num_parallel_calls=self._source.parallel_reads,
            deterministic=keeps_order,
        )

    def _finish_or_fail(self, sample: Element) -> Element:
        problem = sample["problem"]
        no_problem = tf.debugging.Assert(tf.equal(problem, ""), [problem])
        with tf.control_dependencies([no_problem]):
            frames = tf.identity(sample["frames"])
        finished = self._maker.finish({**sample, "frames": frames})
        return {**finished, "skipped": tf.constant(0, tf.int64)}

    def _finish_or_mark(self, sample: Element) -> Element:
        """Finishes a clip, or prints why it cannot be; `is_good` is false then."""
        one = tf.data.Dataset.from_tensors(sample)
        good = one.map(lambda sample: (self._maker.finish(sample), tf.constant(True)))
        nothing = tf.nest.map_structure(
            lambda spec: tf.zeros(spec.shape, spec.dtype), good.element_spec[0]
        )
        bad = tf.data.Dataset.from_tensors((nothing, tf.constant(False)))
        # An error becomes a value: the first element is the clip, if there is one.
        tried = good.ignore_errors().concatenate(bad).take(1)
        finished, is_good = tried.get_single_element()
        if not is_good:
            self._print_skipped(sample)
        return {**finished, "is_good": is_good}

    def _print_skipped(self, sample: Element) -> None:
        video, problem = sample["video"], sample["problem"]
        paths, shards = self._source.paths()
        reason = tf.where(problem == "", _NOT_A_JPEG, problem)
        tf.print(
            *("skipped: video", self._source.metadata["id"][video], "in"),
            *(paths[shards[video]], "cannot be read:", reason),
            output_stream=sys.stderr,
        )


def _joined(clip: np.ndarray) -> np.ndarray:
    """Puts the cells of a puzzle [4, T, s, s, C] one after the other."""
    return clip.reshape(-1, *clip.shape[-3:])


def _without_bad(clips: tf.data.Dataset) -> tf.data.Dataset:
    """Drops clips that are marked as bad, and counts them in `skipped`."""

    def count(skipped: tf.Tensor, clip: Element) -> tuple[tf.Tensor, Element]:
        pending = tf.where(clip["is_good"], tf.constant(0, tf.int64), skipped + 1)
        return pending, {**clip, "skipped": skipped}

    counted = clips.scan(tf.constant(0, tf.int64), count)
    return counted.filter(lambda clip: clip["is_good"]).map(
        lambda clip: {k: value for k, value in clip.items() if k != "is_good"}
    )
