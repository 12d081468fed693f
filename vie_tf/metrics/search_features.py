"""What videos are searched by: layers before the global average, with their places.

The embedding says which video a clip is of; `conv3` and `conv4` know more of what
happens where, and training shows there best (docs/small_collections.md).  A video is
described by the mean of its clips, and by how much they differ: their standard
deviation.

Letters: B clips, V videos, P places, C channels; D the numbers of all layers, P * C of
each.
"""

from __future__ import annotations

import math
from typing import Collection

import numpy as np
import tensorflow as tf

from vie_tf.models.embedder import ClipModel

SEARCH_FEATURES = "search_features"  # the name of the array
NUM_COMPONENTS = 128  # of a video, which its features become
_LAYERS = ("conv3", "conv4")
_MAX_SIDE = 6  # places along each side
_MAX_SIZE = 1152  # P * C, so that 100,000 videos need 2 GB of disk

Widths = tuple[tuple[int, ...], ...]


def stream_widths(
    model: ClipModel, clip: tf.Tensor, endpoints: Collection[str]
) -> Widths:
    """Returns the channels of each layer in each stream of a network.

    Args:
      model: network of the run.
      clip: one clip that suits it.
      endpoints: names of the network's endpoints.

    Returns:
      Numbers of channels, of the streams of one layer after the other; nothing for a
      network without these layers.
    """
    if not all(name in endpoints for name in _LAYERS):
        return ()
    streams = model.layer_streams(clip)
    return tuple(tuple(int(s.shape[-1]) for s in streams[name]) for name in _LAYERS)


def of_clips(endpoints: dict[str, tf.Tensor], widths: Widths) -> dict[str, tf.Tensor]:
    """Computes the search features of clips.

    Args:
      endpoints: endpoints of the network.
      widths: result of `stream_widths`.

    Returns:
      `SEARCH_FEATURES`: [B, D] float32, one layer and one stream after the other;
      nothing for a network without the layers.
    """
    if not widths:
        return {}
    parts = []
    for name, channels in zip(_LAYERS, widths):
        layer = tf.reduce_mean(tf.cast(endpoints[name], tf.float32), axis=1)
        # Averages of equal parts; [B, h, w, C] as it is where it is small enough.
        size = places(tuple(layer.shape[1:3]), channels)
        layer = tf.image.resize(layer, size, method="area")
        for part in tf.split(layer, channels, axis=-1):
            parts.append(tf.reshape(part, [-1, size[0] * size[1] * part.shape[-1]]))
    return {SEARCH_FEATURES: tf.concat(parts, axis=-1)}


def places(size: tuple[int, int], channels: tuple[int, ...]) -> tuple[int, int]:
    """Returns the rows and columns of places that are kept of a layer.

    Args:
      size: rows and columns of the layer.
      channels: its channels in each stream.
    """
    side = max(min(_MAX_SIDE, math.isqrt(_MAX_SIZE // max(channels))), 1)
    return min(side, size[0]), min(side, size[1])


def of_videos(clip_features: np.ndarray) -> np.ndarray:
    """Describes videos by the mean and the standard deviation of their clips.

    Args:
      clip_features: [V, num_clips, D] float32.

    Returns:
      [V, 2 * D] float32; the second half is 0 where a video has one clip.
    """
    return np.concatenate([clip_features.mean(axis=1), clip_features.std(axis=1)], 1)


def block_sizes(endpoints: dict[str, tf.Tensor], widths: Widths) -> list[int]:
    """Returns the sizes of the parts of a video's features, which weigh the same.

    They are the streams of each layer, for the means and then for the deviations.

    Args:
      endpoints: endpoints of the network.
      widths: result of `stream_widths`.
    """
    sizes = []
    for name, channels in zip(_LAYERS, widths):
        rows, columns = places(tuple(endpoints[name].shape[2:4]), channels)
        sizes += [rows * columns * width for width in channels]
    return sizes * 2
