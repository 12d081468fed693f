"""Resize, color jitter and flip of a clip on bytes, by OpenCV's vectorized kernels.

They are the transforms of `vie_tf.input.augmentations`, several times faster than
TensorFlow's operations (`python -m benchmarks.input_pipeline`).  Rounding is Pillow's
where that is cheap: brightness, contrast and saturation are cut down to whole numbers,
hue has 256 steps of a turn.  Python runs a few lines for each clip; the kernels release
the interpreter.

Letters: T frames, S height and width of the crop.
"""

from __future__ import annotations

from typing import Callable, Sequence

import cv2
import numpy as np
import tensorflow as tf

from vie_tf.input import color_jitter
from vie_tf.input.color_jitter import LUMA, ColorDraw

# Added before OpenCV rounds to the nearest number, to cut down as Pillow does.
_CUT = -0.498


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
    # tf.data transforms many clips at once; threads of OpenCV would only wait.
    cv2.setNumThreads(1)
    arguments: tuple = ()
    if implementation == "exact":
        assert color is not None
        arguments = tuple(color)
    elif implementation == "fast":
        assert color is not None
        arguments = color_jitter.affine(color)
    recolor = _IMPLEMENTATIONS[implementation]
    count = len(arguments)

    def run(flip: np.ndarray, *rest: np.ndarray) -> np.ndarray:
        frames = _resized(rest[count:], crop_size)
        if flip:
            frames = _flipped(frames)
        if input == "frames":
            return recolor(frames, *rest[:count])
        pairs = _gray_pairs(frames)
        if input == "differences":
            return pairs
        colors = recolor(frames[: len(pairs)], *rest[:count])
        return np.concatenate([colors, pairs], axis=-1)

    clip = tf.numpy_function(
        run, [flip, *arguments, *windows], tf.uint8, stateful=False
    )
    num_frames, num_channels = len(windows), 3
    if input != "frames":
        num_frames, num_channels = num_frames // 2, 2 if input == "differences" else 5
    return tf.ensure_shape(clip, [num_frames, crop_size, crop_size, num_channels])


def _resized(frames: Sequence[np.ndarray], size: int) -> np.ndarray:
    clip = np.empty((len(frames), size, size, frames[0].shape[-1]), np.uint8)
    for frame, target in zip(frames, clip):
        cv2.resize(frame, (size, size), dst=target, interpolation=cv2.INTER_LINEAR)
    return clip


def _gray_pairs(frames: np.ndarray) -> np.ndarray:
    """Returns gray levels of [2 T, S, S, C] frames, two by two: [T, S, S, 2]."""
    gray = frames if frames.shape[-1] == 1 else _grays(frames).reshape(frames.shape[:3])
    first, later = np.split(gray.reshape(frames.shape[:3]), 2)
    return np.stack([first, later], axis=-1)


def _flipped(clip: np.ndarray) -> np.ndarray:
    result = np.empty_like(clip)
    cv2.flip(_tall(clip), 1, dst=_tall(result))
    return result


def _tall(clip: np.ndarray) -> np.ndarray:
    """Puts all frames below each other, for one call of OpenCV instead of T."""
    return clip.reshape(-1, *clip.shape[2:])


def _unchanged(clip: np.ndarray) -> np.ndarray:
    return clip


def _fast(clip: np.ndarray, of_pixel: np.ndarray, of_mean: np.ndarray) -> np.ndarray:
    result = np.empty_like(clip)
    # Only the gray of the mean matters, as neither saturation nor hue changes that.
    of_gray = of_mean.sum(axis=1)
    for frame, target, mean in zip(clip, result, _mean_grays(clip)):
        cv2.transform(frame, np.column_stack([of_pixel, of_gray * mean]), dst=target)
    return result


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
    """Blends [T, S, S, 3] uint8 with black."""
    return cv2.convertScaleAbs(_tall(clip), alpha=factor, beta=_CUT).reshape(clip.shape)


def adjust_contrast(clip: np.ndarray, factor: float) -> np.ndarray:
    """Blends [T, S, S, 3] uint8 with the mean gray of each frame."""
    result = np.empty_like(clip)
    for frame, target, mean in zip(clip, result, _mean_grays(clip)):
        shift = int(mean + 0.5) * (1.0 - factor) + _CUT
        cv2.addWeighted(frame, factor, frame, 0.0, shift, dst=target)
    return result


def adjust_saturation(clip: np.ndarray, factor: float) -> np.ndarray:
    """Blends [T, S, S, 3] uint8 with its gray version."""
    mix = np.empty((3, 4), np.float32)
    mix[:, :3] = factor * np.eye(3) + (1.0 - factor) * np.array(LUMA)
    mix[:, 3] = _CUT
    return cv2.transform(_tall(clip), mix).reshape(clip.shape)


def adjust_hue(clip: np.ndarray, turns: float) -> np.ndarray:
    """Rotates the hue of [T, S, S, 3] uint8 by a fraction of a full turn."""
    hsv = cv2.cvtColor(_tall(clip), cv2.COLOR_RGB2HSV_FULL)
    # Bytes wrap around like hue does.
    hsv[..., 0] += np.uint8(int(turns * 255) % 256)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL).reshape(clip.shape)


def gray(clip: np.ndarray) -> np.ndarray:
    """Returns the gray version of [T, S, S, 3] uint8, in three equal channels."""
    return cv2.cvtColor(_grays(clip), cv2.COLOR_GRAY2RGB).reshape(clip.shape)


def _grays(clip: np.ndarray) -> np.ndarray:
    """[T * S, S] uint8."""
    return cv2.cvtColor(_tall(clip), cv2.COLOR_RGB2GRAY)


def _mean_grays(clip: np.ndarray) -> list[float]:
    """Returns the mean gray level of each frame."""
    frames = _grays(clip).reshape(clip.shape[:3])
    return [cv2.mean(frame)[0] for frame in frames]
