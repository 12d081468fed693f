"""Statistics of a clip: where it moves most, and where its colors change.

A frame is divided into regions in three ways: 4 x 4 blocks, 4 rings about the center,
and 8 triangles between the diagonals of its quarters.  Motion is that of the boundaries
of optical flow, the changes of the flow from place to place: a camera that turns moves
all places alike, and adds nothing to them.

Numbers count from 1, as those that the authors' networks are trained on.  A clip comes
in as the network is given it, after crop and mirror, so that its numbers are those of
what the network sees.

Source: Wang et al. 2019, sections 3.2 and 3.3, and the code of its authors
(video_repres_mas, video_repres_sts), whose regions and colors are numbered alike.

Letters: T frames, S height and width, R regions.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import tensorflow as tf

from vie_tf.input.clip_makers import TrainingClipMaker
from vie_tf.input.clip_source import Element
from vie_tf.input.questions.optical_flow import optical_flow

NUM_ORIENTATIONS = 8
NUM_COLORS = 8
_NUM_REGIONS = (16, 4, 8)
_LEVELS = 256


def choices(num_frames: int, has_colors: bool) -> list[int]:
    """Returns how many values each number can have, 14 of motion and 13 of colors.

    Args:
      num_frames: T.
      has_colors: whether there are the numbers of appearance.
    """
    motion, colors = [], []
    for count in _NUM_REGIONS:
        motion += [count, NUM_ORIENTATIONS] * 2
        colors += [count, NUM_COLORS] * 2
    motion += [num_frames - 1] * 2
    return [*motion, *colors, NUM_COLORS] if has_colors else motion


@functools.lru_cache(maxsize=8)
def regions(size: int) -> tuple[np.ndarray, ...]:
    """Returns the region of each pixel, from 0, in three ways: [S, S] int64 each.

    Blocks and triangles are numbered as the authors number them: blocks by rows, rings
    from the center, triangles by quarters.
    """
    row, column = np.mgrid[:size, :size]
    blocks = row * 4 // size * 4 + column * 4 // size
    center = (size - 1) / 2
    distance = np.maximum(abs(row - center), abs(column - center))
    rings = (distance * 8 / size).astype(np.int64)
    to_side = np.minimum(column, size - 1 - column)
    is_at_side = to_side <= np.minimum(row, size - 1 - row)
    is_below, is_right = row > center, column > center
    triangles = 4 * is_below + 2 * is_right + (is_at_side == is_right)
    return blocks, rings, triangles


def motion_statistics(grays: np.ndarray) -> np.ndarray:
    """Computes the 14 numbers of motion.

    Args:
      grays: [T, S, S] uint8.

    Returns:
      [14] float32: for blocks, rings and triangles, the region where the boundaries of
      horizontal flow are largest and their orientation, and the same of vertical flow;
      then the frame, 1 .. T - 1, in which those of horizontal, and of vertical flow are
      largest.  What does not move has the number 1.
    """
    flow = optical_flow(grays)  # [T - 1, S, S, 2]
    found, fastest = [], []
    for component in (flow[..., 0], flow[..., 1]):
        changes = np.stack([_changes(frame) for frame in component], axis=1)
        magnitudes = np.hypot(*changes)  # [T - 1, S, S]
        fastest.append(1 + magnitudes.sum(axis=(1, 2)).argmax())
        found.append(_largest_motion(*changes.sum(axis=1)))
    of_regions = [number for both in zip(*found) for one in both for number in one]
    return np.array([*of_regions, *fastest], np.float32)


def _changes(flow: np.ndarray) -> np.ndarray:
    """Returns how [S, S] rises to the right, and downward: [2, S, S]."""
    rows = np.array([[-1, 0, 1]] * 3, np.float32)  # Prewitt's, as the authors have
    kernels = (rows, rows.T)
    border = cv2.BORDER_REFLECT
    return np.stack([cv2.filter2D(flow, -1, one, borderType=border) for one in kernels])


def _largest_motion(right: np.ndarray, down: np.ndarray) -> list[tuple[int, int]]:
    """Finds the region of the largest changes and their orientation, in each division.

    Args:
      right: changes to the right, summed over frames, [S, S].
      down: changes downward, [S, S].

    Returns:
      Three pairs of numbers from 1.  An orientation is one of 8 of a turn, from the
      right clockwise; pixels count by their magnitude, and for the two nearest ones.
    """
    magnitude = np.hypot(right, down)
    turns = np.arctan2(down, right) / (2 * np.pi) * NUM_ORIENTATIONS % NUM_ORIENTATIONS
    lower, found = np.floor(turns), []
    for region in regions(len(right)):
        means = np.bincount(region.ravel(), magnitude.ravel())
        largest = int((means / np.bincount(region.ravel())).argmax())
        inside = region == largest
        weight, part = magnitude[inside], (turns - lower)[inside]
        nearest = lower[inside].astype(np.int64) % NUM_ORIENTATIONS
        votes = np.bincount(nearest, weight * (1 - part), NUM_ORIENTATIONS)
        votes = votes + np.bincount(
            (nearest + 1) % NUM_ORIENTATIONS, weight * part, NUM_ORIENTATIONS
        )
        found.append((1 + largest, 1 + int(votes.argmax())))
    return found


def appearance_statistics(frames: np.ndarray) -> np.ndarray:
    """Computes the 13 numbers of appearance.

    Args:
      frames: [T, S, S, 3] uint8.

    Returns:
      [13] float32: for blocks, rings and triangles, the region whose colors change most
      over the frames and its main color, and those of the region whose colors change
      least; then the main color of the clip.
    """
    colors = _color_numbers(frames)
    found: list[int] = []
    for region in regions(frames.shape[1]):
        overlap = color_overlap(frames, region)
        count = len(overlap)
        pairs = (region * NUM_COLORS + colors).ravel()
        votes = np.bincount(pairs, None, count * NUM_COLORS)
        main = votes.reshape(count, NUM_COLORS).argmax(axis=1)
        for chosen in (overlap.argmin(), overlap.argmax()):
            found += [1 + int(chosen), 1 + int(main[chosen])]
    whole = np.bincount(colors.ravel(), None, NUM_COLORS).argmax()
    return np.array([*found, 1 + whole], np.float32)


def color_overlap(frames: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Measures how alike the colors of a region are in all frames.

    Args:
      frames: [T, S, S, 3] uint8.
      region: [S, S] int64, the region of each pixel.

    Returns:
      [R] in 0 .. 1: the histograms' intersection over all frames, divided by their
      union, a mean over red, green and blue.
    """
    num_frames, count = len(frames), int(region.max()) + 1
    bins = (np.arange(num_frames)[:, None, None] * count + region) * _LEVELS
    total = np.zeros(count)
    for channel in range(3):
        flat = (bins + frames[..., channel]).ravel()
        histograms = np.bincount(flat, None, num_frames * count * _LEVELS)
        histograms = histograms.reshape(num_frames, count, _LEVELS)
        total += histograms.min(axis=0).sum(axis=1) / histograms.max(axis=0).sum(axis=1)
    return total / 3


def _color_numbers(frames: np.ndarray) -> np.ndarray:
    """Returns which of the 8 halves of red, green and blue a pixel is in, from 0.

    Those of much blue come first, and then those of little red, as the authors'.
    """
    red, green, blue = np.moveaxis(frames >= _LEVELS // 2, -1, 0).astype(np.int64)
    return 4 * (1 - blue) + 2 * red + green


class StatisticsClipMaker(TrainingClipMaker):
    """Makes clips with their statistics, `targets` [14 or 27] float32.

    Clips of differences have no colors, and so no numbers of appearance.
    """

    def _finish_clip(self, sample: Element) -> Element:
        made = super()._finish_clip(sample)
        cv2.setNumThreads(1)  # tf.data makes many clips at once
        has_colors = self.recipe.has_colors
        num_targets = len(choices(self.recipe.num_frames, has_colors))

        def compute(clip: np.ndarray) -> np.ndarray:
            if not has_colors:
                return motion_statistics(np.ascontiguousarray(clip[..., 0]))
            grays = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clip]
            motion = motion_statistics(np.stack(grays))
            return np.concatenate([motion, appearance_statistics(clip)])

        targets = tf.numpy_function(
            compute, [made["clips"]], tf.float32, stateful=False
        )
        return {**made, "targets": tf.ensure_shape(targets, [num_targets])}
