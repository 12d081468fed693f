"""Settings of the tasks of evaluate.py without training, and of embed.py."""

from __future__ import annotations

import dataclasses
from typing import Any, Sequence

from vie_tf.config.data import DataConfig
from vie_tf.config.optimization import FolderConfig, KnnConfig
from vie_tf.config.setting import like, setting


def _are_distinct(items: Sequence[Any]) -> bool:
    return bool(items) and all(items) and len(set(items)) == len(items)


_DISTINCT = (_are_distinct, "one or more, each once")


@dataclasses.dataclass(frozen=True)
class KnnTaskConfig:
    """kNN as a task of evaluate.py: all pairs of a k and a temperature in one pass."""

    ks: tuple[int, ...] = setting(
        (KnnConfig.k,),
        "Number of neighbors that vote. --task=knn takes several, such as 5,10,20; the"
        " first is the headline.",
        flag="knn_k",
        lower=1,
        check=_DISTINCT,
    )
    temperatures: tuple[float, ...] = setting(
        (KnnConfig.temperature,),
        "A neighbor's vote weighs exp(similarity / temperature). --task=knn takes"
        " several, such as 0.07,0.05; the first is the headline.",
        flag="knn_temperature",
        lower=1e-3,
        check=_DISTINCT,
    )
    num_clips: int = like(KnnConfig, "num_clips")
    gallery: str = setting(
        "features",
        "Features that queries are compared with. features: those of the training"
        " videos, computed now. bank: the memory bank, as in the authors' validation.",
        choices=("features", "bank"),
    )
    compare_untrained: bool = setting(
        False, "Evaluate the same network before its first step as well."
    )

    @property
    def headline(self) -> KnnConfig:
        """The first k and the first temperature."""
        return KnnConfig(self.ks[0], self.temperatures[0], self.num_clips)


@dataclasses.dataclass(frozen=True)
class RetrievalConfig:
    """Retrieval as a task of evaluate.py.

    Attributes:
      knn: clips per video, and the votes behind the label that is predicted.
    """

    knn: KnnConfig = KnnConfig()
    endpoint: str = setting(
        "embedding",
        "Features that retrieval compares videos by: the embedding, or the pooled"
        " features before the head; averaged over clips, then normalized.",
        choices=("embedding", "pooled"),
    )
    num_shown: int = setting(
        6,
        "Queries in the picture and on the page of retrieval, from every class in"
        " turn.",
        lower=1,
    )


@dataclasses.dataclass(frozen=True)
class EmbeddingConfig(FolderConfig):
    """The features that embed.py computes of every video."""

    checkpoint: str = setting(
        "latest",
        "Checkpoint of the run. latest: the newest. best: the one with the best top-1"
        " in the validations during training.",
        choices=("latest", "best"),
    )
    endpoints: tuple[str, ...] = setting(
        ("embedding",),
        "Layers whose features are written, each to a file of its name: embedding,"
        " pooled, conv1 .. conv5.",
        check=_DISTINCT,
    )
    average: str = setting(
        "clips",
        "Rows of the files. clips: one for each video, the mean of its clips (embedding"
        " and pooled are scaled to unit norm). none: one for each clip.",
        choices=("clips", "none"),
    )
    num_clips: int = like(
        KnnConfig, "num_clips", help="Equally spaced clips of a video."
    )
    static_video: bool = like(DataConfig, "static_video")
