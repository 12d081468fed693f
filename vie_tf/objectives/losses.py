"""The losses of VIE: similarities in, one value per video out.

Comes in: similarities of a batch of embeddings to rows of the memory bank, from
`vie_tf.objectives.bank.memory_bank`.  Goes out: a loss for every video, which the
training step averages over the global batch.

Letters: B batch, K negatives or background neighbors, N videos in the bank.
"""

from __future__ import annotations

from typing import Iterable

import tensorflow as tf

# Z / N of equation 2, as Wu et al. 2018 measured it on ImageNet.  The authors of
# VIE kept it; for random unit vectors in 128 dimensions at temperature 0.07 the
# expected value is exp(1 / (2 * 128 * 0.07 ** 2)) = 2.22, so it is no property of
# ImageNet.
IMAGENET_NORMALIZER = 2876934.2 / 1281167

_EPSILON = 1e-7  # keeps the logarithms finite, as in the authors' code


def instance_recognition_loss(
    data_similarities: tf.Tensor,
    noise_similarities: tf.Tensor,
    num_videos: int,
    temperature: float = 0.07,
    normalizer: float | tf.Tensor = IMAGENET_NORMALIZER,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Estimates -log P(i|e) of equation 3 by noise contrast, without weight decay.

    With P(i|e) = exp(e.v_i / temperature) / Z and Z = normalizer * N, the video
    itself is told apart from K videos drawn uniformly (Wu et al. 2018, eq. 7).

    Args:
      data_similarities: [B] float32, of each embedding to its own bank row.
      noise_similarities: [B, K] float32, to K rows drawn uniformly.
      num_videos: N, rows of the bank.
      temperature: tau in equation 2.
      normalizer: Z / N.

    Returns:
      The term of the video itself and the sum over its negatives, [B] each, which add
      up to the loss.
    """
    num_negatives = noise_similarities.shape[1]
    noise_density = num_negatives / num_videos  # K / N
    partition = normalizer * num_videos  # Z
    data = tf.exp(data_similarities / temperature) / partition  # [B]
    noise = tf.exp(noise_similarities / temperature) / partition  # [B, K]
    data_term = -tf.math.log(data / (data + noise_density + _EPSILON))
    noise_terms = -tf.math.log(noise_density / (noise + noise_density + _EPSILON))
    return data_term, tf.reduce_sum(noise_terms, axis=1)


def estimate_normalizer(
    noise_similarities: tf.Tensor, temperature: float = 0.07
) -> tf.Tensor:
    """Estimates Z / N of equation 2 from uniformly drawn similarities.

    Args:
      noise_similarities: float32 of any shape.
      temperature: tau in equation 2.

    Returns:
      Scalar, the mean over all of them; no gradient flows through it.
    """
    exponentials = tf.exp(noise_similarities / temperature)
    return tf.stop_gradient(tf.reduce_mean(exponentials))


def local_aggregation_loss(
    background_similarities: tf.Tensor,
    is_close: tf.Tensor,
    temperature: float = 0.07,
) -> tf.Tensor:
    """Computes -log P(C and B | e) / P(B | e) of equation 4, without weight decay.

    Args:
      background_similarities: [B, K] float32, of each embedding to the rows of its
        K background neighbors.
      is_close: [B, K] bool, which of them share a cluster with the video.
      temperature: tau in equation 2.

    Returns:
      [B] float32.  A video without any close neighbor among its background gets
      -log(1e-7), with no gradient, as in the authors' code.
    """
    exponentials = tf.exp(background_similarities / temperature)  # [B, K]
    close = tf.reduce_sum(tf.where(is_close, exponentials, 0.0), axis=1)
    background = tf.reduce_sum(exponentials, axis=1)
    return -tf.math.log(close / background + _EPSILON)


def softmax_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Computes -log P(label), as for the supervised networks of the paper's tables.

    Args:
      logits: [B, C] float32.
      labels: [B] integers in 0 .. C-1.

    Returns:
      [B] float32.
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def weight_decay_loss(variables: Iterable[tf.Variable], rate: float) -> tf.Tensor:
    """Computes the L2 term of equations 3 and 4: rate * sum(w ** 2) / 2.

    Args:
      variables: variables that are decayed; the authors leave out batch norm's.
      rate: lambda in equation 3.

    Returns:
      Scalar float32.
    """
    return rate * tf.add_n([tf.nn.l2_loss(variable) for variable in variables])
