"""kNN classification of videos: features in, class probabilities and accuracies out.

The step before is `vie_tf.metrics.features`; `vie_tf.metrics.nearest` finds the
neighbors.

Letters: V videos, N gallery videos, Q queries, D dimension, k neighbors, C classes.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from vie_tf.metrics import nearest
from vie_tf.metrics.nearest import Matrix, Nearest

# Clips whose votes are counted at once: bounds the memory at 256 x k x C floats.
_CLIPS_AT_ONCE = 256


def class_probabilities(
    similarities: tf.Tensor,
    neighbor_labels: tf.Tensor,
    num_classes: int,
    temperature: float = 0.07,
) -> tf.Tensor:
    """Counts the votes of neighbors, weighted by exp(similarity / temperature).

    Args:
      similarities: [Q, k] float32.
      neighbor_labels: [Q, k] integers; a neighbor without a label (-1) has no vote.
      num_classes: C.
      temperature: temperature of the weights (Wu et al. 2018).

    Returns:
      [Q, C] float32; each query sums to 1, or to 0 where no neighbor has a label.
    """
    # The exponential overflows at low temperatures; a common factor cancels out.
    has_vote = neighbor_labels >= 0
    best = tf.reduce_max(
        tf.where(has_vote, similarities, -1.0), axis=1, keepdims=True
    )  # [Q, 1]
    weights = tf.exp(tf.minimum(similarities - best, 0.0) / temperature)  # [Q, k]
    one_hot = tf.one_hot(neighbor_labels, num_classes)  # [Q, k, C]
    votes = tf.einsum("qk,qkc->qc", weights, one_hot)
    return tf.math.divide_no_nan(votes, tf.reduce_sum(votes, axis=1, keepdims=True))


def top_k_accuracy(probabilities: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Returns the fraction of queries with their label among the k top classes.

    Args:
      probabilities: [Q, C]; a query without votes (all zeros) counts as wrong.
      labels: [Q] integers.
      k: with k >= C every other query counts as right.
    """
    has_votes = np.any(probabilities != 0, axis=1)  # [Q]
    if k >= probabilities.shape[1]:
        return float(np.mean(has_votes))
    # A stable sort resolves ties the same way everywhere.
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]  # [Q, k]
    is_right = np.any(best == labels[:, None], axis=1)
    return float(np.mean(is_right & has_votes))


def accuracies(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Returns `top1` and `top5` as fractions; arguments as of `top_k_accuracy`."""
    return {f"top{k}": top_k_accuracy(probabilities, labels, k) for k in (1, 5)}


def neighbors_of_clips(
    gallery: Matrix, queries: np.ndarray, k: int, own_index: np.ndarray | None = None
) -> Nearest:
    """Finds the nearest gallery videos of every clip.

    Args:
      gallery: [N, D] float32, unit norm; for example the memory bank.
      queries: [V, num_clips, D] float32, unit norm.
      k: number of neighbors; all of the gallery where it is smaller.
      own_index: [V] positions of the queries themselves in the gallery, which are no
        neighbors (leave-one-out); None where queries are not in the gallery.

    Returns:
      Positions and similarities, [V, num_clips, k] each.
    """
    num_videos, num_clips, dim = queries.shape
    own = None if own_index is None else np.repeat(own_index, num_clips)
    found = nearest.search(gallery, queries.reshape(-1, dim), k, own)
    shape = [num_videos, num_clips, -1]
    return Nearest(*(array.reshape(shape) for array in found))


def video_probabilities(
    neighbors: Nearest,
    gallery_labels: np.ndarray,
    num_classes: int,
    *,
    k: int = 10,
    temperature: float = 0.07,
) -> np.ndarray:
    """Computes class probabilities of videos, averaged over their clips.

    Args:
      neighbors: k or more neighbors of every clip, from `neighbors_of_clips`.
      gallery_labels: [N] integers.
      num_classes: C.
      k: number of neighbors that vote.
      temperature: temperature of the weights.

    Returns:
      [V, C] float32.
    """
    num_videos, num_clips = neighbors.neighbor_index.shape[:2]
    neighbor_index = neighbors.neighbor_index[..., :k].reshape(
        num_videos * num_clips, -1
    )
    similarities = neighbors.similarities[..., :k].reshape(neighbor_index.shape)
    labels = np.asarray(gallery_labels)[neighbor_index]  # [V * num_clips, k]
    step = max(_CLIPS_AT_ONCE // num_clips, 1) * num_clips  # whole videos
    means = []
    for start in range(0, len(labels), step):
        part = slice(start, start + step)
        per_clip = class_probabilities(
            similarities[part], labels[part], num_classes, temperature
        )
        means.append(per_clip.numpy().reshape(-1, num_clips, num_classes).mean(axis=1))
    return np.concatenate(means)


def classify_videos(
    gallery: Matrix,
    gallery_labels: np.ndarray,
    queries: np.ndarray,
    num_classes: int,
    *,
    k: int = 10,
    temperature: float = 0.07,
    own_index: np.ndarray | None = None,
) -> np.ndarray:
    """Finds neighbors and counts their votes, [V, C] float32.

    Arguments as of `neighbors_of_clips` and `video_probabilities`.
    """
    return video_probabilities(
        neighbors_of_clips(gallery, queries, k, own_index),
        gallery_labels,
        num_classes,
        k=k,
        temperature=temperature,
    )
