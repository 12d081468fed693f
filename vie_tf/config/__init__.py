"""Settings: each declared once, with its default, help, bounds and role.

Flags, --help, config.json and the comparison of runs are made from the declarations
(`vie_tf.config.setting`).  Defaults are the paper's (section 4 and appendices A, B), or
those of the authors' code where the paper does not say.
"""

from vie_tf.config.data import OLD_CROPS, DataConfig
from vie_tf.config.evaluation import (
    TASKS,
    EvaluationConfig,
    KnnTaskConfig,
    RetrievalConfig,
)
from vie_tf.config.export import ExportConfig
from vie_tf.config.label_training import (
    FROM_SCRATCH,
    FinetuneConfig,
    LabelConfig,
    LinearConfig,
)
from vie_tf.config.loss import LossConfig
from vie_tf.config.model import ModelConfig
from vie_tf.config.optimization import KnnConfig, OptimizationConfig, TrainConfig
from vie_tf.config.presets import Preset, PresetConfig
from vie_tf.config.run import DistributionConfig, RunConfig
from vie_tf.config.search import (
    BASELINES,
    READY_NETWORKS,
    RUN,
    EmbeddingConfig,
    SearchConfig,
    VideosConfig,
)
from vie_tf.config.setting import Role, settings_of

__all__ = [
    "BASELINES",
    "FROM_SCRATCH",
    "OLD_CROPS",
    "READY_NETWORKS",
    "RUN",
    "TASKS",
    "DataConfig",
    "DistributionConfig",
    "EmbeddingConfig",
    "EvaluationConfig",
    "ExportConfig",
    "FinetuneConfig",
    "KnnConfig",
    "KnnTaskConfig",
    "LabelConfig",
    "LinearConfig",
    "LossConfig",
    "ModelConfig",
    "OptimizationConfig",
    "Preset",
    "PresetConfig",
    "RetrievalConfig",
    "Role",
    "RunConfig",
    "SearchConfig",
    "TrainConfig",
    "VideosConfig",
    "settings_of",
]
