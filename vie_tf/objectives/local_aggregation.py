"""Local aggregation (LA): a video moves toward the neighbors that share its cluster.

Equation 4 of the paper: among the K rows of the memory bank that are nearest to an
embedding, those that k-means puts into the cluster of its video are close neighbors.
The first steps are those of IR; then the bank is clustered once in every epoch.

Letters: B videos of a replica, K background neighbors, N videos, C clusterings, M
clusters, D dimension.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any, Sequence

import numpy as np
import tensorflow as tf

from vie_tf.config import LossConfig, RunConfig
from vie_tf.objectives import clustering, losses
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.objectives.cluster_search import NOTHING, ClusterSearch
from vie_tf.objectives.clustering import Clusters
from vie_tf.objectives.instance_recognition import UNKNOWN, InstanceRecognition
from vie_tf.objectives.objective import Objective, counter, variable
from vie_tf.storage.errors import UserError
from vie_tf.terminal.wording import counted

NEVER = -1
# Training videos of Kinetics-400 in the paper (appendix A), and its m for them.
_PAPER_NUM_VIDEOS = 239_888
_PAPER_NUM_CLUSTERS = 8000
_PAPER_NUM_BACKGROUND = 512
# Groups of centroids that --la_kmeans=grouped compares a row with (docs/scale.md).
SEARCHED_GROUPS = 16
# Videos that --la_search=clusters looks at for each neighbor (docs/scale.md).
_CANDIDATES_PER_NEIGHBOR = 16


class LocalAggregation(Objective):
    """The LA loss with its clusters, after some steps of IR on the same bank.

    Args:
      first: objective of the first `settings.ir_steps` steps.
      settings: temperature, and what clusters and neighbors are made of.
      epoch_steps: steps between two clusterings.
      seed: seed of the first centroids.

    Attributes:
      cluster_labels: [C, N] int32, cluster of every row; zeros until LA begins.
      cluster_centroids: [C, M, D] float32, where the next k-means starts.
      clustered_at: step of the last clustering, -1 if there was none.
      search: where background neighbors are looked for; None: in the whole bank.
    """

    title = "LA"

    def __init__(
        self,
        first: InstanceRecognition,
        settings: LossConfig,
        epoch_steps: int,
        seed: int,
    ) -> None:
        self.first, self.settings = first, settings
        self._epoch_steps, self._seed = epoch_steps, seed
        self.bank: MemoryBank = first.bank
        self._strategy = tf.distribute.get_strategy()
        assert settings.la_num_clusters is not None
        bank, count = first.bank, settings.la_num_clusterings
        self.cluster_labels = variable(
            tf.zeros([count, bank.num_videos], tf.int32), "cluster_labels"
        )
        self.cluster_centroids = variable(
            tf.zeros([count, settings.la_num_clusters, bank.dim]), "cluster_centroids"
        )
        self.clustered_at = counter(NEVER, "clustered_at")
        self.search: ClusterSearch | None = None
        self._listed_at = NEVER  # clustering whose rows the search has listed
        if settings.la_search == "clusters":
            assert settings.la_searched_clusters is not None
            self.search = ClusterSearch(
                bank.num_videos, settings.la_num_clusters, settings.la_searched_clusters
            )

    @classmethod
    def complete(cls, settings: LossConfig, num_videos: int) -> LossConfig:
        """Scales and checks the numbers of clusters and of background neighbors.

        Before the first step of IR, as later would be too late.
        """
        scaled = num_clusters_for(num_videos)
        automatic = {
            "la_num_clusters": scaled,
            "la_num_background": num_background_for(num_videos),
        }
        for name, number in automatic.items():
            if getattr(settings, name) is None:
                print(
                    f"--{name}=auto: {number} for"
                    f" {counted(num_videos, 'training video')}."
                )
                chosen: dict[str, Any] = {name: number}
                settings = dataclasses.replace(settings, **chosen)
        if (settings.la_num_clusters or 0) > num_videos:
            raise UserError(
                f"--la_num_clusters={settings.la_num_clusters} is more than the"
                f" {num_videos} training videos. The paper takes one cluster for about"
                f" 30 videos: --la_num_clusters={scaled}, which is what"
                " --la_num_clusters=auto takes."
            )
        if (settings.la_num_background or 0) > num_videos:
            raise UserError(
                f"--la_num_background={settings.la_num_background} is more than the"
                f" {num_videos} training videos. Give fewer, or"
                " --la_num_background=auto, which takes a fifth of them."
            )
        if settings.la_search == "exact":
            return settings
        return _with_searched_clusters(settings, num_videos)

    @classmethod
    def from_config(cls, config: RunConfig, labels: np.ndarray) -> LocalAggregation:
        """Makes the objective of a run with a bank of random rows."""
        assert config.train.batch_size is not None
        first = InstanceRecognition.from_config(config, labels)
        epoch_steps = -(-len(labels) // config.train.batch_size)
        return cls(first, config.loss, epoch_steps, config.train.seed)

    def at(self, steps_taken: int) -> Objective:
        """Returns IR for the first steps."""
        return self.first if steps_taken < self.settings.ir_steps else self

    def before_step(self, steps_taken: int) -> Sequence[Clusters]:
        """Clusters the bank before the first step of LA and once in every epoch.

        k-means starts from the last centroids where there are any: in an epoch the rows
        move so little that a few iterations suffice.
        """
        clustered_at = int(self.clustered_at.numpy())
        is_first = clustered_at == NEVER
        is_due = is_first or steps_taken - clustered_at >= self._epoch_steps
        clusterings = self._cluster(steps_taken, is_first) if is_due else ()
        clustered_at = steps_taken if is_due else clustered_at
        if self.search is not None and self._listed_at != clustered_at:
            self.search.take(self.cluster_labels[0], self.cluster_centroids[0])
            self._listed_at = clustered_at
        return clusterings

    def _cluster(self, steps_taken: int, is_first: bool) -> Sequence[Clusters]:
        """Clusters the bank as often as --la_num_clusterings says."""
        settings, rows = self.settings, self.bank.rows_to_cluster()
        assert settings.la_num_clusters is not None
        old_labels = self.cluster_labels.numpy()
        searched_groups = SEARCHED_GROUPS if settings.la_kmeans == "grouped" else None
        clusterings = []
        for number in range(settings.la_num_clusterings):
            clusters = clustering.k_means(
                rows,
                settings.la_num_clusters,
                num_iterations=settings.la_num_iterations,
                tolerance=settings.la_kmeans_tolerance,
                seed=self._seed + 1000 * number + steps_taken,
                start=None if is_first else self.cluster_centroids[number],
                strategy=self._strategy,
                searched_groups=searched_groups,
            )
            previous = None if is_first else old_labels[number]
            clusterings.append(dataclasses.replace(clusters, previous_labels=previous))
        self.cluster_labels.assign(tf.stack([c.labels for c in clusterings]))
        self.cluster_centroids.assign(tf.stack([c.centroids for c in clusterings]))
        self.clustered_at.assign(steps_taken)
        return clusterings

    def loss(
        self, endpoints: dict[str, tf.Tensor], batch: dict, step: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Computes equation 4 from the rows as they were before the step."""
        embeddings, rows = endpoints["embedding"], batch["rows"]
        found = self._background(embeddings)  # [B, K]
        is_found, background = found != NOTHING, tf.maximum(found, 0)
        own_clusters = tf.gather(self.cluster_labels, rows, axis=1)  # [C, B]
        clusters = tf.gather(self.cluster_labels, background, axis=1)  # [C, B, K]
        shares_cluster = tf.reduce_any(clusters == own_clusters[:, :, None], axis=0)
        is_close = is_found & shares_cluster
        similarities = self.bank.similarities(embeddings, background)  # [B, K]
        # A neighbor that was not found counts as one that is infinitely far.
        similarities = tf.where(is_found, similarities, -np.inf)
        loss = losses.local_aggregation_loss(
            similarities, is_close, self.settings.temperature
        )
        return loss, {
            "close_share": tf.reduce_mean(tf.cast(is_close, tf.float32), axis=1),
            "similarity_to_own_row": self.bank.similarities(embeddings, rows),
        }

    def _background(self, embeddings: tf.Tensor) -> tf.Tensor:
        """Finds background neighbors: [B, K] int32, `NOTHING` where there is none."""
        count, find = self.settings.la_num_background, None
        assert count is not None
        if self.search is not None:
            find = functools.partial(self.search.nearest, self.cluster_centroids[0])
        return self.bank.nearest(embeddings, count, find)[1]

    def reference_accuracy(self) -> float | None:
        """Returns what IR had come to before LA began."""
        accuracy = float(self.first.accuracy.numpy())
        return None if accuracy == UNKNOWN else accuracy

    def checkpoint(self) -> dict[str, Any]:
        """Returns what IR has, and the clusters."""
        return {**self.first.checkpoint(), **self.recomputed()}

    def recomputed(self) -> dict[str, tf.Variable]:
        """Returns the clusters."""
        return {
            "cluster_labels": self.cluster_labels,
            "cluster_centroids": self.cluster_centroids,
            "clustered_at": self.clustered_at,
        }

    def recompute(self) -> None:
        """Makes k-means start from random rows before the next step of LA."""
        self.clustered_at.assign(NEVER)


def num_background_for(num_videos: int) -> int:
    """Returns a fifth of the videos, but at most the paper's number of neighbors."""
    return min(max(num_videos // 5, 2), _PAPER_NUM_BACKGROUND)


def num_clusters_for(num_videos: int) -> int:
    """Scales the paper's number of clusters to N instances; at least 2.

    With a single cluster all neighbors would be close.
    """
    return max(round(num_videos * _PAPER_NUM_CLUSTERS / _PAPER_NUM_VIDEOS), 2)


def _with_searched_clusters(settings: LossConfig, num_videos: int) -> LossConfig:
    """Chooses and checks the number of searched clusters."""
    num_clusters, background = settings.la_num_clusters, settings.la_num_background
    assert num_clusters is not None and background is not None
    searched = settings.la_searched_clusters
    if searched is None:
        candidates = _CANDIDATES_PER_NEIGHBOR * background
        searched = min(math.ceil(candidates * num_clusters / num_videos), num_clusters)
        print(f"--la_searched_clusters=auto: {searched} of {num_clusters} clusters.")
    if searched > num_clusters:
        raise UserError(
            f"--la_searched_clusters={searched} is more than the {num_clusters}"
            " clusters of --la_num_clusters: give at most as many, or"
            " --la_searched_clusters=auto."
        )
    return dataclasses.replace(settings, la_searched_clusters=searched)
