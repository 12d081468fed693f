"""Training: where a run starts from, and what is kept of it."""

from __future__ import annotations

from absl import flags

from flags import optimization
from vie_tf.config import TrainConfig

_INIT_FROM = flags.DEFINE_string(
    "init_from",
    None,
    "Folder of an earlier run whose last checkpoint this one starts from: weights,"
    " optimizer, memory bank and step.",
)
_LR_WARMUP_STEPS = flags.DEFINE_integer(
    "lr_warmup_steps",
    TrainConfig.lr_warmup_steps,
    "Steps in which the rate rises from 0 to --learning_rate, as the square of the"
    " step; for small collections.",
    lower_bound=0,
)
_NUM_TO_KEEP = flags.DEFINE_integer(
    "num_to_keep", TrainConfig.num_to_keep, "Checkpoints that are kept.", lower_bound=1
)


def train_config(
    model_dir: str, single_from: str | None, dynamic_from: str | None
) -> TrainConfig:
    """Builds the settings from the command line and those of other stations.

    Raises:
      ValueError: flags that contradict each other.
    """
    return TrainConfig(
        model_dir=model_dir,
        init_from=_INIT_FROM.value,
        single_from=single_from,
        dynamic_from=dynamic_from,
        lr_warmup_steps=_LR_WARMUP_STEPS.value,
        num_to_keep=_NUM_TO_KEEP.value,
        **optimization.given(),
    )
