"""What a run looks like in numbers: its clusters, and the rows of its memory bank.

Comes in: labels and similarities.  Goes out: facts that TensorBoard shows and
`vie_tf.monitoring.alarms` judges.  All functions are pure.

Letters: N rows of the bank, M clusters, P pairs.
"""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class ClusterStatistics:
    """What one clustering looks like.

    Attributes:
      sizes: [M] videos in each cluster.
      changed_share: share of the videos whose label is not that of the last
        clustering; None if this is the first.
    """

    sizes: np.ndarray
    changed_share: float | None

    @property
    def num_clusters(self) -> int:
        """M."""
        return len(self.sizes)

    @property
    def num_empty(self) -> int:
        """Clusters without a video."""
        return int(np.sum(self.sizes == 0))

    @property
    def effective_number(self) -> float:
        """exp(entropy): the number of equal clusters that would be as uncertain."""
        return float(np.exp(_entropy(self.sizes)))

    @property
    def entropy(self) -> float:
        """Entropy of the label of a random video over log M: 1 if sizes are equal."""
        if self.num_clusters == 1:
            return 1.0
        return _entropy(self.sizes) / float(np.log(self.num_clusters))

    def scalars(self) -> dict[str, float]:
        """By name, for TensorBoard."""
        values = {
            "largest": float(self.sizes.max()),
            "empty": float(self.num_empty),
            "entropy": self.entropy,
            "effective_number": self.effective_number,
        }
        if self.changed_share is not None:
            values["changed_share"] = self.changed_share
        return values

    def describe(self) -> str:
        """In words, for the terminal."""
        changed = ""
        if self.changed_share is not None:
            changed = f", {self.changed_share:.0%} of the labels are new"
        return (
            f"{self.num_clusters} clusters of {self.sizes.min()} to {self.sizes.max()}"
            f" videos (median {np.median(self.sizes):g}), {self.num_empty} empty, as"
            f" even as {self.effective_number:.0f} equal ones{changed}"
        )


def cluster_statistics(
    labels: np.ndarray, num_clusters: int, old_labels: np.ndarray | None
) -> ClusterStatistics:
    """Looks at a clustering.

    Args:
      labels: [N] integers in [0, M).
      num_clusters: M.
      old_labels: [N], of the clustering before, from whose centroids this one started,
        so that a cluster has the same label in both.
    """
    changed_share = None
    if old_labels is not None:
        changed_share = float(np.mean(labels != old_labels))
    return ClusterStatistics(np.bincount(labels, minlength=num_clusters), changed_share)


def alignment(similarity_to_own_row: float) -> float:
    """Mean squared distance of embeddings to their own rows, 0 to 4; lower is better.

    Wang and Isola 2020 take two views of one image; here the row stands for the
    views that the video has shown before.

    Args:
      similarity_to_own_row: mean over the batch; both are of unit norm.
    """
    return 2.0 - 2.0 * similarity_to_own_row


def uniformity(similarities: np.ndarray) -> float:
    """Log of the mean of exp(-2 |x - y|^2) over pairs; lower is more uniform.

    0 if all rows coincide, near -4 if they are spread evenly (Wang and Isola 2020).

    Args:
      similarities: [P] of random pairs of rows of unit norm.
    """
    return float(np.log(np.mean(np.exp(-2.0 * (2.0 - 2.0 * similarities)))))


def _entropy(sizes: np.ndarray) -> float:
    shares = sizes[sizes > 0] / sizes.sum()
    return float(-np.sum(shares * np.log(shares)))
