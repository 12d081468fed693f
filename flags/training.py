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
_LR_BOUNDARIES = flags.DEFINE_list(
    "lr_boundaries",
    list(TrainConfig.lr_boundaries),
    "Steps, separated by commas, at which the rate is divided by 10.",
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
    """Builds the settings from the command line and those of other stations."""
    return TrainConfig(
        model_dir=model_dir,
        init_from=_INIT_FROM.value,
        single_from=single_from,
        dynamic_from=dynamic_from,
        train_steps=_TRAIN_STEPS.value,
        batch_size=_BATCH_SIZE.value,
        learning_rate=_LEARNING_RATE.value,
        lr_warmup_steps=_LR_WARMUP_STEPS.value,
        lr_boundaries=tuple(int(step) for step in _LR_BOUNDARIES.value),
        momentum=_MOMENTUM.value,
        seed=_SEED.value,
        checkpoint_steps=_CHECKPOINT_STEPS.value,
        eval_steps=_EVAL_STEPS.value,
        log_steps=_LOG_STEPS.value,
        num_to_keep=_NUM_TO_KEEP.value,
    )
