"""Alarms: what is wrong with a run, the likely cause, and what to change.

Pure functions judge scalars and statistics (`vie_tf.monitoring.statistics`) and return
a list of `Alarm`, empty for a healthy run.  `vie_tf.monitoring.run_log` calls them and
`vie_tf.monitoring.tensorboard` reports the alarms.

Letters: M clusters, K background neighbors.
"""

from __future__ import annotations

import dataclasses
from typing import Mapping

import numpy as np

from vie_tf.monitoring.learning_report import RUN, LearningReport
from vie_tf.monitoring.statistics import ClusterStatistics

# Bounds are far outside of what healthy runs show: an alarm is meant to be trusted.
_MANY_EMPTY = 0.5  # as a fraction of the clusters
_LOW_PERPLEXITY = 0.1  # as a fraction of the clusters
# A video's own row is nearly always one of its close neighbors.
_ITSELF_AND_HALF_A_NEIGHBOR = 1.5
_MANY_CLOSE = 0.95  # as a fraction of the background neighbors
# Embeddings that are spread evenly over the sphere have 0.  A healthy run on some
# hundred videos has 0.94 in its first hundred steps.
_COLLAPSED_SIMILARITY = 0.98
# Similarity 0.98 between all rows has exp(-2 |x - y|^2) = exp(-0.08); evenly spread
# rows in 128 dimensions have -3.9.
_COLLAPSED_UNIFORMITY = -0.08
# Both validations have the same queries, so three standard errors of independent
# accuracies are a clear difference.  On the authors' curve, networks a few steps apart
# differ by some tenths of a percent.
_STANDARD_ERRORS = 3.0
_CLEAR_LOSS = 0.01
# IR and LA are bounded; the largest healthy losses are those of the first steps.  With
# the paper's normalizer IR may start at some thousands on small collections.
_RISEN_LOSS = 10.0  # times the first that was logged
_HIGH_LOSS = 100.0  # lower ones may rise as they like
_IMPOSSIBLE_LOSS = 1e6
_LONG_WAIT = 0.5  # as a fraction of the time
# Above it, a baseline solves the classes, and nothing is left to be better at.
_SOLVED = 0.95
_MOSTLY_SAME_SCENE = 0.5  # of the nearest videos, and three times chance


@dataclasses.dataclass(frozen=True)
class Alarm:
    """A problem that needs another setting.

    Attributes:
      name: identifier that stays the same, such as `empty_clusters`.
      message: one line that says what was seen, the likely cause and what to change.
    """

    name: str
    message: str


def cluster_alarms(statistics: ClusterStatistics) -> list[Alarm]:
    """Returns the alarms on one clustering of the bank."""
    alarms = []
    num_clusters, sizes = statistics.num_clusters, statistics.sizes
    if statistics.num_empty > _MANY_EMPTY * num_clusters:
        alarms.append(
            Alarm(
                "empty_clusters",
                f"{statistics.num_empty} of {num_clusters} clusters are empty: rows of"
                " the memory bank coincide, or there are too many clusters. Lower"
                " --la_num_clusters (auto gives about one cluster for 30 videos), or"
                " train longer with IR (--ir_steps).",
            )
        )
    if statistics.perplexity < _LOW_PERPLEXITY * num_clusters:
        alarms.append(
            Alarm(
                "uneven_clusters",
                f"The sizes of {num_clusters} clusters have a perplexity of"
                f" {statistics.perplexity:.1f}, and the largest cluster has"
                f" {sizes.max()} of {sizes.sum()} videos: most embeddings crowd in a"
                " few places. Start LA later (--ir_steps) or lower --learning_rate; for"
                " small collections see docs/small_collections.md.",
            )
        )
    return alarms


def close_share_alarms(
    close_share: float, num_background: int, num_clusters: int
) -> list[Alarm]:
    """Returns the alarms on the fraction of the background neighbors that is close.

    Args:
      close_share: fraction in [0, 1], mean over the batch of a step of LA.
      num_background: K.
      num_clusters: M.
    """
    settings = f"--la_num_background={num_background}, --la_num_clusters={num_clusters}"
    if close_share * num_background < _ITSELF_AND_HALF_A_NEIGHBOR:
        return [
            Alarm(
                "nothing_close",
                f"{close_share:.2%} of the background neighbors are close, hardly one"
                " beside the video itself: LA pulls no videos together. Use fewer"
                f" clusters or more background neighbors (now {settings}).",
            )
        ]
    if close_share > _MANY_CLOSE:
        return [
            Alarm(
                "all_close",
                f"{close_share:.1%} of the background neighbors are close: the LA loss"
                " is near 0 and teaches nothing. Use more clusters or more"
                f" background neighbors (now {settings}).",
            )
        ]
    return []


def embedding_alarms(scalars: Mapping[str, float]) -> list[Alarm]:
    """Returns the alarms on the embeddings of a step, from its scalars."""
    similarity = scalars.get("similarity_between_videos", 0.0)
    if similarity <= _COLLAPSED_SIMILARITY:
        return []
    return [
        Alarm(
            "collapsed_embeddings",
            f"Different videos of a batch have a cosine similarity of {similarity:.3f}:"
            " the network gives all videos the same embedding. Lower --learning_rate or"
            " raise --lr_warmup_steps; with few videos also use --ir_normalizer=batch"
            " (docs/small_collections.md).",
        )
    ]


def loss_alarms(loss: float, first_loss: float) -> list[Alarm]:
    """Returns the alarms on a loss that has left its range.

    Args:
      loss: mean over the batch of a step, with weight decay.
      first_loss: first one that this start of the run has logged.
    """
    bound = min(max(_RISEN_LOSS * first_loss, _HIGH_LOSS), _IMPOSSIBLE_LOSS)
    if loss <= bound:
        return []
    return [
        Alarm(
            "loss_out_of_range",
            f"The loss is {loss:.3g} and was {first_loss:.3g} at first: the weights"
            " grow without bound. Start again from an earlier checkpoint with a lower"
            " --learning_rate, and raise --batch_size if a device has few clips.",
        )
    ]


def bank_alarms(bank_uniformity: float) -> list[Alarm]:
    """Returns the alarms on the `statistics.uniformity` of the memory bank."""
    if bank_uniformity < _COLLAPSED_UNIFORMITY:
        return []
    return [
        Alarm(
            "collapsed_bank",
            f"Random rows of the memory bank are nearly the same (uniformity"
            f" {bank_uniformity:.2f}; rows that are spread evenly have -3.9): for an"
            " epoch or longer the network has given all videos the same embedding."
            " Start again from an earlier checkpoint with a lower --learning_rate; for"
            " small collections see docs/small_collections.md.",
        )
    ]


def knn_alarms(la_accuracy: float, ir_accuracy: float, num_queries: int) -> list[Alarm]:
    """Returns the alarms on LA with a clearly lower accuracy than IR had.

    Args:
      la_accuracy: top-1 of a validation during LA, as a fraction.
      ir_accuracy: top-1 of the last validation during IR.
      num_queries: number of videos of each validation.
    """
    variances = [p * (1.0 - p) / num_queries for p in (la_accuracy, ir_accuracy)]
    chance = _STANDARD_ERRORS * float(np.sqrt(sum(variances)))
    if ir_accuracy - la_accuracy <= max(chance, _CLEAR_LOSS):
        return []
    return [
        Alarm(
            "knn_below_ir",
            f"kNN top-1 is {la_accuracy:.1%} with LA and was {ir_accuracy:.1%} at the"
            f" last validation of IR; with {num_queries} queries, chance explains up to"
            f" {chance:.1%}. The clusters do not follow what the videos show: give the"
            " same command with a lower --la_num_clusters, or stay with IR (--loss=ir"
            " in another --model_dir).",
        )
    ]


def input_alarms(wait_share: float) -> list[Alarm]:
    """Returns the alarms on the fraction of the time that steps wait for clips."""
    if wait_share <= _LONG_WAIT:
        return []
    return [
        Alarm(
            "input_bound",
            f"{wait_share:.0%} of the time is spent waiting for clips: reading,"
            " decoding or augmenting them is slower than the network."
            " --check_input says which of them. For reading use --cache_dir, for"
            " augmentation --color=fast, for all of them more cores, also those of"
            " other machines (--data_service); see docs/input_pipeline.md.",
        )
    ]


def learning_alarms(report: LearningReport) -> list[Alarm]:
    """Returns the alarms on a run that is no better than what has learned nothing."""
    alarms, scene = [], report.scene
    if report.is_better is not None:
        best = report.best_baseline
        accuracy, of_baseline = (report.values[n]["knn"] for n in (RUN, best))
        if report.is_better or of_baseline >= _SOLVED:
            return []
        alarms.append(
            Alarm(
                "no_better_than_baseline",
                f"Leave-one-out kNN is {accuracy:.1%}, and {best}, which has learned"
                f" nothing, has {of_baseline:.1%}. Train longer, or start another run"
                " with --preset=small or --input=differences; until then, search with"
                f" embed.py --network={best} (docs/small_collections.md).",
            )
        )
    if scene is None:
        return alarms
    least = max(_MOSTLY_SAME_SCENE, 3 * scene.chance)
    more = scene.motion - scene.motion_of_pixels
    if scene.nearest > least and more < 2 * scene.standard_error:
        alarms.append(
            Alarm(
                "same_scene",
                f"The nearest video is of the same scene in {scene.nearest:.0%} of the"
                f" videos (chance {scene.chance:.0%}), and among other scenes neighbors"
                f" move alike in {scene.motion:.1%}, by pixels alone in"
                f" {scene.motion_of_pixels:.1%}: the network knows scenes, not what"
                " happens in them. Start another run with --input=differences, which"
                " takes the scene away (docs/small_collections.md).",
            )
        )
    return alarms
