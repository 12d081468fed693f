"""Videos of a split -> clips: the stations of a clip, and what is wrong with it.

Comes in: positions, and the work on a clip in three functions (`ClipWork`).  Goes out:
a dataset of clips, which `input_pipeline` batches.  Bad records stop it with their
name, or are left out and counted.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Callable, Iterator

import numpy as np
import tensorflow as tf

from vie_tf.config import DataConfig
from vie_tf.input import augmentations
from vie_tf.storage import frame_reader, remote_files, shard_cache
from vie_tf.storage.frame_index import FrameIndex
from vie_tf.storage.manifest import Manifest, VideoEntry

_PARALLEL_REMOTE_READS = 32  # a store answers slowly, but many at a time

_NO_JPEG = "a frame is no whole JPEG image"

Element = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class ClipWork:
    """What is done for a clip.

    Attributes:
      sample: takes a position, or what else the dataset of positions has; returns
        `video`, an index into the split, and `indices` [T] of the frames.
      window: takes a sample; returns the window of the crop, [4] int32.
      finish: takes a sample with its JPEG strings `frames`; returns `clips` and what
        else goes into the batch.
      crop_size: of the clip, in pixels.
    """

    sample: Callable[..., Element]
    window: Callable[[Element], tf.Tensor]
    finish: Callable[[Element], Element]
    crop_size: int


class BadRecord(ValueError):
    """A video that cannot be read although it is in the data set."""


@dataclasses.dataclass(frozen=True)
class Example:
    """A clip before and after its transform.

    Attributes:
      video: that it is of.
      indices: of its frames in the video, [T] int.
      window: top, left, height and width of the crop in source pixels, [4] int.
      frames: as they are stored, [T, H, W, 3] uint8.
      clip: as the network sees it, [T, S, S, 3] uint8.
    """

    video: VideoEntry
    indices: np.ndarray
    window: np.ndarray
    frames: np.ndarray
    clip: np.ndarray


class ClipSource:
    """Videos of a split: their facts as tensors, and their frames.

    Args:
      data: where the shards are, and how they are read.
      manifest: of `data.data_dir`.
      split: of the videos.
      portable: whether everything is done without Python.

    Attributes:
      videos: of the split, [V].
      facts: `id`, `label` int64; `frames`, `height`, `width` int32; [V] each.
      portable: as given.

    Raises:
      ValueError: there is no video in the split, or a shard is missing or cut.
    """

    def __init__(
        self,
        data: DataConfig,
        manifest: Manifest,
        split: str,
        portable: bool = False,
    ) -> None:
        self._skips = data.on_bad_record == "skip"
        self._index = FrameIndex.load_split(data.data_dir, manifest, split, self._skips)
        for path, fault in self._index.faults.items():
            print(f"The shard {path} {fault}; what cannot be read of it is skipped.")
        self.videos = self._index.videos
        types = {"id": tf.int64, "label": tf.int64}
        self.facts = {
            name: tf.constant(
                [getattr(video, name) for video in self.videos],
                types.get(name, tf.int32),
            )
            for name in ("id", "label", "frames", "height", "width")
        }
        self.portable = portable
        self._deterministic = data.deterministic
        self._is_remote = remote_files.is_remote(data.data_dir)
        local_path = None
        if data.cache_dir:
            cache = shard_cache.ShardCache(
                data.cache_dir, data.data_dir, manifest, split
            )
            local_path = cache.path
        self._reader = frame_reader.FrameReader(self._index, local_path)

    def size(self, sample: Element) -> tuple[tf.Tensor, tf.Tensor]:
        """Height and width of a sample's frames, scalar int32."""
        video = sample["video"]
        return self.facts["height"][video], self.facts["width"][video]

    def clips(
        self, positions: tf.data.Dataset, work: ClipWork, keeps_order: bool
    ) -> tf.data.Dataset:
        """Makes clips, each with the number of bad records `skipped` right before it.

        Args:
          positions: whatever `work.sample` takes.
          work: on each of them.
          keeps_order: whether clips come in the order of the positions.
        """
        finish = self._finish_or_skip if self._skips else self._finish_or_fail
        clips = self._read(positions, work, keeps_order).map(
            finish(work.finish),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=keeps_order,
        )
        return _without_bad(clips) if self._skips else clips

    def stages(
        self, positions: tf.data.Dataset, work: ClipWork
    ) -> dict[str, tf.data.Dataset]:
        """Datasets that end after reading, decoding and augmenting, to be measured."""

        def decode(sample: Element) -> list[tf.Tensor]:
            window = work.window(sample)
            frames = augmentations.decode_window(
                sample["frames"], window, work.crop_size
            )
            return [frame[0, 0, 0] for frame in frames]  # nothing that is copied

        read = self._read(positions, work, True)
        parallel = {"num_parallel_calls": tf.data.AUTOTUNE, "deterministic": True}
        stages = {
            "read": read.map(lambda sample: sample["video"], **parallel),
            "decode": read.map(decode, **parallel),
            "augment": read.map(work.finish, **parallel),
        }
        options = self.options()
        return {name: stage.with_options(options) for name, stage in stages.items()}

    def explain(
        self,
        sample_at: Callable[[tf.Tensor], Element],
        work: ClipWork,
        positions: range,
    ) -> str | None:
        """What is wrong with the first clip that fails; None where none does.

        Args:
          sample_at: samples a position, scalar int64.
          work: on the samples.
          positions: that are tried.
        """
        for position in positions:
            read = self.read(sample_at(tf.constant(position, tf.int64)))
            problem = read.pop("problem").numpy().decode()
            if not problem:
                try:
                    work.finish(read)
                    continue
                except tf.errors.OpError:
                    problem = _NO_JPEG
            number = int(read["video"])
            video = self.videos[number]
            path = self._index.paths[self._index.shards[number]]
            return (
                f"Video {video.id} ({video.source}) in {path} cannot be read: {problem}"
            )
        return None

    def example(
        self, sample_at: Callable[[tf.Tensor], Element], work: ClipWork, position: int
    ) -> Example:
        """The clip of a position before and after its transform."""
        sample = self.read(sample_at(tf.constant(position, tf.int64)))
        frames = [tf.io.decode_jpeg(jpeg, channels=3) for jpeg in sample["frames"]]
        return Example(
            video=self.videos[int(sample["video"])],
            indices=sample["indices"].numpy(),
            window=work.window(sample).numpy(),
            frames=np.stack(frames),
            clip=work.finish(sample)["clips"].numpy(),
        )

    def read(self, sample: Element) -> Element:
        """Puts `frames`, JPEG strings, and `problem` into a sample."""
        video, indices = sample["video"], sample["indices"]
        if self.portable:
            frames, problem = frame_reader.read_record(self._index, video, indices)
        else:
            frames, problem = self._reader(video, indices)
        return {**sample, "frames": frames, "problem": problem}

    def options(self) -> tf.data.Options:
        """Options of a whole dataset."""
        options = tf.data.Options()
        # Each replica takes its part of the global batch; files are not divided.
        options.experimental_distribute.auto_shard_policy = (
            tf.data.experimental.AutoShardPolicy.OFF
        )
        options.deterministic = self._deterministic
        if self._is_remote:
            options.threading.private_threadpool_size = _PARALLEL_REMOTE_READS
        return options

    def _read(
        self, positions: tf.data.Dataset, work: ClipWork, keeps_order: bool
    ) -> tf.data.Dataset:
        parallel = _PARALLEL_REMOTE_READS if self._is_remote else tf.data.AUTOTUNE
        return positions.map(
            lambda *position: self.read(work.sample(*position)),
            num_parallel_calls=parallel,
            deterministic=keeps_order,
        )

    @staticmethod
    def _finish_or_fail(finish: Callable) -> Callable[[Element], Element]:
        def finish_clip(sample: Element) -> Element:
            problem = sample["problem"]
            fine = tf.debugging.Assert(tf.equal(problem, ""), [problem])
            with tf.control_dependencies([fine]):
                frames = tf.identity(sample["frames"])
            finished = finish({**sample, "frames": frames})
            return {**finished, "skipped": tf.constant(0, tf.int64)}

        return finish_clip

    def _finish_or_skip(self, finish: Callable) -> Callable[[Element], Element]:
        paths = tf.constant(self._index.paths)
        shards = tf.constant(self._index.shards)

        def name(video: tf.Tensor, problem: tf.Tensor) -> tf.Operation:
            reason = tf.where(problem == "", _NO_JPEG, problem)
            return tf.print(
                *("skipped: video", self.facts["id"][video], "in"),
                *(paths[shards[video]], "cannot be read:", reason),
                output_stream=sys.stderr,
            )

        def finish_clip(sample: Element) -> Element:
            one = tf.data.Dataset.from_tensors(sample)
            good = one.map(lambda sample: (finish(sample), tf.constant(True)))
            nothing = tf.nest.map_structure(
                lambda spec: tf.zeros(spec.shape, spec.dtype), good.element_spec[0]
            )
            bad = tf.data.Dataset.from_tensors((nothing, tf.constant(False)))
            # An error becomes a value: the first element is the clip, if there is one.
            tried = good.ignore_errors().concatenate(bad).take(1)
            finished, is_good = tried.get_single_element()
            if not is_good:
                name(sample["video"], sample["problem"])
            return {**finished, "is_good": is_good}

        return finish_clip


def _without_bad(clips: tf.data.Dataset) -> tf.data.Dataset:
    def count(skipped: tf.Tensor, clip: Element) -> tuple[tf.Tensor, Element]:
        waiting = tf.where(clip["is_good"], tf.constant(0, tf.int64), skipped + 1)
        return waiting, {**clip, "skipped": skipped}

    def is_good(clip: Element) -> tf.Tensor:
        return clip["is_good"]

    def without_mark(clip: Element) -> Element:
        return {name: value for name, value in clip.items() if name != "is_good"}

    counted = clips.scan(tf.constant(0, tf.int64), count)
    return counted.filter(is_good).map(without_mark)


@dataclasses.dataclass(frozen=True)
class Clips:
    """Batches of clips; iterating raises BadRecord where a clip fails.

    Attributes:
      dataset: of the batches.
      source: of the clips.
      work: on each of them.
      positions: of all clips, what `work.sample` takes.
      sample_at: samples a position, scalar int64.
    """

    dataset: tf.data.Dataset
    source: ClipSource
    work: ClipWork
    positions: tf.data.Dataset
    sample_at: Callable[[tf.Tensor], Element]

    def __iter__(self) -> Iterator[Element]:
        """Iterates over the batches."""
        batches = iter(self.dataset)
        first = 0
        while True:
            try:
                batch = next(batches)
            except StopIteration:
                return
            except tf.errors.OpError as error:
                num_videos = len(self.source.videos)
                raise self.error(error, first, num_videos) from error
            if "positions" in batch:
                first = int(batch["positions"][-1]) + 1
            yield batch

    def error(self, error: Exception, position: int, num_clips: int) -> Exception:
        """What to raise in place of an error of the dataset.

        Args:
          error: that was raised.
          position: of the first clip that can be the reason.
          num_clips: that can.
        """
        positions = range(position, position + num_clips)
        reason = self.source.explain(self.sample_at, self.work, positions)
        if reason is None:
            return error
        return BadRecord(
            f"{reason}. Convert that video again (python -m data_prep.describe"
            " --verify checks all), or train without it: --on_bad_record=skip."
        )

    def stages(self) -> dict[str, tf.data.Dataset]:
        """See `ClipSource.stages`."""
        return self.source.stages(self.positions, self.work)

    def example(self, position: int) -> Example:
        """See `ClipSource.example`."""
        return self.source.example(self.sample_at, self.work, position)
