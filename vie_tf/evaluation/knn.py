"""kNN classification of embeddings: neighbours in, accuracies out.

Comes in: similarities and labels of the nearest videos of each query, from
`vie_tf.memory_bank.nearest_rows`.  Goes out: class probabilities, then accuracies.

Letters: Q queries, k neighbours, C classes.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from vie_tf.memory_bank import nearest_rows

# Clips compared with the gallery at once: bounds the memory at 240k x 256 floats.
_QUERIES_AT_ONCE = 256


def class_probabilities(
    similarities: tf.Tensor,
    neighbor_labels: tf.Tensor,
    num_classes: int,
    temperature: float = 0.07,
) -> tf.Tensor:
    """Votes of the neighbours, weighted by exp(similarity / temperature).

    Args:
      similarities: [Q, k] float32.
      neighbor_labels: [Q, k] integers; a neighbour without a label (-1) has no vote.
      num_classes: C.
      temperature: of the weights (Wu et al. 2018).

    Returns:
      [Q, C] float32, every row of sum 1 (0 where no neighbour has a label).
    """
    weights = tf.exp(similarities / temperature)  # [Q, k]
    one_hot = tf.one_hot(neighbor_labels, num_classes)  # [Q, k, C]
    votes = tf.einsum("qk,qkc->qc", weights, one_hot)
    return tf.math.divide_no_nan(votes, tf.reduce_sum(votes, axis=1, keepdims=True))


def top_k_accuracy(probabilities: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Share of queries whose label is among the k most probable classes.

    Args:
      probabilities: [Q, C].
      labels: [Q] integers.
      k: with k >= C every query counts as right.

    Returns:
      A fraction.
    """
    if k >= probabilities.shape[1]:
        return 1.0
    # A stable sort, so that ties are resolved the same way everywhere.
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]  # [Q, k]
    return float(np.mean(np.any(best == labels[:, None], axis=1)))


def accuracies(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Top-1 and top-5 accuracy.

    Args:
      probabilities: [Q, C].
      labels: [Q] integers.

    Returns:
      `top1` and `top5` as fractions.
    """
    return {f"top{k}": top_k_accuracy(probabilities, labels, k) for k in (1, 5)}


def classify_videos(
    gallery: tf.Tensor,
    gallery_labels: np.ndarray,
    queries: np.ndarray,
    num_classes: int,
    *,
    k: int = 10,
    temperature: float = 0.07,
    own_rows: np.ndarray | None = None,
) -> np.ndarray:
    """Class probabilities of videos, averaged over their clips.

    Args:
      gallery: [N, D] float32, unit norm; for example the rows of the memory bank.
      gallery_labels: [N] integers.
      queries: [V, num_clips, D] float32, unit norm.
      num_classes: C.
      k: neighbours that vote; all of the gallery where it has fewer.
      temperature: of the weights.
      own_rows: [V] rows of the gallery that are the queries themselves and have no
        vote (leave-one-out); None where queries are not in the gallery.

    Returns:
      [V, C] float32.
    """
    num_videos, num_clips, dim = queries.shape
    excluded = 0 if own_rows is None else 1
    k = min(k, int(gallery.shape[0]) - excluded)
    labels = tf.convert_to_tensor(gallery_labels)
    clips = queries.reshape(-1, dim)  # [V * num_clips, D]
    own = None if own_rows is None else np.repeat(own_rows, num_clips)
    parts = []
    for start in range(0, len(clips), _QUERIES_AT_ONCE):
        chunk = slice(start, start + _QUERIES_AT_ONCE)
        similarities, rows = nearest_rows(
            gallery, tf.constant(clips[chunk]), k + excluded
        )
        if own is not None:
            is_own = rows == tf.constant(own[chunk], tf.int32)[:, None]
            # Below any similarity, so the own row is the one that falls out.
            similarities = tf.where(is_own, -2.0, similarities)
            similarities, order = tf.math.top_k(similarities, k)
            rows = tf.gather(rows, order, batch_dims=1)
        parts.append(
            class_probabilities(
                similarities, tf.gather(labels, rows), num_classes, temperature
            )
        )
    per_clip = tf.concat(parts, axis=0).numpy()
    return per_clip.reshape(num_videos, num_clips, num_classes).mean(axis=1)
