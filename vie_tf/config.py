"""Settings of a run.  A default value is written here, once.

Flags read their defaults from these classes and build them; nothing below the
scripts knows flags.  Defaults are the paper's (section 4 and appendices A, B), or the
authors' code's where the paper is silent.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Where the records are and how they are read.

    Attributes:
      data_dir: folder with shards and manifest.json.
      crop: how the window of a training clip is drawn, a key of
        `vie_tf.input.crops.RECIPES`.
      color: the color noise of training clips: `exact`, `fast` (folded into one affine
        map) or `none`.
      subset: share of the training videos that is trained on (table 3: 0.7, 0.3).
      subset_seed: of the choice of that share.
      bin_frames: frames of the bins that videos are cut into, each its own instance
        (table 3: 52 and 130); 0 for whole videos.
      static_video: whether a clip shows one frame of its video again and again, as
        images are shown to networks of several frames.
      on_bad_record: `fail`, or `skip` what cannot be read and count it.
      cache_dir: local folder for copies of the shards, made while training reads; None
        for none.
      data_service: address of a tf.data service that makes the training batches; None
        for this process.
      deterministic: whether batches keep their order, or come as they are finished.
    """

    data_dir: str
    crop: str = "random_resize"
    color: str = "exact"
    subset: float = 1.0
    subset_seed: int = 0
    bin_frames: int = 0
    static_video: bool = False
    on_bad_record: str = "fail"
    cache_dir: str | None = None
    data_service: str | None = None
    deterministic: bool = True


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Which network, on which clips.

    Attributes:
      name: a key of `vie_tf.models.MODELS`.
      resnet_size: 18, 34, 50 or 101.
      num_filters: filters of the stem and the first stage.
      embedding_dim: D.
      batch_norm_momentum: of the moving statistics; a run of a few hundred steps
        needs less than the authors' 0.997, which remembers about 300 steps.
      sync_batch_norm: whether statistics of batch norm are those of all replicas
        together, instead of each replica's own.
      trn_head: head of `trn`, a key of `vie_tf.models.registry.TRN_HEADS`.
      static_frames: what the static stream of two-stream networks is given: the
        middle frame (`one`), or `all` frames, whose embeddings are averaged.
      precision: what the network's layers compute in: `float32`, `mixed_bfloat16` or
        `mixed_float16`.
      num_classes: of a supervised network, None for one that embeds; taken from the
        data.
      num_frames: T; None takes the family's.
      frame_interval: frames from one frame of the clip to the next; None takes the
        family's.
      crop_size: pixels; None takes the family's.
    """

    name: str = "single"
    resnet_size: int = 18
    num_filters: int = 64
    embedding_dim: int = 128
    batch_norm_momentum: float = 0.997
    sync_batch_norm: bool = False
    trn_head: str = "concat"
    static_frames: str = "one"
    precision: str = "float32"
    num_classes: int | None = None
    num_frames: int | None = None
    frame_interval: int | None = None
    crop_size: int | None = None


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """The IR, LA and supervised losses.

    Attributes:
      name: `ir`, `la` or `supervised`.
      temperature: tau in equation 2.
      ir_num_negatives: K of the noise-contrastive estimate.
      ir_normalizer: `imagenet`, the authors' constant for Z / N in equation 2, or
        `batch`, estimated from the negatives of every batch.
      ir_steps: steps of IR before LA begins.
      la_num_clusters: m in appendix A; None scales it with the number of videos.
      la_num_clusterings: independent k-means runs whose clusters are united.
      la_num_background: k in appendix A.
      la_num_iterations: k-means iterations of one clustering, at most.
      la_settled_share: k-means ends when an iteration changes no more than this share
        of the labels (chosen by measurement, docs/benchmarks.md).
      weight_decay: lambda in equations 3 and 4.
    """

    name: str = "ir"
    temperature: float = 0.07
    ir_num_negatives: int = 4096
    ir_normalizer: str = "imagenet"
    ir_steps: int = 50_000
    la_num_clusters: int | None = 8000
    la_num_clusterings: int = 1
    la_num_background: int = 512
    la_num_iterations: int = 20
    la_settled_share: float = 0.005
    weight_decay: float = 1e-4


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """The optimization and what happens every so often.

    Attributes:
      model_dir: folder of the run: checkpoints, TensorBoard, config.json.
      init_from: run whose last checkpoint this one starts from.
      single_from: run that the static stream of a two-stream network starts from.
      dynamic_from: run that its dynamic stream starts from.
      train_steps: all steps of the run, IR steps included; with 0 the run is its
        untrained network.
      batch_size: videos of a step over all replicas; None takes the family's.
      learning_rate: at the start.
      lr_warmup_steps: steps in which the rate rises from 0; the paper has none, but
        small collections need it (docs/small_collections.md).
      lr_schedule: `boundaries`, or `plateau`: the rate is divided by 10 when the
        accuracy of the validations no longer rises.
      lr_boundaries: steps at which the rate is divided by 10.
      plateau_patience: validations without a gain that make a plateau.
      plateau_gain: accuracy over the best so far that is a gain, as a fraction.
      plateau_max_drops: how often a plateau may divide the rate.
      momentum: of SGD.
      seed: of weights, bank, clips, negatives and clusters.
      checkpoint_steps: steps between checkpoints.
      eval_steps: steps between kNN validations; 0 for none but the last.
      log_steps: steps between lines and TensorBoard points.
      num_to_keep: checkpoints that are kept.
      profile_steps: first and last step that TensorFlow's profiler looks at; None for
        none.
    """

    model_dir: str
    init_from: str | None = None
    single_from: str | None = None
    dynamic_from: str | None = None
    train_steps: int = 1_600_000
    batch_size: int | None = None
    learning_rate: float = 0.03
    lr_warmup_steps: int = 0
    lr_schedule: str = "boundaries"
    lr_boundaries: tuple[int, ...] = ()
    # Chosen on the authors' curve of 3dresnet, see docs/decisions.md.
    plateau_patience: int = 35
    plateau_gain: float = 0.003
    plateau_max_drops: int = 2
    momentum: float = 0.9
    seed: int = 0
    checkpoint_steps: int = 5000
    eval_steps: int = 5000
    log_steps: int = 100
    num_to_keep: int = 3
    profile_steps: tuple[int, int] | None = None


@dataclasses.dataclass(frozen=True)
class DistributionConfig:
    """Which devices share the batches (docs/distribution.md).

    Attributes:
      strategy: `mirrored`, the devices of one machine, or `multi_worker`, those of
        several, which TF_CONFIG or Slurm names.
      num_replicas: devices of one machine; None for all its GPUs, or its CPU.
    """

    strategy: str = "mirrored"
    num_replicas: int | None = None


@dataclasses.dataclass(frozen=True)
class KnnConfig:
    """kNN validation (design, section 4).

    Attributes:
      k: neighbors that vote.
      temperature: a vote weighs exp(similarity / temperature).
      num_clips: equally spaced clips per video, whose votes are averaged.
    """

    k: int = 10
    temperature: float = 0.07
    num_clips: int = 5


@dataclasses.dataclass(frozen=True)
class LabelConfig:
    """Training on labels in an evaluation: what linear read-outs and fine-tuning share.

    Attributes:
      train_steps: of the training; None takes `epochs` of the training videos, but no
        fewer than `min_steps` steps.
      epochs: see `train_steps`.
      min_steps: see `train_steps`.
      batch_size: videos of a step over all replicas.
      learning_rate: at the start.
      lr_schedule: `boundaries`, or `plateau` of the validations.
      lr_boundaries: steps at which the rate is divided by 10; None takes
        `boundary_shares` of the steps.
      boundary_shares: see `lr_boundaries`.
      plateau_patience: validations without a gain that make a plateau.
      plateau_gain: accuracy over the best so far that is a gain, as a fraction.
      plateau_max_drops: how often a plateau may divide the rate.
      momentum: of SGD.
      weight_decay: factor of the L2 term.
      num_clips: equally spaced clips of a video in validations and tests.
      seed: of clips, their order, and of new weights.
      eval_steps: steps between validations; None makes `num_validations` of them.
      num_validations: see `eval_steps`.
      checkpoint_steps: steps between checkpoints.
      log_steps: steps between lines and TensorBoard points.
    """

    train_steps: int | None = None
    epochs: int = 60
    min_steps: int = 500
    batch_size: int = 128
    learning_rate: float = 0.03
    lr_schedule: str = "boundaries"
    lr_boundaries: tuple[int, ...] | None = None
    boundary_shares: tuple[float, ...] = (0.5, 0.8)
    plateau_patience: int = 3
    plateau_gain: float = 0.003
    plateau_max_drops: int = 2
    momentum: float = 0.9
    weight_decay: float = 1e-4
    num_clips: int = 5
    seed: int = 0
    eval_steps: int | None = None
    num_validations: int = 10
    checkpoint_steps: int = 500
    log_steps: int = 100


@dataclasses.dataclass(frozen=True)
class LinearConfig(LabelConfig):
    """Softmax read-outs of conv1 .. conv5 of a frozen network (section 4, table 1)."""


@dataclasses.dataclass(frozen=True)
class FinetuneConfig(LabelConfig):
    """Training of a whole network on labels (section 4, table 2, appendix E).

    Attributes:
      from_scratch: whether the network starts untrained.
      dropout: share of the pooled features that a training step leaves out.
      test_clips: `consecutive` ones, as many as a video has, or `spaced`, `num_clips`
        of them; None takes the family's: consecutive, but spaced for single frames.
    """

    epochs: int = 200
    learning_rate: float = 0.0005
    lr_schedule: str = "plateau"
    plateau_patience: int = 8
    weight_decay: float = 1e-5
    num_validations: int = 30
    from_scratch: bool = False
    dropout: float = 0.0
    test_clips: str | None = None


# What fine-tuning takes for a network that starts untrained (appendix E).
FROM_SCRATCH = {"learning_rate": 0.01, "weight_decay": 1e-4}


@dataclasses.dataclass(frozen=True)
class KnnTaskConfig:
    """kNN as a task of evaluate.py: all pairs of a k and a temperature in one pass.

    Attributes:
      ks: numbers of neighbors; the first, with the first temperature, is the headline.
      temperatures: of the votes.
      num_clips: as of `KnnConfig`.
      gallery: what queries are compared with: `features` of the training videos, or the
        running `bank`.
      compare_untrained: whether the network before its first step is evaluated too.
    """

    ks: tuple[int, ...] = (KnnConfig.k,)
    temperatures: tuple[float, ...] = (KnnConfig.temperature,)
    num_clips: int = KnnConfig.num_clips
    gallery: str = "features"
    compare_untrained: bool = False

    @property
    def headline(self) -> KnnConfig:
        """The first k and the first temperature."""
        return KnnConfig(self.ks[0], self.temperatures[0], self.num_clips)


@dataclasses.dataclass(frozen=True)
class RetrievalConfig:
    """Retrieval as a task of evaluate.py.

    Attributes:
      knn: clips per video, and the votes behind the label that is predicted.
      endpoint: what videos are compared by: `embedding`, or `pooled`, what the last
        layer is given.
      num_shown: queries in the picture and on the page.
    """

    knn: KnnConfig = KnnConfig()
    endpoint: str = "embedding"
    num_shown: int = 6


@dataclasses.dataclass(frozen=True)
class EmbeddingConfig:
    """What embed.py computes of every video.

    Attributes:
      model_dir: folder of the run.
      checkpoint: which one of it, `latest` or `best`.
      endpoints: of the network.
      average: `clips`, or `none` for a row of every clip.
      num_clips: equally spaced clips per video.
      static_video: as of `DataConfig`.
    """

    model_dir: str
    checkpoint: str = "latest"
    endpoints: tuple[str, ...] = ("embedding",)
    average: str = "clips"
    num_clips: int = KnnConfig.num_clips
    static_video: bool = DataConfig.static_video


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Everything that a training run depends on."""

    data: DataConfig
    model: ModelConfig
    loss: LossConfig
    train: TrainConfig
    knn: KnnConfig
    distribution: DistributionConfig = DistributionConfig()

    def to_json(self) -> str:
        """Returns the settings as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> RunConfig:
        """Reads what `to_json` wrote.

        Raises:
          ValueError: the text is not the settings of a run of this version.
        """
        try:
            content: dict[str, dict[str, Any]] = json.loads(text)
            train = content["train"]
            for name in ("lr_boundaries", "profile_steps"):
                if train.get(name) is not None:
                    train[name] = tuple(train[name])
            return cls(
                data=DataConfig(**content["data"]),
                model=ModelConfig(**content["model"]),
                loss=LossConfig(**content["loss"]),
                train=TrainConfig(**train),
                knn=KnnConfig(**content["knn"]),
                distribution=DistributionConfig(**content.get("distribution", {})),
            )
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"Not the settings of a VIE-TF run: {error!r}") from error
