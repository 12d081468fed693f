"""The order in which a run reads clips: positions, epochs and bins.

A *position* counts the clips of a run from its start, epoch after epoch.  An *epoch*
takes one clip of every video, in the order of a permutation of its own.

Everything random is a function of the seed and the position, so a run that resumes at a
position reads what an uninterrupted run reads, and workers need not communicate.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import NamedTuple

import tensorflow as tf

_ENDLESS = 2**40  # epochs or steps
_NUM_PURPOSES = 8


class Purpose(enum.IntEnum):
    """What a random choice is for; each has numbers of its own."""

    ORDER = 0
    BINS = 1
    CLIP = 2
    AUGMENTATION = 3
    PUZZLE = 4
    WINDOW = 5


def random_seed(seed: int, key: tf.Tensor, purpose: Purpose) -> tf.Tensor:
    """Makes the seed of one random choice.

    Args:
      seed: seed of the run.
      key: position, epoch or video, scalar int64.
      purpose: what is chosen.

    Returns:
      [2] int64, different for every key and purpose.
    """
    return tf.stack([tf.constant(seed, tf.int64), key * _NUM_PURPOSES + int(purpose)])


class ClipShard(NamedTuple):
    """The positions that one of several workers reads: every n-th block of them.

    Attributes:
      worker: number of the worker, from 0.
      num_workers: number of workers of the run.
      block: consecutive positions in a block.
    """

    worker: int = 0
    num_workers: int = 1
    block: int = 1

    def select(self, positions: tf.data.Dataset) -> tf.data.Dataset:
        """Keeps the positions of this worker."""
        if self.num_workers == 1:
            return positions
        blocks = positions.batch(self.block).shard(self.num_workers, self.worker)
        return blocks.unbatch()


ALL_CLIPS = ClipShard()


@dataclasses.dataclass(frozen=True)
class ClipOrder:
    """Which video comes at which position.

    Attributes:
      num_videos: videos of an epoch, V.
      seed: seed of the run.
    """

    num_videos: int
    seed: int

    def epoch(self, number: tf.Tensor) -> tf.Tensor:
        """Returns the videos of an epoch, [V] int64, each in 0 .. V - 1."""
        videos = tf.range(self.num_videos, dtype=tf.int64)
        return tf.random.experimental.stateless_shuffle(
            videos, random_seed(self.seed, number, Purpose.ORDER)
        )

    def video_at(self, position: tf.Tensor) -> tf.Tensor:
        """Returns the video at a position, both scalar int64."""
        return self.epoch(position // self.num_videos)[position % self.num_videos]

    def positions(self, start: int) -> tf.data.Dataset:
        """Returns endless elements `position` and `video`, from a position on."""

        def of_epoch(number: tf.Tensor) -> tf.data.Dataset:
            first = number * self.num_videos
            positions = tf.range(first, first + self.num_videos)
            elements = {"position": positions, "video": self.epoch(number)}
            dataset = tf.data.Dataset.from_tensor_slices(elements)
            return dataset.skip(tf.maximum(start - first, 0))

        epochs = tf.data.Dataset.range(start // self.num_videos, _ENDLESS)
        return epochs.flat_map(of_epoch)

    def positions_by_step(self, start: int, batch_size: int) -> tf.data.Dataset:
        """Returns the elements of `positions` in whole steps.

        A tf.data service divides the elements of this dataset among its workers, and
        each has to make whole batches.
        """

        def of_step(step: tf.Tensor) -> tf.data.Dataset:
            positions = tf.range(step * batch_size, (step + 1) * batch_size)
            numbers = positions // self.num_videos
            epochs = tf.range(numbers[0], numbers[-1] + 1)
            orders = tf.map_fn(self.epoch, epochs)  # [epochs, V]
            places = tf.stack([numbers - epochs[0], positions % self.num_videos], 1)
            elements = {"position": positions, "video": tf.gather_nd(orders, places)}
            return tf.data.Dataset.from_tensor_slices(elements)

        steps = tf.data.Dataset.range(start // batch_size, _ENDLESS)
        return steps.flat_map(of_step)

    def bin_at(
        self, position: tf.Tensor, video_id: tf.Tensor, num_bins: tf.Tensor
    ) -> tf.Tensor:
        """Returns which bin a video shows at a position.

        It shows all of its bins in every `num_bins` epochs, in random order.

        Args:
          position: scalar int64.
          video_id: id of the video, scalar int64.
          num_bins: bins of the video, scalar int64.

        Returns:
          Scalar int64 in 0 .. num_bins - 1.
        """
        epoch = position // self.num_videos
        seed = random_seed(self.seed, video_id, Purpose.BINS)
        round_seed = tf.random.experimental.stateless_fold_in(seed, epoch // num_bins)
        order = tf.random.experimental.stateless_shuffle(tf.range(num_bins), round_seed)
        return order[epoch % num_bins]
