"""Is the run healthy?  Numbers of a run in, alarms out.

Comes in: what a step says in numbers, and the facts of a clustering or of the memory
bank (`vie_tf.monitoring.statistics`).  Goes out: alarms: what is wrong, why, and what
to change.
`vie_tf.monitoring.run_log` asks, `vie_tf.monitoring.tensorboard` tells.

All functions are pure.  An alarm of another kind is a function that returns a list of
`Alarm`, empty when all is well.

Letters: M clusters, K background neighbors.
"""

from __future__ import annotations

import dataclasses
from typing import Mapping

import numpy as np

from vie_tf.monitoring.statistics import ClusterStatistics

# Bounds are far outside of what healthy runs show: an alarm is to be believed.
_MOSTLY = 0.5
_LOW_EFFECTIVE_SHARE = 0.1
# A video's own row is nearly always among its neighbors, and close.
_ITSELF_AND_HALF_A_NEIGHBOR = 1.5
_HIGH_CLOSE_SHARE = 0.95
# Pairs of different clips that are spread evenly over the sphere have 0.  A healthy run
# on some hundred videos is at 0.94 for its first hundred steps.
_COLLAPSED_SIMILARITY = 0.98
# Similarity 0.98 between all rows has exp(-2 |x - y|^2) = exp(-0.08); evenly spread
# rows in 128 dimensions have -3.9.
_COLLAPSED_UNIFORMITY = -0.08
# Accuracies of the same queries differ less than those of others, so three standard
# errors of independent ones are a clear difference; and networks a few steps apart
# differ by some tenths of a percent on the authors' curve.
_STANDARD_ERRORS = 3.0
_CLEAR_LOSS = 0.01
_WAITING = 0.5


@dataclasses.dataclass(frozen=True)
class Alarm:
    """Something that will not get well by itself.

    Attributes:
      name: one word or more with underscores, the same every time.
      message: one line: what was seen, the likely cause and what to change.
    """

    name: str
    message: str


def cluster_alarms(facts: ClusterStatistics) -> list[Alarm]:
    """Alarms on one clustering of the bank."""
    alarms = []
    if facts.num_empty > _MOSTLY * facts.num_clusters:
        alarms.append(
            Alarm(
                "empty_clusters",
                f"{facts.num_empty} of {facts.num_clusters} clusters are empty: rows of"
                " the memory bank coincide, or there are too many clusters. Lower"
                " --la_num_clusters (auto takes about one for 30 videos), or give IR"
                " more --ir_steps.",
            )
        )
    if facts.effective_number < _LOW_EFFECTIVE_SHARE * facts.num_clusters:
        alarms.append(
            Alarm(
                "uneven_clusters",
                f"{facts.num_clusters} clusters are as even as"
                f" {facts.effective_number:.1f} equal ones, the largest has"
                f" {facts.sizes.max()} of {facts.sizes.sum()} videos: most embeddings"
                " lie in a few places. Start LA later (--ir_steps) or lower"
                " --learning_rate; for small collections see"
                " docs/small_collections.md.",
            )
        )
    return alarms


def close_share_alarms(
    close_share: float, num_background: int, num_clusters: int
) -> list[Alarm]:
    """Alarms on the share of the background neighbors that is close.

    Args:
      close_share: in [0, 1], mean over the batch of a step of LA.
      num_background: K.
      num_clusters: M.
    """
    asked = f"--la_num_background={num_background}, --la_num_clusters={num_clusters}"
    if close_share * num_background < _ITSELF_AND_HALF_A_NEIGHBOR:
        return [
            Alarm(
                "nothing_close",
                f"{close_share:.2%} of the background neighbors are close, hardly one"
                " beside the video itself: LA pulls no videos together. Give fewer"
                f" clusters or more background neighbors (now {asked}).",
            )
        ]
    if close_share > _HIGH_CLOSE_SHARE:
        return [
            Alarm(
                "all_close",
                f"{close_share:.1%} of the background neighbors are close: the LA loss"
                " is near 0 and teaches nothing. Give more clusters or more"
                f" background neighbors (now {asked}).",
            )
        ]
    return []


def embedding_alarms(scalars: Mapping[str, float]) -> list[Alarm]:
    """Alarms on the embeddings of a step.

    Args:
      scalars: of the step; without the similarity between videos there is no alarm.
    """
    similarity = scalars.get("similarity_between_videos", 0.0)
    if similarity <= _COLLAPSED_SIMILARITY:
        return []
    return [
        Alarm(
            "collapsed_embeddings",
            f"different videos of a batch have a similarity of {similarity:.3f}: the"
            " network gives all videos one embedding. Lower --learning_rate or give"
            " --lr_warmup_steps; with few videos also --ir_normalizer=batch"
            " (docs/small_collections.md).",
        )
    ]


def bank_alarms(bank_uniformity: float) -> list[Alarm]:
    """Alarms on a sample of pairs of rows of the memory bank.

    Args:
      bank_uniformity: of the pairs, see `facts.uniformity`.
    """
    if bank_uniformity < _COLLAPSED_UNIFORMITY:
        return []
    return [
        Alarm(
            "collapsed_bank",
            f"random rows of the memory bank are nearly the same (uniformity"
            f" {bank_uniformity:.2f}, even rows have -3.9): the network has given all"
            " videos one embedding for an epoch or longer. Start again from an earlier"
            " checkpoint with a lower --learning_rate; for small collections see"
            " docs/small_collections.md.",
        )
    ]


def knn_alarms(la_accuracy: float, ir_accuracy: float, num_queries: int) -> list[Alarm]:
    """Alarms on LA that has lost what IR had learned.

    Args:
      la_accuracy: top-1 of a validation during LA, as a fraction.
      ir_accuracy: of the last validation during IR.
      num_queries: videos of each.
    """
    variances = [p * (1.0 - p) / num_queries for p in (la_accuracy, ir_accuracy)]
    chance = _STANDARD_ERRORS * float(np.sqrt(sum(variances)))
    if ir_accuracy - la_accuracy <= max(chance, _CLEAR_LOSS):
        return []
    return [
        Alarm(
            "knn_below_ir",
            f"kNN top-1 is {la_accuracy:.1%} with LA and was {ir_accuracy:.1%} at the"
            f" last validation of IR; {num_queries} queries differ by up to"
            f" {chance:.1%} by chance. Clusters do not follow what the videos show:"
            " give the same command with a lower --la_num_clusters, or stay on IR"
            " (--loss=ir in another --model_dir).",
        )
    ]


def input_alarms(wait_share: float) -> list[Alarm]:
    """Alarms on the time that steps wait for their clips.

    Args:
      wait_share: of the time, in [0, 1].
    """
    if wait_share <= _WAITING:
        return []
    return [
        Alarm(
            "input_bound",
            f"{wait_share:.0%} of the time is spent waiting for clips: reading,"
            " decoding or augmenting them is slower than the network."
            " --check_input says which. Reading: --cache_dir; augmentation:"
            " --color=fast; all of them: more cores, also those of other machines"
            " (--data_service); see docs/input_pipeline.md.",
        )
    ]
