"""kNN classification of videos: features in, class probabilities and accuracies out.

The step before is `vie_tf.metrics.features`; `vie_tf.metrics.nearest` finds the
neighbors.

Letters: V videos, N gallery videos, Q queries, D dimension, k neighbors, C classes.
"""

from __future__ import annotations

import numpy as np

from vie_tf.metrics import nearest
from vie_tf.metrics.nearest import Matrix, Nearest

_LEAST_VOTE = 1e-290  # far enough from 0 to stay a number after normalization


def class_probabilities(
    similarities: np.ndarray,
    neighbor_labels: np.ndarray,
    num_classes: int,
    temperature: float = 0.07,
) -> np.ndarray:
    """Adds up the votes of all neighbors of a video's clips.

    A neighbor's vote weighs exp(similarity / temperature).  The votes of a clip are not
    normalized, so a clip with nearer neighbors counts more (authors' code).

    Args:
      similarities: [V, num_clips, k] floats.
      neighbor_labels: [V, num_clips, k] integers; a neighbor without a label (-1) has
        no vote.
      num_classes: C.
      temperature: temperature of the weights (Wu et al. 2018).

    Returns:
      [V, C] float64; a video sums to 1, or to 0 where no neighbor has a label.
    """
    num_videos = len(similarities)
    has_vote = neighbor_labels >= 0
    similarities = np.where(has_vote, similarities, -np.inf).astype(np.float64)
    # The exponential overflows at low temperatures; one factor for all clips of a video
    # cancels out.
    best = similarities.max(axis=(1, 2), keepdims=True, initial=-2.0)
    weights = np.exp((similarities - best) / temperature)
    # A vote that underflows is still a vote.
    weights = np.where(has_vote, np.maximum(weights, _LEAST_VOTE), 0.0)
    video_index = np.arange(num_videos)[:, None, None]
    cell = video_index * num_classes + np.maximum(neighbor_labels, 0)
    votes = np.bincount(cell.ravel(), weights.ravel(), num_videos * num_classes)
    votes = votes.reshape(num_videos, num_classes)
    total = votes.sum(axis=1, keepdims=True)
    return np.divide(votes, total, out=np.zeros_like(votes), where=total > 0)


def top_k_accuracy(probabilities: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Returns the fraction of queries with their label among the k top classes.

    Args:
      probabilities: [Q, C]; a class of probability 0 is not among the top classes.
      labels: [Q] integers in [0, C).
      k: number of classes.
    """
    # A stable sort resolves ties the same way everywhere.
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]  # [Q, k]
    is_right = np.any(best == labels[:, None], axis=1)
    has_votes = np.take_along_axis(probabilities, labels[:, None], axis=1)[:, 0] > 0
    return float(np.mean(is_right & has_votes))


def accuracies(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Returns `top1` and `top5` as fractions; arguments as of `top_k_accuracy`."""
    return {f"top{k}": top_k_accuracy(probabilities, labels, k) for k in (1, 5)}


def can_be_right(
    labels: np.ndarray, gallery_labels: np.ndarray, leaves_one_out: bool
) -> np.ndarray:
    """Returns which queries a leave-one-out classification can get right, [Q] bool.

    A query that is the only video of its class has no neighbor of its class once it is
    left out, so that it measures nothing.  Queries that are not in the gallery all
    count: that a class is missing there is a fault of the data, not of the protocol.

    Args:
      labels: [Q] integers, -1 for a query without a label.
      gallery_labels: [N] integers, of the queries as well if they are left out.
      leaves_one_out: whether queries are in the gallery and left out of it in turn.
    """
    has_label = labels >= 0
    if not leaves_one_out:
        return has_label
    counts = np.bincount(gallery_labels[gallery_labels >= 0], minlength=1)
    known = np.minimum(np.maximum(labels, 0), len(counts) - 1)
    return has_label & (labels < len(counts)) & (counts[known] > 1)


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
    """Computes class probabilities of videos from the votes of all their clips.

    Args:
      neighbors: k or more neighbors of every clip, from `neighbors_of_clips`.
      gallery_labels: [N] integers.
      num_classes: C.
      k: number of neighbors of a clip that vote.
      temperature: temperature of the weights.

    Returns:
      [V, C] float64.
    """
    return class_probabilities(
        neighbors.similarities[..., :k],
        np.asarray(gallery_labels)[neighbors.neighbor_index[..., :k]],
        num_classes,
        temperature,
    )


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
    """Finds neighbors and counts their votes, [V, C] float64.

    Arguments as of `neighbors_of_clips` and `video_probabilities`.
    """
    return video_probabilities(
        neighbors_of_clips(gallery, queries, k, own_index),
        gallery_labels,
        num_classes,
        k=k,
        temperature=temperature,
    )
