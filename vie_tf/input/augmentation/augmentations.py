"""Augmentation of clips: one random draw for all frames of a clip.

JPEG frames of one clip come in, a clip [T, S, S, C] uint8 goes out.  In this order: a
window is chosen (`crops`), that window alone is decoded, it is resized, gets its color
jitter (`color_jitter`) and is flipped or not.  The step before is `clip_source`, the
step after is batching.

Differences are of gray frames without color jitter: `ClipRecipe.input` says which
channels a clip has, and its frames are followed by as many later ones.

There are two implementations, equal within rounding: OpenCV's kernels (`opencv_ops`),
and TensorFlow's operations, which are slower but `portable`: they need no Python, so
the workers of a tf.data service can run them.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Sequence

import tensorflow as tf

from vie_tf.input.augmentation import color_jitter, crops, opencv_ops
from vie_tf.input.augmentation.color_jitter import ColorDraw
from vie_tf.input.later_frames import Repeats

FLIP_PROBABILITY = 0.5

# Factors by which a JPEG decoder can shrink while decoding.
_RATIOS = (1, 2, 4, 8)


def augment_for_training(
    frames: tf.Tensor,
    height: tf.Tensor,
    width: tf.Tensor,
    crop_size: int,
    seed: tf.Tensor,
    *,
    crop: str = "random_short_side_crop",
    min_crop_area: float = 0.08,
    color: str = "exact",
    gray_probability: float = 0.3,
    gray_first: bool = False,
    input: str = "frames",
    repeats: Repeats | None = None,
    frame_jitter: int = 0,
    portable: bool = False,
    window: tf.Tensor | None = None,
) -> tf.Tensor:
    """Augments one clip.

    Args:
      frames: JPEG strings of one clip, as `with_later_frames` lists them: [T], or [2 T]
        for differences.
      height: height of the frames in pixels, scalar int32.
      width: width of the frames in pixels, scalar int32.
      crop_size: S, in pixels.
      seed: [2] integers; the same seed gives the same clip.
      crop: a key of `crops.CROPS`.
      min_crop_area: least area of `random_resized_crop`, as a fraction of the frame.
      color: implementation of the color jitter, of `color_jitter.IMPLEMENTATIONS`.
      gray_probability: probability that the color jitter turns the clip gray.
      gray_first: whether it does so before its other operations.
      input: `frames`, `differences` or `both`, see `vie_tf.input.clip_recipe`.
      repeats: frames that are decoded once.
      frame_jitter: pixels by which each frame is moved by itself, with a color jitter
        of its own; 0 for frames that are augmented alike.
      portable: whether to use TensorFlow's operations alone.
      window: [4] int32 in place of the one that `crop` draws.

    Returns:
      [T, S, S, C] uint8.
    """
    draws = draw_numbers(seed)
    if window is None:
        window = window_of(height, width, draws, crop, min_crop_area)
    windows = decode_window(frames, window, crop_size, input, repeats)
    recolored = functools.partial(
        _recolored,
        implementation=color,
        gray=(gray_probability, gray_first),
        flip=is_flipped(draws),
        input=input,
        portable=portable,
    )
    if not frame_jitter:
        return recolored(windows, crop_size, draws[crops.NUM_DRAWS : -1])
    return _jittered(windows, crop_size, frame_jitter, seed, input, recolored)


def _recolored(
    windows: Sequence[tf.Tensor],
    size: int,
    draws: tf.Tensor,
    *,
    implementation: str,
    gray: tuple[float, bool],
    **options: Any,
) -> tf.Tensor:
    """Transforms windows by draws of the color jitter; see `transform`."""
    color = None if implementation == "none" else color_jitter.draw(draws, *gray)
    return transform(
        windows, size, implementation=implementation, color=color, **options
    )


def _jittered(
    windows: Sequence[tf.Tensor],
    crop_size: int,
    frame_jitter: int,
    seed: tf.Tensor,
    input: str,
    recolored: Callable[..., tf.Tensor],
) -> tf.Tensor:
    """Transforms each frame of a clip by itself, in a margin that it is moved within.

    Args:
      windows: as `decode_window` returns them.
      crop_size: S.
      frame_jitter: pixels.
      seed: seed of the clip.
      input: as for `augment_for_training`.
      recolored: transforms windows to a clip of a size, by draws of the color jitter.

    Returns:
      [T, S, S, C] uint8.
    """
    num_frames = len(windows) if input == "frames" else len(windows) // 2
    shape = [num_frames, color_jitter.NUM_DRAWS + 2]
    own_seed = tf.random.experimental.stateless_fold_in(seed, 1)
    draws = tf.random.stateless_uniform(shape, own_seed)
    margin = 2 * frame_jitter
    moves = tf.cast(draws[:, -2:] * (margin + 1), tf.int32)  # 0 .. margin
    moves = tf.minimum(moves, margin)
    clip = []
    for number in range(num_frames):
        own = windows[number::num_frames]  # with the later one of a difference
        whole = recolored(own, crop_size + margin, draws[number, :-2])[0]
        top, left = moves[number, 0], moves[number, 1]
        clip.append(whole[top : top + crop_size, left : left + crop_size])
    moved = tf.stack(clip)
    return tf.ensure_shape(moved, [num_frames, crop_size, crop_size, None])


def window_for_training(
    height: tf.Tensor,
    width: tf.Tensor,
    seed: tf.Tensor,
    crop: str,
    min_crop_area: float = 0.08,
) -> tf.Tensor:
    """Returns the window that `augment_for_training` takes, [4] int32."""
    return window_of(height, width, draw_numbers(seed), crop, min_crop_area)


def is_flipped(draws: tf.Tensor) -> tf.Tensor:
    """Returns whether a clip is mirrored, scalar bool, by its `draw_numbers`."""
    return draws[-1] < FLIP_PROBABILITY


def draw_numbers(seed: tf.Tensor) -> tf.Tensor:
    """Draws all random numbers of a clip: those of window, color and flip, [n]."""
    num_draws = crops.NUM_DRAWS + color_jitter.NUM_DRAWS + 1
    return tf.random.stateless_uniform([num_draws], seed)


def window_of(
    height: tf.Tensor,
    width: tf.Tensor,
    draws: tf.Tensor,
    crop: str,
    min_crop_area: float,
) -> tf.Tensor:
    """Returns the window of a crop, [4] int32, by the numbers of a clip."""
    draws = draws[: crops.NUM_DRAWS]
    if crop == "random_resized_crop":
        return crops.random_resized_crop(height, width, draws, min_crop_area)
    return crops.CROPS[crop](height, width, draws)


def transform_for_test(
    frames: tf.Tensor,
    height: tf.Tensor,
    width: tf.Tensor,
    crop_size: int,
    crop: str = "random_short_side_crop",
    input: str = "frames",
    repeats: Repeats | None = None,
) -> tf.Tensor:
    """Applies the test transform of section 4: resize and center crop.

    Networks that were trained with `multi_scale_crop` see the whole shortest side.
    Arguments and result are those of `augment_for_training`.
    """
    window = crops.TEST_WINDOWS[crop](height, width)
    windows = decode_window(frames, window, crop_size, input, repeats)
    return transform(windows, crop_size, input=input)


def decode_window(
    frames: tf.Tensor,
    window: tf.Tensor,
    crop_size: int,
    input: str = "frames",
    repeats: Repeats | None = None,
) -> list[tf.Tensor]:
    """Decodes one window of every frame.

    Where the window is at least twice the crop, the decoder shrinks it by 2, 4 or 8,
    which is faster and adds no aliasing.

    Args:
      frames: [T] JPEG strings.
      window: [4] int32: top, left, height and width in source pixels.
      crop_size: size that the window will be resized to, in pixels.
      input: `differences` decodes gray levels alone, which is faster.
      repeats: frames that are decoded once.

    Returns:
      T tensors [h, w, 3] uint8, no smaller than the crop if the window is not, or
      [h, w, 1] of gray levels.
    """
    channels = 1 if input == "differences" else 3
    number = _ratio_number(window, crop_size)

    def decode(sources: Sequence[int]) -> list[tf.Tensor]:
        def decode_shrunk(ratio: int) -> list[tf.Tensor]:
            shrunk = shrunk_window(window, ratio)
            # T operations, not a loop, so that TensorFlow may decode them in parallel.
            decoded = {
                t: tf.io.decode_and_crop_jpeg(
                    frames[t], shrunk, channels=channels, ratio=ratio
                )
                for t in set(sources)
            }
            return [decoded[t] for t in sources]

        return tf.switch_case(number, [lambda r=r: decode_shrunk(r) for r in _RATIOS])

    every_frame = range(frames.shape[0])
    if repeats is None:
        return decode(every_frame)
    return tf.cond(
        repeats.hold, lambda: decode(repeats.sources), lambda: decode(every_frame)
    )


def shrunk_window(window: tf.Tensor, ratio: tf.Tensor | int) -> tf.Tensor:
    """Returns a window in the pixels of frames that the decoder shrinks."""
    return tf.maximum(window // ratio, [0, 0, 1, 1])


def shrink_ratio(window: tf.Tensor, crop_size: int) -> tf.Tensor:
    """Returns by how much `decode_window` shrinks frames: 1, 2, 4 or 8."""
    return tf.gather(tf.constant(_RATIOS), _ratio_number(window, crop_size))


def _ratio_number(window: tf.Tensor, crop_size: int) -> tf.Tensor:
    smallest = tf.minimum(window[2], window[3])
    return sum(tf.cast(smallest >= r * crop_size, tf.int32) for r in _RATIOS[1:])


def transform(
    windows: Sequence[tf.Tensor],
    crop_size: int,
    *,
    implementation: str = "none",
    color: ColorDraw | None = None,
    flip: tf.Tensor | bool = False,
    input: str = "frames",
    portable: bool = False,
) -> tf.Tensor:
    """Resizes, recolors and flips decoded frames; arguments as in `opencv_ops`."""
    if not portable:
        return opencv_ops.transform(
            windows,
            crop_size,
            implementation=implementation,
            color=color,
            flip=flip,
            input=input,
        )
    frames = tf.image.resize(tf.stack(windows), [crop_size, crop_size])
    num_frames, parts = len(windows), []
    if input != "frames":
        num_frames //= 2
        gray = frames if input == "differences" else color_jitter.gray(frames)
        parts = [gray[:num_frames, ..., :1], gray[num_frames:, ..., :1]]
    if input != "differences":
        frames = frames[:num_frames]
        if implementation != "none":
            assert color is not None
            apply = {"exact": color_jitter.apply_exact, "fast": color_jitter.apply_fast}
            frames = apply[implementation](frames / 255.0, color) * 255.0
        parts = [frames, *parts]
    clip = tf.concat(parts, axis=-1)
    clip = tf.cast(tf.clip_by_value(tf.round(clip), 0.0, 255.0), tf.uint8)
    clip = tf.cond(flip, lambda: tf.reverse(clip, axis=[2]), lambda: clip)
    return tf.ensure_shape(clip, [num_frames, crop_size, crop_size, clip.shape[-1]])
