"""Frames whose order is asked: they are taken where much moves.

Where nothing moves, frames have no order to be found.  So several windows of the video
are looked at, small and gray, and one of them is drawn, in proportion to the mean
magnitude of its optical flow.

Source: Lee et al. 2017, section 3.1, who weigh all frames of a video by the magnitude
of optical flow that was computed before.  Here it is that of a few windows, computed
when a clip is read, so that nothing has to be converted or stored.

Letters: W windows, T frames of a clip, n frames that are read for it (with the later
ones of differences).
"""

from __future__ import annotations

import cv2
import numpy as np
import tensorflow as tf

from vie_tf.input.clip_makers import TrainingClipMaker
from vie_tf.input.clip_order import Purpose
from vie_tf.input.clip_source import Element
from vie_tf.input.gray_frames import decode_gray
from vie_tf.input.questions.optical_flow import ROUGH, optical_flow

_SIDE = 32  # pixels in which flow is computed


def motion(jpegs: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Measures how much windows of a video move.

    Args:
      jpegs: [W, T] bytes of JPEG images.
      size: height and width of the images.

    Returns:
      [W] float32: mean magnitude of the optical flow from each frame to the next, in
      pixels of 32 x 32; 0 for a window with an image that cannot be decoded.
    """
    cv2.setNumThreads(1)  # tf.data makes many clips at once
    return np.array([_motion_of(window, tuple(size)) for window in jpegs], np.float32)


def _motion_of(jpegs: np.ndarray, size: tuple[int, int]) -> float:
    try:
        frames = [decode_gray(jpeg, size) for jpeg in jpegs]
    except OSError:  # if this window is drawn, making the clip names the image
        return 0.0
    side = _SIDE, _SIDE
    small = [cv2.resize(one, side, interpolation=cv2.INTER_AREA) for one in frames]
    flow = optical_flow(np.stack(small), ROUGH)
    return float(np.hypot(flow[..., 0], flow[..., 1]).mean())


def drawn_window(motions: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Draws a window in proportion to its motion.

    Args:
      motions: [W] float32, at least 0.
      draw: scalar float32 in 0 .. 1, without 1.

    Returns:
      Scalar int32 in 0 .. W - 1; all are equally probable where nothing moves.
    """
    total = tf.reduce_sum(motions)
    weights = tf.where(total > 0, motions, tf.ones_like(motions))
    edges = tf.cumsum(weights)
    window = tf.reduce_sum(tf.cast(edges <= draw * edges[-1], tf.int32))
    return tf.minimum(window, tf.size(motions) - 1)


class MovingClipMaker(TrainingClipMaker):
    """Makes a clip of one of `--motion_windows` windows of the video."""

    def _draw_frames(self, position: tf.Tensor, num_frames: tf.Tensor) -> tf.Tensor:
        """Draws the frames of all windows, [W * n]."""
        own = self._seed(position, Purpose.CLIP)
        further = [
            tf.random.experimental.stateless_fold_in(own, number)
            for number in range(1, self._num_windows)
        ]
        windows = [self._frames_of(seed, num_frames) for seed in (own, *further)]
        return tf.concat(windows, axis=0)

    def choose(self, sample: Element) -> Element:
        """Keeps the frames of one window."""
        if self._num_windows == 1:
            return sample
        frames = tf.reshape(sample["frames"], [self._num_windows, -1])
        size = tf.stack(self.source.size(sample))
        motions = tf.numpy_function(
            motion,
            [frames[:, : self.recipe.num_frames], size],
            tf.float32,
            stateful=False,
        )
        seed = self._seed(sample["position"], Purpose.WINDOW)
        draw = tf.random.stateless_uniform([], seed)
        window = drawn_window(tf.ensure_shape(motions, [self._num_windows]), draw)
        indices = tf.reshape(sample["indices"], [self._num_windows, -1])
        return {**sample, "frames": frames[window], "indices": indices[window]}

    @property
    def _num_windows(self) -> int:
        return self._data.motion_windows or 1
