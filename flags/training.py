"""Training: where a run starts from, and what is kept of it."""

from __future__ import annotations

from absl import flags

from flags import optimization
from vie_tf.config import TrainConfig

_INIT_FROM = flags.DEFINE_string(
    "init_from",
    None,
    "Folder of an earlier run whose last checkpoint this one starts from: weights,"
    " optimizer, memory bank and step. A run of trn can start from one of single, but"
    " for its head.",
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
_PROFILE_STEPS = flags.DEFINE_list(
    "profile_steps",
    [],
    "First and last step of a profile for TensorBoard, as in 100,110: where the time of"
    " a step goes. Take some dozen at most, after the first of a start.",
)


@flags.validator(
    _PROFILE_STEPS, message="give the first and the last step, as in 100,110"
)
def _are_first_and_last(values: list[str]) -> bool:
    if not values:
        return True
    if len(values) != 2 or not all(value.isdecimal() for value in values):
        return False
    return 0 < int(values[0]) <= int(values[1])


def train_config(
    model_dir: str, single_from: str | None, dynamic_from: str | None
) -> TrainConfig:
    """Builds the settings from the command line and those of other stations.

    Raises:
      ValueError: flags that contradict each other.
    """
    profile_steps = None
    if _PROFILE_STEPS.value:
        profile_steps = int(_PROFILE_STEPS.value[0]), int(_PROFILE_STEPS.value[1])
    return TrainConfig(
        model_dir=model_dir,
        init_from=_INIT_FROM.value,
        single_from=single_from,
        dynamic_from=dynamic_from,
        lr_warmup_steps=_LR_WARMUP_STEPS.value,
        num_to_keep=_NUM_TO_KEEP.value,
        profile_steps=profile_steps,
        **optimization.given(),
    )
