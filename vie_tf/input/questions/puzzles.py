"""Puzzles: four cells of a clip that are beside or after each other, out of order.

A stretch of the video is cut into 2 x 2 cells in space, or into 4 in time; which, is
drawn for each clip.  Of each cell a part is taken at a place of its own, so that no
border continues in the next one, and one color channel stands for all three, so that
colored fringes of the lens do not tell where in the frame a cell was.  The cells are
then given in one of 24 orders.

Only the frames and windows of the four cells are read and decoded: as many pixels as
the network is given.

Source: Kim et al. 2018, section 3: cells of 112 x 112 pixels and 32 frames, of which
80 x 80 and 16 are taken.

Letters: F frames of the video, T frames and C channels of a cell, s its side in pixels.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from vie_tf.input.augmentation import augmentations
from vie_tf.input.clip_makers import TrainingClipMaker
from vie_tf.input.clip_order import Purpose
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.clip_source import Element
from vie_tf.input.fixed_clips import even_offsets, num_positions
from vie_tf.input.later_frames import with_later_frames

NUM_CELLS = 4
# The classes: where the cells that are given belong, rows before columns.
ORDERS = tuple(itertools.permutations(range(NUM_CELLS)))
# Of a cell, the part that is taken: in pixels, and in time.
_SIDE, _SIDE_OF = 80, 112
_STRETCH = 2
_NUM_DRAWS = 5 + 3 * NUM_CELLS


def cell_size(crop_size: int) -> int:
    """Returns the side of a cell in pixels, for clips of such a size: 80 for 112."""
    return crop_size * _SIDE // _SIDE_OF


class Puzzle(NamedTuple):
    """Random choices of a puzzle.

    Attributes:
      is_temporal: whether the cells follow each other in time, scalar bool.
      order: index into `ORDERS`, scalar int32.
      place: cell in space that all cells in time are at, scalar int32.
      start: place of the cells in the video, a fraction.
      channel: color channel that is shown, scalar int32.
      jitter: place of a cell's part in it, [4, 3] fractions: time, row, column.
    """

    is_temporal: tf.Tensor
    order: tf.Tensor
    place: tf.Tensor
    start: tf.Tensor
    channel: tf.Tensor
    jitter: tf.Tensor


def draw(seed: tf.Tensor) -> Puzzle:
    """Draws a puzzle; seed is [2] integers, the same one draws the same puzzle."""
    draws = tf.random.stateless_uniform([_NUM_DRAWS], seed)
    return Puzzle(
        is_temporal=draws[0] < 0.5,
        order=_below(draws[1], len(ORDERS)),
        place=_below(draws[2], NUM_CELLS),
        start=draws[3],
        channel=_below(draws[4], 3),
        jitter=tf.reshape(draws[5:], [NUM_CELLS, 3]),
    )


def _below(fraction: tf.Tensor, count: tf.Tensor | int) -> tf.Tensor:
    """Maps fractions to integers in 0 .. count - 1."""
    scaled = tf.cast(fraction * tf.cast(count, tf.float32), tf.int32)
    return tf.minimum(scaled, count - 1)


def _places(puzzle: Puzzle) -> tf.Tensor:
    """Returns where the cells belong, in the order in which they are given: [4]."""
    return tf.gather(tf.constant(np.array(ORDERS, np.int32)), puzzle.order)


def cell_frames(
    recipe: ClipRecipe, num_video_frames: tf.Tensor, puzzle: Puzzle
) -> tf.Tensor:
    """Chooses the frames of the cells.

    A cell is T frames of a stretch of twice their span, or of a quarter of the video,
    whichever is shorter.  A video shorter than a cell is looped.

    Args:
      recipe: frames of a cell.
      num_video_frames: F, scalar int32, at least 1.
      puzzle: random choices.

    Returns:
      [4, T] int32, each in 0 .. F - 1; cells in the order in which they are given.
    """
    offsets = even_offsets(recipe)
    own = int(offsets[-1]) + 1
    parts = tf.where(puzzle.is_temporal, NUM_CELLS, 1)
    stretch = tf.minimum(_STRETCH * recipe.span, num_video_frames // parts)
    stretch = tf.maximum(stretch, 1)
    start = _below(puzzle.start, num_video_frames - parts * stretch + 1)
    number = tf.where(puzzle.is_temporal, _places(puzzle), 0)  # [4]
    free = tf.maximum(stretch - own, 0)
    first = start + number * stretch + _below(puzzle.jitter[:, 0], free + 1)
    # Where cells overlap, the last one still ends with the video.
    first = tf.minimum(first, tf.maximum(num_video_frames - own, 0))
    return (first[:, None] + offsets) % num_video_frames


def cell_windows(window: tf.Tensor, puzzle: Puzzle, is_flipped: tf.Tensor) -> tf.Tensor:
    """Chooses the windows of the cells.

    Args:
      window: window of the whole clip, [4] int32: top, left, height and width.
      puzzle: random choices.
      is_flipped: whether cells will be mirrored; places are then those in the mirror.

    Returns:
      [4, 4] int32, windows in the order in which the cells are given.
    """
    place = tf.where(puzzle.is_temporal, puzzle.place, _places(puzzle))  # [4]
    row, column = place // 2, place % 2
    column = tf.where(is_flipped, 1 - column, column)
    cell = window[2:] // 2
    side = tf.maximum(cell * _SIDE // _SIDE_OF, 1)
    moves = _below(puzzle.jitter[:, 1:], cell - side + 1)  # [4, 2]
    corners = window[:2] + tf.stack([row, column], axis=1) * cell + moves
    return tf.concat([corners, tf.tile(side[None], [NUM_CELLS, 1])], axis=1)


class PuzzleClipMaker(TrainingClipMaker):
    """Makes the puzzle of a position.

    Its `clips` are the cells, [4, T, s, s, C] uint8 in the order in which they are
    given, and its `targets` the index of that order in `ORDERS`, scalar int32.
    """

    def _draw_frames(self, position: tf.Tensor, num_frames: tf.Tensor) -> tf.Tensor:
        cells = cell_frames(
            self.recipe,
            num_positions(self.recipe, num_frames),
            self._puzzle(position),
        )
        flat = tf.reshape(cells, [NUM_CELLS * self.recipe.num_frames])
        return with_later_frames(self.recipe, flat, num_frames)

    def decode(self, sample: Element) -> list[tf.Tensor]:
        """Decodes the windows of all cells."""
        size = cell_size(self.recipe.crop_size)
        return [
            frame
            for frames, window in self._cells(sample)
            for frame in augmentations.decode_window(
                frames, window, size, self.recipe.input
            )
        ]

    def _finish_clip(self, sample: Element) -> Element:
        puzzle = self._puzzle(sample["position"])
        size = cell_size(self.recipe.crop_size)
        cells = tf.stack(
            [
                self._augment(sample, frames, size, window)
                for frames, window in self._cells(sample)
            ]
        )
        if self.recipe.has_colors:
            colors = tf.gather(cells[..., :3], [puzzle.channel] * 3, axis=-1)
            cells = tf.concat([colors, cells[..., 3:]], axis=-1)
        return {"clips": cells, "targets": puzzle.order}

    def _cells(self, sample: Element) -> list[tuple[tf.Tensor, tf.Tensor]]:
        """Returns the frames, later ones included, and the window of each cell."""
        shape = [-1, NUM_CELLS, self.recipe.num_frames]
        frames = tf.reshape(sample["frames"], shape)  # first ones, then later ones
        groups = 1 + self.recipe.has_differences
        seed = self._seed(sample["position"], Purpose.AUGMENTATION)
        windows = cell_windows(
            self.window(sample),
            self._puzzle(sample["position"]),
            augmentations.is_flipped(augmentations.draw_numbers(seed)),
        )
        return [
            (
                tf.reshape(frames[:, cell], [groups * self.recipe.num_frames]),
                windows[cell],
            )
            for cell in range(NUM_CELLS)
        ]

    def _puzzle(self, position: tf.Tensor) -> Puzzle:
        return draw(self._seed(position, Purpose.PUZZLE))
