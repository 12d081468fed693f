"""Loss: instance recognition (IR), local aggregation (LA) or labels."""

from __future__ import annotations

from absl import flags

from vie_tf.config import LossConfig

_LOSS = flags.DEFINE_enum(
    "loss",
    LossConfig.name,
    ["ir", "la", "supervised"],
    "Loss of the run; supervised is a softmax over the classes of the data.",
)
_TEMPERATURE = flags.DEFINE_float(
    "temperature",
    LossConfig.temperature,
    "Temperature tau of equation 2.",
    lower_bound=1e-3,
)
_IR_NUM_NEGATIVES = flags.DEFINE_integer(
    "ir_num_negatives",
    LossConfig.ir_num_negatives,
    "Negatives drawn from the bank for each video in IR.",
    lower_bound=1,
)
_IR_NORMALIZER = flags.DEFINE_enum(
    "ir_normalizer",
    LossConfig.ir_normalizer,
    ["imagenet", "batch"],
    "Z / N of equation 2: the constant of the authors' code, or estimated from the"
    " negatives of every batch.",
)
_IR_STEPS = flags.DEFINE_integer(
    "ir_steps",
    None,
    "Steps of IR before LA begins, with --loss=la. Default:"
    f" {LossConfig.ir_steps}, or 0 with --init_from.",
    lower_bound=0,
)
_AUTO = "auto"
_LA_NUM_CLUSTERS = flags.DEFINE_string(
    "la_num_clusters",
    str(LossConfig.la_num_clusters),
    "Clusters of k-means (m in appendix A), or auto: as many for each video as the"
    " paper's 8000 for 239,888, about one for 30.",
)
flags.register_validator(
    _LA_NUM_CLUSTERS,
    lambda value: value == _AUTO or (value.isdecimal() and int(value) >= 1),
    f"give a whole number, at least 1, or {_AUTO}.",
)
_LA_NUM_CLUSTERINGS = flags.DEFINE_integer(
    "la_num_clusterings",
    LossConfig.la_num_clusterings,
    "Independent clusterings; close neighbors share a cluster in any of them.",
    lower_bound=1,
)
_LA_NUM_BACKGROUND = flags.DEFINE_integer(
    "la_num_background",
    LossConfig.la_num_background,
    "Nearest rows of the bank that are background neighbors (k in appendix A).",
    lower_bound=1,
)
_LA_NUM_ITERATIONS = flags.DEFINE_integer(
    "la_num_iterations",
    LossConfig.la_num_iterations,
    "Iterations of one clustering, at most.",
    lower_bound=1,
)
_LA_SETTLED_SHARE = flags.DEFINE_float(
    "la_kmeans_tolerance",
    LossConfig.la_kmeans_tolerance,
    "A clustering ends when an iteration changes no more than this share of the labels;"
    " with 0, when it changes none.",
    lower_bound=0.0,
    upper_bound=1.0,
)


def loss_config(starts_from_run: bool, weight_decay: float | None) -> LossConfig:
    """Builds the settings from the command line.

    Args:
      starts_from_run: whether --init_from is given, so that IR is done already.
      weight_decay: from the station of optimization; None for the default.
    """
    ir_steps = _IR_STEPS.value
    if ir_steps is None:
        ir_steps = 0 if starts_from_run else LossConfig.ir_steps
    if weight_decay is None:
        weight_decay = LossConfig.weight_decay
    num_clusters = None
    if _LA_NUM_CLUSTERS.value != _AUTO:
        num_clusters = int(_LA_NUM_CLUSTERS.value)
    return LossConfig(
        name=_LOSS.value,
        temperature=_TEMPERATURE.value,
        ir_num_negatives=_IR_NUM_NEGATIVES.value,
        ir_normalizer=_IR_NORMALIZER.value,
        ir_steps=ir_steps,
        la_num_clusters=num_clusters,
        la_num_clusterings=_LA_NUM_CLUSTERINGS.value,
        la_num_background=_LA_NUM_BACKGROUND.value,
        la_num_iterations=_LA_NUM_ITERATIONS.value,
        la_kmeans_tolerance=_LA_SETTLED_SHARE.value,
        weight_decay=weight_decay,
    )
