"""Input of a network: checks of a batch of clips, and their normalization.

Clips are uint8 until they reach the device; only the network scales their colors, and
subtracts and scales their differences.
"""

from __future__ import annotations

import tensorflow as tf

from vie_tf.input import differences

# Mean and standard deviation of ImageNet's channels in [0, 1]; the authors use them for
# every data set.
CHANNEL_MEAN = (0.485, 0.456, 0.406)
CHANNEL_STD = (0.229, 0.224, 0.225)

# Five halvings (stem, pool, three stages) leave one position of 32 pixels.
MIN_CROP_SIZE = 32


# Channels of a clip by `--input`, see `vie_tf.input.clip_recipe`.
NUM_CHANNELS = {"frames": 3, "differences": 2, "both": 5}


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
        clips: [B, T, H, W, 3] uint8 of `frames`, or [B, T, H, W, 2] of `differences`.
        input: One of the two.
        dtype: Dtype of the result; the arithmetic is done in float32.

    Returns:
        [B, T, H, W, 3] normalized colors, or [B, T, H, W, 1] scaled differences.
    """
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
    unit = tf.cast(clips, tf.float32) / 255.0
    return tf.cast((unit - CHANNEL_MEAN) / CHANNEL_STD, dtype)
