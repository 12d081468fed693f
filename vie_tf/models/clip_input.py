"""Input of a network: checks of a batch of clips, and their normalization.

Clips are uint8 until they reach the device; only the network scales their colors, and
subtracts and scales their differences.
"""

from __future__ import annotations

import tensorflow as tf

from vie_tf.input.augmentation import differences
from vie_tf.models.layers import sizes_of

# Mean and standard deviation of ImageNet's channels in [0, 1]; the authors use them for
# every data set.
CHANNEL_MEAN = (0.485, 0.456, 0.406)
CHANNEL_STD = (0.229, 0.224, 0.225)

# Five halvings (stem, pool, three stages) leave one position of 32 pixels.
MIN_CROP_SIZE = 32


# Channels of a clip by `--input`, see `vie_tf.input.clip_recipe`.
NUM_CHANNELS = {"frames": 3, "differences": 2, "both": 5, "lab": 3, "later": 3}
# Inputs of two streams, and what each stream sees of the clip.
PAIRED_INPUTS = {
    "both": ("frames", "differences"),
    "lab": ("light", "color"),
    "later": ("frames", "frames"),  # of its first and of its second half
}
# Those of `lab` are given the frames.
NUM_CHANNELS.update(light=3, color=3)
# Range of L, a and b of colors that a screen can show (Tian et al. 2019, their code).
_LAB_LOW, _LAB_HIGH = (0.0, -86.183, -107.857), (100.0, 98.233, 94.478)
# Linear red, green and blue to X, Y and Z, relative to the white of D65.
_TO_XYZ = (
    (0.412453 / 0.950456, 0.357580 / 0.950456, 0.180423 / 0.950456),
    (0.212671, 0.715160, 0.072169),
    (0.019334 / 1.088754, 0.119193 / 1.088754, 0.950227 / 1.088754),
)


def check_clips(
    clips: tf.Tensor, num_frames: int, name: str, input: str = "frames"
) -> None:
    """Checks that clips suit a network; sizes that are not static are not checked.

    Args:
        clips: Input of the network, [B, T, H, W, C] uint8.
        num_frames: Number of frames that the network takes.
        name: Name of the network, for the message.
        input: What it takes, a key of `NUM_CHANNELS`.

    Raises:
        ValueError: If the dtype is not uint8, the rank not 5, the number of frames
            or of channels wrong, or the frames smaller than 32 pixels.
    """
    dtype, shape = tf.as_dtype(clips.dtype), tf.TensorShape(clips.shape)
    if dtype != tf.uint8:
        raise ValueError(
            f"{name} takes uint8 clips in 0..255, not {dtype.name}: the model scales "
            "them itself."
        )
    if shape.rank is None:
        return
    if shape.rank != 5:
        raise ValueError(
            f"{name} takes clips of shape [B, T, H, W, {NUM_CHANNELS[input]}], not "
            f"{shape.as_list()}; "
            "one frame is a clip with T = 1."
        )
    _, frames, height, width, channels = shape.as_list()
    if frames not in (None, num_frames):
        raise ValueError(
            f"{name} takes clips of {num_frames} frames, not of {frames} "
            f"(shape {shape.as_list()})."
        )
    if channels not in (None, NUM_CHANNELS[input]):
        kind = "color channels" if input == "frames" else f"channels of {input}"
        raise ValueError(f"{name} takes {NUM_CHANNELS[input]} {kind}, not {channels}.")
    if min(height or MIN_CROP_SIZE, width or MIN_CROP_SIZE) < MIN_CROP_SIZE:
        raise ValueError(
            f"{name} halves the frames five times, so they need {MIN_CROP_SIZE} "
            f"pixels a side, not {height} x {width}."
        )


def prepare(clips: tf.Tensor, input: str, dtype: tf.DType) -> tf.Tensor:
    """Maps clips to what the first layer is given.

    Args:
        clips: [B, T, H, W, 3] uint8 of frames, or [B, T, H, W, 2] of `differences`.
        input: `frames`, `differences`, `light` or `color`.
        dtype: Dtype of the result; the arithmetic is done in float32.

    Returns:
        [B, T, H, W, 3] normalized colors, [B, T, H, W, 1] scaled differences or light,
        or [B, T, H, W, 2] colors a and b without the light.
    """
    if input in PAIRED_INPUTS["lab"]:
        scaled = scaled_lab(clips)
        return tf.cast(scaled[..., :1] if input == "light" else scaled[..., 1:], dtype)
    if input == "differences":
        return tf.cast(differences.normalized_differences(clips), dtype)
    return normalize(clips, dtype)


def normalize(clips: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Scales bytes to zero mean and unit variance per channel.

    Args:
        clips: [..., 3] uint8.
        dtype: Dtype of the result; the arithmetic is done in float32.

    Returns:
        [..., 3], same shape.
    """
    sizes = sizes_of(clips)
    width, num_channels = sizes[-2:]
    # Whole lines of pixels: three numbers for each pixel take three times as long.
    lines = tf.reshape(clips, [-1, width * num_channels])
    unit = tf.cast(lines, tf.float32) / 255.0
    mean, std = (tf.tile(values, [width]) for values in (CHANNEL_MEAN, CHANNEL_STD))
    return tf.reshape(tf.cast((unit - mean) / std, dtype), sizes)


def scaled_lab(clips: tf.Tensor) -> tf.Tensor:
    """Converts sRGB to CIE L*a*b*, each channel scaled to about -1 .. 1.

    Args:
        clips: [..., 3] uint8.

    Returns:
        [..., 3] float32, same shape.
    """
    unit = tf.cast(clips, tf.float32) / 255.0
    linear = tf.where(unit > 0.04045, ((unit + 0.055) / 1.055) ** 2.4, unit / 12.92)
    xyz = tf.linalg.matvec(tf.constant(_TO_XYZ), linear)
    roots = tf.where(xyz > 0.008856, xyz ** (1 / 3), 7.787 * xyz + 16 / 116)
    x, y, z = tf.unstack(roots, axis=-1)
    lab = tf.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
    low, high = tf.constant(_LAB_LOW), tf.constant(_LAB_HIGH)
    return (lab - (low + high) / 2) / ((high - low) / 2)
