"""What a network is given: checks of a batch of clips, and their normalization.

Comes in: uint8 clips [B, T, H, W, 3] as `input_pipeline` makes them.  Goes out:
normalized clips in the compute dtype, for the networks.  Bytes travel to the
device, so scaling happens here and nowhere before.
"""

from __future__ import annotations

import tensorflow as tf

# Mean and standard deviation of ImageNet's channels on a scale of [0, 1], as used
# by the authors for every data set.
CHANNEL_MEAN = (0.485, 0.456, 0.406)
CHANNEL_STD = (0.229, 0.224, 0.225)

# Five halvings (stem, pool, three stages) leave one position of 32 pixels.
MIN_CROP_SIZE = 32


def check_clips(clips: tf.Tensor, num_frames: int, name: str) -> None:
    """Refuses clips that a network cannot mean anything on.

    Only what is known before the call is checked; unknown sizes pass.

    Args:
        clips: Tensor or array to be given to a network.
        num_frames: Number of frames that the network takes.
        name: Name of the network, for the message.

    Raises:
        ValueError: If the dtype is not uint8, the rank not 5, the number of frames
            or of channels wrong, or the frames smaller than 32 pixels.
    """
    dtype, shape = tf.as_dtype(clips.dtype), tf.TensorShape(clips.shape)
    if dtype != tf.uint8:
        raise ValueError(
            f"{name} takes uint8 clips in 0..255, not {dtype.name}: scaling to [0, 1] "
            "happens inside the model."
        )
    if shape.rank is None:
        return
    if shape.rank != 5:
        raise ValueError(
            f"{name} takes clips of shape [B, T, H, W, 3], not {shape.as_list()}; "
            "one frame is a clip with T = 1."
        )
    _, frames, height, width, channels = shape.as_list()
    if frames not in (None, num_frames):
        raise ValueError(
            f"{name} takes clips of {num_frames} frames, not of {frames} "
            f"(shape {shape.as_list()})."
        )
    if channels not in (None, 3):
        raise ValueError(f"{name} takes 3 color channels, not {channels}.")
    if min(height or MIN_CROP_SIZE, width or MIN_CROP_SIZE) < MIN_CROP_SIZE:
        raise ValueError(
            f"{name} halves the frames five times, so they need {MIN_CROP_SIZE} "
            f"pixels a side, not {height} x {width}."
        )


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
