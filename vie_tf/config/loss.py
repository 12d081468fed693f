"""Settings of the objectives."""

from __future__ import annotations

import dataclasses

from vie_tf.config.setting import Role, setting


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """The objective: IR, LA, labels, or one of the other methods of table 2."""

    name: str = setting(
        "ir",
        "Objective. ir: instance recognition. la: local aggregation, after --ir_steps"
        " of IR. supervised: softmax over the classes of the data. Other methods of"
        " table 2 (docs/other_objectives.md): rotation: by how much a clip is turned."
        " order: in which order four frames are. puzzle: where four cells of a clip"
        " belong. statistics: where a clip moves most and where its colors change. cmc:"
        " views of a clip, as --input=lab."
        " package.module:Class: one of your own (docs/extending.md).",
        role=Role.FIXED,
        flag="loss",
        choices=(
            *("ir", "la", "supervised", "rotation", "order", "puzzle"),
            *("statistics", "cmc"),
        ),
        importable=True,
    )
    temperature: float = setting(
        0.07, "Temperature of the objective (tau in equation 2).", lower=1e-3
    )
    bank: str = setting(
        "whole",
        "Memory bank on several devices. whole: each holds all of it. sharded: each"
        " holds its part, and they exchange what they find there"
        " (docs/distribution.md).",
        role=Role.EXECUTION,
        choices=("whole", "sharded"),
    )
    bank_dtype: str = setting(
        "float32",
        "Numbers of the memory bank. 16 bits take half the memory; losses compute in"
        " float32.",
        role=Role.FIXED,
        choices=("float32", "bfloat16", "float16"),
    )
    ir_num_negatives: int = setting(
        4096, "Negatives drawn from the memory bank for each video in IR.", lower=1
    )
    ir_normalizer: str = setting(
        "imagenet",
        "Estimate of Z / N in equation 2. imagenet: the constant of the authors' code."
        " batch: from the negatives of each batch.",
        choices=("imagenet", "batch"),
    )
    ir_steps: int = setting(
        50_000,
        "Steps of IR before LA begins, with --loss=la.",
        lower=0,
        otherwise="50000, or 0 with --init_from",
    )
    la_num_clusters: int | None = setting(
        8000,
        "Clusters of k-means (m in appendix A). auto: in proportion to the paper's 8000"
        " for 239,888 videos, about one for 30.",
        lower=1,
        none="auto",
    )
    la_num_clusterings: int = setting(
        1,
        "Independent k-means clusterings; close neighbors share a cluster in any of"
        " them.",
        role=Role.FIXED,
        lower=1,
    )
    la_num_background: int | None = setting(
        512,
        "Background neighbors: nearest embeddings in the memory bank (k in appendix"
        " A). auto: a fifth of the videos, and 512 at most.",
        lower=1,
        none="auto",
    )
    la_num_iterations: int = setting(
        20, "Maximum number of k-means iterations of one clustering.", lower=1
    )
    # Chosen by measurement, docs/benchmarks.md.
    la_kmeans_tolerance: float = setting(
        0.005,
        "Stop k-means when an iteration changes at most this fraction of the labels.",
        lower=0,
        upper=1,
        old_names=("la_settled_share",),
    )
    la_kmeans: str = setting(
        "exact",
        "What k-means compares a row with. exact: all centroids. grouped: the centroids"
        " of the 16 groups of centroids nearest to it, for large --la_num_clusters.",
        choices=("exact", "grouped"),
    )
    la_search: str = setting(
        "exact",
        "Where background neighbors are looked for. exact: in the whole memory bank."
        " clusters: in the clusters nearest to the embedding, for millions of videos.",
        choices=("exact", "clusters"),
    )
    la_searched_clusters: int | None = setting(
        None,
        "Clusters that --la_search=clusters looks into. auto: as many as hold 16 videos"
        " for each background neighbor.",
        lower=1,
        none="auto",
    )
    weight_decay: float = setting(
        1e-4,
        "Weight of the L2 penalty on all weights but those of batch norm (lambda in"
        " equations 3 and 4).",
        lower=0,
    )
