"""kNN: classification by nearest neighbours."""

from __future__ import annotations

from absl import flags

from vie_tf.config import KnnConfig

_K = flags.DEFINE_integer("knn_k", KnnConfig.k, "Neighbours that vote.", lower_bound=1)
_TEMPERATURE = flags.DEFINE_float(
    "knn_temperature",
    KnnConfig.temperature,
    "A vote weighs exp(similarity / temperature).",
    lower_bound=1e-3,
)
_NUM_CLIPS = flags.DEFINE_integer(
    "num_clips",
    KnnConfig.num_clips,
    "Equally spaced clips of a video at test time.",
    lower_bound=1,
)


def knn_config() -> KnnConfig:
    """Builds the settings from the command line."""
    return KnnConfig(
        k=_K.value, temperature=_TEMPERATURE.value, num_clips=_NUM_CLIPS.value
    )
