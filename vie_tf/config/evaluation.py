"""Settings of evaluate.py: its tasks, and the network that they evaluate."""

from __future__ import annotations

import dataclasses
from typing import Any, Sequence

from vie_tf.config.label_training import FinetuneConfig, LinearConfig
from vie_tf.config.model import ModelConfig
from vie_tf.config.optimization import FolderConfig, KnnConfig, TrainConfig
from vie_tf.config.setting import like, setting


def _are_distinct(items: Sequence[Any]) -> bool:
    return bool(items) and all(items) and len(set(items)) == len(items)


DISTINCT = (_are_distinct, "one or more, each once")


@dataclasses.dataclass(frozen=True)
class KnnTaskConfig:
    """kNN as a task of evaluate.py: all pairs of a k and a temperature in one pass."""

    ks: tuple[int, ...] = setting(
        (KnnConfig.k,),
        "Number of neighbors that vote. --task=knn takes several, such as 5,10,20; the"
        " first is the headline.",
        flag="knn_k",
        lower=1,
        check=DISTINCT,
    )
    temperatures: tuple[float, ...] = setting(
        (KnnConfig.temperature,),
        "A neighbor's vote weighs exp(similarity / temperature). --task=knn takes"
        " several, such as 0.07,0.05; the first is the headline.",
        flag="knn_temperature",
        lower=1e-3,
        check=DISTINCT,
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
    compare_baselines: bool = setting(
        False,
        "Evaluate pixels and the motion map, which have learned nothing, as well. All"
        " frames are read for it.",
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
class EvaluationConfig(FolderConfig):
    """The task of evaluate.py and the network that it evaluates."""

    task: str = setting(
        "knn",
        "knn: top-1 and top-5 of classification by nearest neighbors. retrieval:"
        " recalls and mean average precision, a picture and a page of queries and their"
        " nearest videos; the last two need no labels. linear: linear probes of conv1"
        " .. conv5 of the frozen network. finetune: all layers trained on labels. all:"
        " all but finetune, and a report.",
        choices=("knn", "retrieval", "linear", "finetune", "all"),
    )
    checkpoint: str = setting(
        "latest",
        "Checkpoint of the run, or of both runs of a two-stream network. latest: the"
        " newest. best: the one with the best top-1 in the validations of training.",
        choices=("latest", "best"),
    )
    clips_of: str | None = setting(
        None,
        "Give a network of --model=single the clips of this family, frame by frame, and"
        " average its outputs (Input-Single, table 4 of the paper).",
        choices=("trn", "slow", "slowfast"),
    )
    crop_size: int | None = like(ModelConfig, "crop_size", otherwise="the run's")
    single_from: str | None = like(TrainConfig, "single_from")
    dynamic_from: str | None = like(TrainConfig, "dynamic_from")
    static_frames: str = like(ModelConfig, "static_frames")
    start_over: bool = setting(
        False,
        "Remove an earlier training of linear or finetune and start again, instead of"
        " going on with it.",
        tasks=("linear", "finetune", "all"),
    )
    quick: bool = setting(
        False,
        "Linear probes in minutes: scikit-learn's logistic regression on features of"
        " clips without augmentation, pooled to a few thousand for each layer; by"
        " cross-validation if there is no val split.",
        tasks=("linear", "quick"),
    )
    splits: tuple[str, ...] = setting(
        (),
        "Folders of several data sets, separated by commas, in place of --data_dir, as"
        " the three splits of UCF101: each is fine-tuned and tested by itself, and mean"
        " and standard deviation are reported.",
        check=(all, "each the folder of a data set"),
        tasks=("finetune",),
        path=True,
    )


@dataclasses.dataclass(frozen=True)
class QuickProbeConfig:
    """Linear probes by scikit-learn, the only settings that they use."""

    num_clips: int = like(KnnConfig, "num_clips")
    seed: int = like(LinearConfig, "seed")


# Settings that each task of evaluate.py uses, beside those that all have.
TASKS: dict[str, tuple[type, ...]] = {
    "knn": (KnnTaskConfig,),
    "retrieval": (RetrievalConfig, KnnConfig),
    "linear": (LinearConfig,),
    "finetune": (FinetuneConfig,),
    "all": (KnnTaskConfig, RetrievalConfig, LinearConfig),
    "quick": (QuickProbeConfig,),  # --task=linear --quick
}
