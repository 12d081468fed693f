"""Resize, color jitter and flip of a clip on bytes, by OpenCV's vectorized kernels.

They are the transforms of `vie_tf.input.augmentation.augmentations`, several times
faster than TensorFlow's operations (`python -m benchmarks.input_pipeline`).  Rounding
is Pillow's where that is cheap: brightness, contrast and saturation are cut down to
whole numbers, hue has 256 steps of a turn.  Python runs a few lines for each clip; the
kernels release the interpreter.

Letters: T frames, S height and width of the crop.
"""

from __future__ import annotations

import math
from typing import Callable, Sequence

import cv2
import numpy as np
import tensorflow as tf

from vie_tf.input.augmentation import color_jitter
from vie_tf.input.augmentation.color_jitter import LUMA, ColorDraw

# Added before OpenCV rounds to the nearest number, to cut down as Pillow does.
_CUT = -0.498
_ALIGNMENT = 64  # of tensors, in bytes


def transform(
    windows: Sequence[tf.Tensor],
    crop_size: int,
    *,
    implementation: str = "none",
    color: ColorDraw | None = None,
    flip: tf.Tensor | bool = False,
    input: str = "frames",
) -> tf.Tensor:
    """Transforms a clip within a tf.data graph.

    Args:
      windows: frames [h, w, 3] uint8, all of one size: T of the clip, for differences
        followed by T later ones; those of `differences` are [h, w, 1].
      crop_size: S, in pixels.
      implementation: of the color jitter, from `color_jitter.IMPLEMENTATIONS`.
      color: random choices of the color jitter; None for the implementation `none`.
      flip: whether the frames are mirrored left to right, scalar bool.
      input: `frames`, `differences` or `both`, see `vie_tf.input.clip_recipe`.

    Returns:
      [T, S, S, C] uint8.
    """
    arguments = color_arguments(implementation, color)
    count = len(arguments)
    num_frames, num_channels = len(windows), 3
    if input != "frames":
        num_frames, num_channels = num_frames // 2, 2 if input == "differences" else 5
    shape = [num_frames, crop_size, crop_size, num_channels]

    def run(flip: np.ndarray, *rest: np.ndarray) -> np.ndarray:
        (clip,) = aligned_clips([1, *shape])
        transform_into(
            clip, rest[count:], implementation, rest[:count], bool(flip), input
        )
        return clip

    clip = tf.numpy_function(
        run, [flip, *arguments, *windows], tf.uint8, stateful=False
    )
    return tf.ensure_shape(clip, shape)


def color_arguments(
    implementation: str, color: ColorDraw | None
) -> tuple[tf.Tensor, ...]:
    """Returns what `transform_into` needs to know of a draw of the color jitter."""
    if implementation == "none":
        return ()
    assert color is not None
    return tuple(color) if implementation == "exact" else color_jitter.affine(color)


def aligned_clips(shape: Sequence[int]) -> np.ndarray:
    """Returns clips of undefined bytes, of a shape that begins with a number of clips.

    TensorFlow copies arrays that do not start at a multiple of 64 bytes.
    """
    size = math.prod(shape)
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].reshape(shape)


def transform_into(
    clip: np.ndarray,
    windows: Sequence[np.ndarray],
    implementation: str,
    arguments: Sequence[np.ndarray],
    flip: bool,
    input: str,
) -> None:
    """Transforms a clip; see `transform`.

    Everything is done in place: where the system takes memory back at once, the pages
    of new memory for each operation cost more than its pixels.

    Args:
      clip: [T, S, S, C] uint8, contiguous, which is written.
      windows: decoded frames.
      implementation: of the color jitter.
      arguments: values of `color_arguments`.
      flip: whether the frames are mirrored.
      input: `frames`, `differences` or `both`.
    """
    # tf.data transforms many clips at once; threads of OpenCV would only wait.
    cv2.setNumThreads(1)
    frames = clip
    if input != "frames":
        shape = len(windows), *clip.shape[1:3], windows[0].shape[-1]
        frames = np.empty(shape, np.uint8)
    size = clip.shape[1:3]
    for window, frame in zip(windows, frames):
        cv2.resize(window, size, dst=frame, interpolation=cv2.INTER_LINEAR)
    if flip:
        cv2.flip(_tall(frames), 1, dst=_tall(frames))
    recolor = _IMPLEMENTATIONS[implementation]
    if input == "frames":
        recolor(clip, *arguments)
        return
    clip[..., -2:] = _gray_pairs(frames)
    if input == "both":
        clip[..., :3] = recolor(frames[: len(clip)], *arguments)


def _gray_pairs(frames: np.ndarray) -> np.ndarray:
    """Returns gray levels of [2 T, S, S, C] frames, two by two: [T, S, S, 2]."""
    gray = frames if frames.shape[-1] == 1 else _grays(frames).reshape(frames.shape[:3])
    first, later = np.split(gray.reshape(frames.shape[:3]), 2)
    return np.stack([first, later], axis=-1)


def _tall(clip: np.ndarray) -> np.ndarray:
    """Puts all frames below each other, for one call of OpenCV instead of T."""
    return clip.reshape(-1, *clip.shape[2:])


def _unchanged(clip: np.ndarray) -> np.ndarray:
    return clip


def _fast(clip: np.ndarray, of_pixel: np.ndarray, of_mean: np.ndarray) -> np.ndarray:
    # Only the gray of the mean matters, as neither saturation nor hue changes that.
    of_gray = of_mean.sum(axis=1)
    mix = np.empty((3, 4), np.float32)
    mix[:, :3] = of_pixel
    for frame, mean in zip(clip, _mean_grays(clip)):
        mix[:, 3] = of_gray * mean
        cv2.transform(frame, mix, dst=frame)
    return clip


def _exact(
    clip: np.ndarray,
    brightness: np.ndarray,
    contrast: np.ndarray,
    saturation: np.ndarray,
    hue: np.ndarray,
    is_gray: np.ndarray,
    order: np.ndarray,
    gray_first: np.ndarray,
) -> np.ndarray:
    operations = (
        (adjust_brightness, brightness),
        (adjust_contrast, contrast),
        (adjust_saturation, saturation),
        (adjust_hue, hue),
    )
    if is_gray and gray_first:
        clip = gray(clip)
    for number in order:
        operation, amount = operations[number]
        clip = operation(clip, float(amount))
    return gray(clip) if is_gray and not gray_first else clip


_IMPLEMENTATIONS: dict[str, Callable[..., np.ndarray]] = {
    "exact": _exact,
    "fast": _fast,
    "none": _unchanged,
}


def adjust_brightness(clip: np.ndarray, factor: float) -> np.ndarray:
    """Blends [T, S, S, 3] uint8 with black, in place, and returns it."""
    cv2.convertScaleAbs(_tall(clip), dst=_tall(clip), alpha=factor, beta=_CUT)
    return clip


def adjust_contrast(clip: np.ndarray, factor: float) -> np.ndarray:
    """Blends [T, S, S, 3] uint8 with the mean gray of each frame, in place."""
    for frame, mean in zip(clip, _mean_grays(clip)):
        shift = int(mean + 0.5) * (1.0 - factor) + _CUT
        cv2.addWeighted(frame, factor, frame, 0.0, shift, dst=frame)
    return clip


def adjust_saturation(clip: np.ndarray, factor: float) -> np.ndarray:
    """Blends [T, S, S, 3] uint8 with its gray version, in place."""
    mix = np.empty((3, 4), np.float32)
    mix[:, :3] = factor * np.eye(3) + (1.0 - factor) * np.array(LUMA)
    mix[:, 3] = _CUT
    cv2.transform(_tall(clip), mix, dst=_tall(clip))
    return clip


def adjust_hue(clip: np.ndarray, turns: float) -> np.ndarray:
    """Rotates the hue of [T, S, S, 3] uint8 by a fraction of a turn, in place."""
    tall = _tall(clip)
    cv2.cvtColor(tall, cv2.COLOR_RGB2HSV_FULL, dst=tall)
    # Bytes wrap around like hue does.  NumPy adds whole lines much faster than hues.
    lines = clip.reshape(len(tall), -1)
    lines += np.tile(np.array([int(turns * 255) % 256, 0, 0], np.uint8), tall.shape[1])
    cv2.cvtColor(tall, cv2.COLOR_HSV2RGB_FULL, dst=tall)
    return clip


def gray(clip: np.ndarray) -> np.ndarray:
    """Makes [T, S, S, 3] uint8 gray, in three equal channels, in place."""
    cv2.cvtColor(_grays(clip), cv2.COLOR_GRAY2RGB, dst=_tall(clip))
    return clip


def _grays(clip: np.ndarray) -> np.ndarray:
    """[T * S, S] uint8."""
    return cv2.cvtColor(_tall(clip), cv2.COLOR_RGB2GRAY)


def _mean_grays(clip: np.ndarray) -> list[float]:
    """Returns the mean gray level of each frame."""
    frames = _grays(clip).reshape(clip.shape[:3])
    return [cv2.mean(frame)[0] for frame in frames]
