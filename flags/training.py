"""Training: the optimisation, and what happens every so often."""

from __future__ import annotations

from absl import flags

from vie_tf.config import TrainConfig

_INIT_FROM = flags.DEFINE_string(
    "init_from",
    None,
    "Folder of an earlier run whose last checkpoint this one starts from: weights,"
    " optimizer, memory bank and step.",
)
_TRAIN_STEPS = flags.DEFINE_integer(
    "train_steps",
    TrainConfig.train_steps,
    "All steps of the run; those of IR and of --init_from count. 0 writes the network"
    " untrained, for comparison.",
    lower_bound=0,
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size",
    None,
    "Videos of a step over all devices. Default: the paper's (single 128, others 64).",
    lower_bound=1,
)
_LEARNING_RATE = flags.DEFINE_float(
    "learning_rate",
    TrainConfig.learning_rate,
    "Learning rate of the first steps.",
    lower_bound=0.0,
)
_LR_WARMUP_STEPS = flags.DEFINE_integer(
    "lr_warmup_steps",
    TrainConfig.lr_warmup_steps,
    "Steps in which the rate rises from 0 to --learning_rate, as the square of the"
    " step; for small collections.",
    lower_bound=0,
)
_LR_SCHEDULE = flags.DEFINE_enum(
    "lr_schedule",
    TrainConfig.lr_schedule,
    ["boundaries", "plateau"],
    "When the rate is divided by 10: at the steps of --lr_boundaries, or when top-1 of"
    " the run's validations no longer rises, which needs labels.",
)
_LR_BOUNDARIES = flags.DEFINE_list(
    "lr_boundaries",
    list(TrainConfig.lr_boundaries),
    "Steps, separated by commas, at which the rate is divided by 10.",
)
_PLATEAU_PATIENCE = flags.DEFINE_integer(
    "plateau_patience",
    TrainConfig.plateau_patience,
    "Validations without a gain after which --lr_schedule=plateau divides the rate.",
    lower_bound=1,
)
_PLATEAU_GAIN = flags.DEFINE_float(
    "plateau_gain",
    TrainConfig.plateau_gain,
    "What counts as a gain over the best top-1 so far, as a fraction.",
    lower_bound=0.0,
    upper_bound=1.0,
)
_PLATEAU_MAX_DROPS = flags.DEFINE_integer(
    "plateau_max_drops",
    TrainConfig.plateau_max_drops,
    "How often --lr_schedule=plateau divides the rate at most.",
    lower_bound=1,
)
_MOMENTUM = flags.DEFINE_float(
    "momentum", TrainConfig.momentum, "Momentum of SGD.", lower_bound=0.0, upper_bound=1
)
_SEED = flags.DEFINE_integer(
    "seed",
    TrainConfig.seed,
    "Seed of weights, memory bank, clips, negatives and clusters.",
    lower_bound=0,
)
_CHECKPOINT_STEPS = flags.DEFINE_integer(
    "checkpoint_steps",
    TrainConfig.checkpoint_steps,
    "Steps between checkpoints.",
    lower_bound=1,
)
_EVAL_STEPS = flags.DEFINE_integer(
    "eval_steps",
    TrainConfig.eval_steps,
    "Steps between kNN validations; 0 validates at the end only.",
    lower_bound=0,
)
_LOG_STEPS = flags.DEFINE_integer(
    "log_steps",
    TrainConfig.log_steps,
    "Steps between lines and TensorBoard points.",
    lower_bound=1,
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


@flags.validator(
    _LR_BOUNDARIES, message="give whole numbers in rising order, as in 500,800"
)
def _are_rising_steps(values: list[str]) -> bool:
    if not all(value.isdecimal() for value in values):
        return False
    steps = [int(value) for value in values]
    return steps == sorted(set(steps))


def train_config(
    model_dir: str, single_from: str | None, dynamic_from: str | None
) -> TrainConfig:
    """Builds the settings from the command line and those of other stations.

    Raises:
      ValueError: flags that contradict each other.
    """
    if _LR_SCHEDULE.value == "plateau" and _LR_BOUNDARIES.value:
        raise ValueError(
            "--lr_boundaries and --lr_schedule=plateau both say when the rate drops:"
            " leave one of them out."
        )
    profile_steps = None
    if _PROFILE_STEPS.value:
        profile_steps = int(_PROFILE_STEPS.value[0]), int(_PROFILE_STEPS.value[1])
    return TrainConfig(
        model_dir=model_dir,
        init_from=_INIT_FROM.value,
        single_from=single_from,
        dynamic_from=dynamic_from,
        train_steps=_TRAIN_STEPS.value,
        batch_size=_BATCH_SIZE.value,
        learning_rate=_LEARNING_RATE.value,
        lr_warmup_steps=_LR_WARMUP_STEPS.value,
        lr_schedule=_LR_SCHEDULE.value,
        lr_boundaries=tuple(int(step) for step in _LR_BOUNDARIES.value),
        plateau_patience=_PLATEAU_PATIENCE.value,
        plateau_gain=_PLATEAU_GAIN.value,
        plateau_max_drops=_PLATEAU_MAX_DROPS.value,
        momentum=_MOMENTUM.value,
        seed=_SEED.value,
        checkpoint_steps=_CHECKPOINT_STEPS.value,
        eval_steps=_EVAL_STEPS.value,
        log_steps=_LOG_STEPS.value,
        num_to_keep=_NUM_TO_KEEP.value,
        profile_steps=profile_steps,
    )
