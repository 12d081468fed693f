"""Heads, which map the pooled features of a clip's frames to one vector.

They take pooled features [B, T', C] in float32 (T' = 1 for 3-D backbones) and return
`pooled` [B, F] and an output [B, D]: the embedding before its final normalization, or
the logits of a classifier.  With D = 0 there is no dense layer, and the output is
`pooled` (objectives with a head of their own).

Heads compute in float32 under every precision, because the losses divide similarities
by a temperature of 0.07.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import tensorflow as tf

from vie_tf.keras import keras

# Zhou et al. 2018, multi-scale TRN: hidden units of the MLP of each scale.
RELATION_UNITS = 256
# Relations of a scale that are computed for a batch.
MAX_RELATIONS = 8


def _dense(units: int) -> keras.layers.Dense:
    """Makes the last layer, which returns what it is given if it has no units."""
    if not units:
        return keras.layers.Layer(dtype="float32")
    return keras.layers.Dense(units, dtype="float32")


def _concat_frames(features: tf.Tensor) -> tf.Tensor:
    """Concatenates the frames of [..., T, C] in temporal order: [..., T*C]."""
    *batch, num_frames, channels = features.shape
    return tf.reshape(features, [-1, *batch[1:], num_frames * channels])


class FrameConcat(keras.layers.Layer):
    """Concatenates the frames in temporal order and applies one dense layer.

    With several frames this is VIE-TRN (paper, section 3, family 3, and appendix B);
    with one frame it is the dense head of 3-D backbones.

    Args:
        embedding_dim: D.
    """

    def __init__(self, embedding_dim: int, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.dense = _dense(embedding_dim)

    def call(
        self, features: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps [B, T, C] float32 to `pooled` [B, T*C] and the raw embedding [B, D]."""
        pooled = _concat_frames(features)
        return pooled, self.dense(pooled)


class FrameMean(keras.layers.Layer):
    """Maps each frame to a vector and averages the vectors.

    With one frame this is VIE-Single; with the clip of another family it is
    Input-Single (paper, appendix C: the outputs of all frames are averaged).

    Args:
        embedding_dim: D.
        of_unit_vectors: Whether vectors are normalized before they are averaged, as
            embeddings are and logits are not.
    """

    def __init__(
        self, embedding_dim: int, of_unit_vectors: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.of_unit_vectors = of_unit_vectors
        self.dense = _dense(embedding_dim)

    def call(
        self, features: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps [B, T, C] float32 to `pooled` [B, C] and the raw embedding [B, D]."""
        frames = self.dense(features)  # [B, T, D]
        if self.of_unit_vectors:
            frames = tf.math.l2_normalize(frames, axis=-1)
        return tf.reduce_mean(features, axis=1), tf.reduce_mean(frames, axis=1)


class FramePool(keras.layers.Layer):
    """Averages the features of the frames, without weights of its own.

    It stands in for a head where one layer reads the features of several networks.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)

    def call(
        self, features: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps [B, T, C] float32 to `pooled` [B, C], twice."""
        pooled = tf.reduce_mean(features, axis=1)
        return pooled, pooled


class MultiScaleRelation(keras.layers.Layer):
    """Adds up relations between pairs, triples, ... of ordered frames.

    For each scale s = 2 .. T, an MLP g_s takes s frames in temporal order; the raw
    embedding sums g_s over scales and over subsets of frames.  Training draws at most
    `MAX_RELATIONS` subsets of each scale for a batch; inference takes as many at equal
    distances in the list of all subsets, so that a clip always has the same embedding.
    All subsets of four frames are taken: six pairs, four triples and one quadruple.

    Source: Zhou et al. 2018, section 3.1-3.2 (multi-scale TRN), an alternative to the
    concatenation that the paper uses.

    Args:
        embedding_dim: D.
        num_frames: T, at least 2.
        average: Whether the relations of a scale are averaged instead of added, so
            that all scales have the same weight.
    """

    def __init__(
        self, embedding_dim: int, num_frames: int, average: bool, **kwargs: Any
    ) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.average = average
        self.subsets = [
            np.array(list(itertools.combinations(range(num_frames), scale)))
            for scale in range(2, num_frames + 1)
        ]  # for each scale [number of subsets, s]
        self.hidden_layers = [
            keras.layers.Dense(RELATION_UNITS, "relu", dtype="float32")
            for _ in self.subsets
        ]
        self.output_layers = [_dense(embedding_dim) for _ in self.subsets]

    def call(
        self, features: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps [B, T, C] float32 to `pooled` [B, T*C] and the raw embedding [B, D]."""
        reduce = tf.reduce_mean if self.average else tf.reduce_sum
        scales = []
        for subsets, hidden, output in zip(
            self.subsets, self.hidden_layers, self.output_layers
        ):
            chosen = _choose(subsets, training)  # [R, s]
            tuples = tf.gather(features, chosen, axis=1)  # [B, R, s, C]
            relations = output(hidden(_concat_frames(tuples)))  # [B, R, D]
            scales.append(reduce(relations, axis=1))  # [B, D]
        return _concat_frames(features), tf.add_n(scales)


def _choose(subsets: np.ndarray, training: bool) -> tf.Tensor:
    """Selects at most `MAX_RELATIONS` subsets of [R, s]."""
    num_taken = min(len(subsets), MAX_RELATIONS)
    if num_taken == len(subsets):
        return tf.constant(subsets)
    if training:
        return tf.random.shuffle(subsets)[:num_taken]
    rows = np.linspace(0, len(subsets) - 1, num_taken).round().astype(int)
    return tf.constant(subsets[rows])
