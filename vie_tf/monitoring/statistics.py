"""Statistics of clusters and of the rows of the memory bank.

TensorBoard shows them and `vie_tf.monitoring.alarms` judges them.

Letters: N rows of the bank, M clusters, P pairs.
"""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class ClusterStatistics:
    """Statistics of one clustering.

    Attributes:
      sizes: number of videos in each cluster, [M].
      changed_share: fraction of the videos whose label differs from that of the
        previous clustering; None if this is the first one.
    """

    sizes: np.ndarray
    changed_share: float | None

    @property
    def num_clusters(self) -> int:
        """M."""
        return len(self.sizes)

    @property
    def num_empty(self) -> int:
        """Number of clusters without a video."""
        return int(np.sum(self.sizes == 0))

    @property
    def perplexity(self) -> float:
        """exp(entropy) of the label of a random video: M if all sizes are equal."""
        return float(np.exp(_entropy(self.sizes)))

    @property
    def entropy(self) -> float:
        """Entropy of the label of a random video over log M: 1 for equal sizes."""
        if self.num_clusters == 1:
            return 1.0
        return _entropy(self.sizes) / float(np.log(self.num_clusters))

    def scalars(self) -> dict[str, float]:
        """Returns the statistics by name, for TensorBoard."""
        values = {
            "largest": float(self.sizes.max()),
            "empty": float(self.num_empty),
            "entropy": self.entropy,
            "perplexity": self.perplexity,
        }
        if self.changed_share is not None:
            values["changed_share"] = self.changed_share
        return values

    def describe(self) -> str:
        """Describes the clusters, for the terminal."""
        changed = ""
        if self.changed_share is not None:
            changed = f", {self.changed_share:.0%} of the labels changed"
        return (
            f"{self.num_clusters} clusters of {self.sizes.min()} to {self.sizes.max()}"
            f" videos (median {np.median(self.sizes):g}), {self.num_empty} empty,"
            f" perplexity {self.perplexity:.0f}{changed}"
        )


def cluster_statistics(
    labels: np.ndarray, num_clusters: int, old_labels: np.ndarray | None
) -> ClusterStatistics:
    """Computes the statistics of a clustering.

    Args:
      labels: cluster of each video, integers in [0, M), [N].
      num_clusters: M.
      old_labels: labels of the previous clustering, [N].  This one started from its
        centroids, so that a cluster has the same label in both.
    """
    changed_share = None
    if old_labels is not None:
        changed_share = float(np.mean(labels != old_labels))
    return ClusterStatistics(np.bincount(labels, minlength=num_clusters), changed_share)


def alignment(similarity_to_own_row: float) -> float:
    """Mean squared distance of embeddings to their own rows, 0 to 4; lower is better.

    Wang and Isola 2020 compare two augmentations of one image; here the row stands
    for the earlier clips of the video.

    Args:
      similarity_to_own_row: mean cosine similarity over the batch.
    """
    return 2.0 - 2.0 * similarity_to_own_row


def uniformity(similarities: np.ndarray) -> float:
    """Log of the mean of exp(-2 |x - y|^2) over pairs; lower is more uniform.

    0 if all rows coincide, near -4 if they are spread evenly (Wang and Isola 2020).

    Args:
      similarities: cosine similarities of random pairs of rows, [P].
    """
    return float(np.log(np.mean(np.exp(-2.0 * (2.0 - 2.0 * similarities)))))


def _entropy(sizes: np.ndarray) -> float:
    fractions = sizes[sizes > 0] / sizes.sum()
    return float(-np.sum(fractions * np.log(fractions)))
