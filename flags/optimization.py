"""Optimization: how long, how fast, and what happens every so often."""

from __future__ import annotations

from typing import Any

from absl import flags

from vie_tf.config import (
    FROM_SCRATCH,
    FinetuneConfig,
    LinearConfig,
    LossConfig,
    TrainConfig,
)


def _defaults(name: str) -> str:
    """The default of a setting in each command, in words."""
    in_training = getattr(LossConfig if name == "weight_decay" else TrainConfig, name)
    values = {
        "train.py": in_training,
        "linear": getattr(LinearConfig, name),
        "finetune": getattr(FinetuneConfig, name),
    }
    if name in FROM_SCRATCH:
        values["finetune from scratch"] = FROM_SCRATCH[name]
    if len(set(values.values())) == 1:
        return f"Default: {in_training}."
    listed = ", ".join(f"{command} {value}" for command, value in values.items())
    return f"Default: {listed}."


_TRAIN_STEPS = flags.DEFINE_integer(
    "train_steps",
    None,
    "All steps of the run; those of IR and of --init_from count. 0 writes the network"
    f" untrained, for comparison. Default: train.py {TrainConfig.train_steps}; linear"
    f" {LinearConfig.epochs} and finetune {FinetuneConfig.epochs} epochs, at least"
    f" {LinearConfig.min_steps} steps.",
    lower_bound=0,
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size",
    None,
    "Videos of a step over all devices. Default: train.py the paper's (single 128,"
    f" others 64); linear and finetune {LinearConfig.batch_size}.",
    lower_bound=1,
)
_LEARNING_RATE = flags.DEFINE_float(
    "learning_rate",
    None,
    f"Learning rate of the first steps. {_defaults('learning_rate')}",
    lower_bound=0.0,
)
_LR_SCHEDULE = flags.DEFINE_enum(
    "lr_schedule",
    None,
    ["boundaries", "plateau"],
    "When the rate is divided by 10: at the steps of --lr_boundaries, or when top-1 of"
    " the run's validations no longer rises, which needs labels."
    f" {_defaults('lr_schedule')}",
)
_LR_BOUNDARIES = flags.DEFINE_list(
    "lr_boundaries",
    None,
    "Steps, separated by commas, at which the rate is divided by 10. Default: train.py"
    f" none; linear {' and '.join(f'{s:.0%}' for s in LinearConfig.boundary_shares)} of"
    " the steps.",
)
_PLATEAU_PATIENCE = flags.DEFINE_integer(
    "plateau_patience",
    None,
    "Validations without a gain after which --lr_schedule=plateau divides the rate."
    f" {_defaults('plateau_patience')}",
    lower_bound=1,
)
_PLATEAU_GAIN = flags.DEFINE_float(
    "plateau_min_delta",
    None,
    "What counts as a gain over the best top-1 so far, as a fraction."
    f" {_defaults('plateau_min_delta')}",
    lower_bound=0.0,
    upper_bound=1.0,
)
_PLATEAU_MAX_DROPS = flags.DEFINE_integer(
    "plateau_max_drops",
    None,
    "How often --lr_schedule=plateau divides the rate at most."
    f" {_defaults('plateau_max_drops')}",
    lower_bound=1,
)
_MOMENTUM = flags.DEFINE_float(
    "momentum",
    None,
    f"Momentum of SGD. {_defaults('momentum')}",
    lower_bound=0.0,
    upper_bound=1,
)
_WEIGHT_DECAY = flags.DEFINE_float(
    "weight_decay",
    None,
    "Factor of the L2 term over all weights but batch norm's."
    f" {_defaults('weight_decay')}",
    lower_bound=0.0,
)
_SEED = flags.DEFINE_integer(
    "seed",
    None,
    f"Seed of weights, memory bank, clips, negatives, clusters. {_defaults('seed')}",
    lower_bound=0,
)
_CHECKPOINT_STEPS = flags.DEFINE_integer(
    "checkpoint_steps",
    None,
    f"Steps between checkpoints. {_defaults('checkpoint_steps')}",
    lower_bound=1,
)
_EVAL_STEPS = flags.DEFINE_integer(
    "eval_steps",
    None,
    "Steps between validations; 0 validates at the end only. Default: train.py"
    f" {TrainConfig.eval_steps}; linear makes {LinearConfig.num_validations} and"
    f" finetune {FinetuneConfig.num_validations} validations.",
    lower_bound=0,
)
_LOG_STEPS = flags.DEFINE_integer(
    "log_steps",
    None,
    f"Steps between lines and TensorBoard points. {_defaults('log_steps')}",
    lower_bound=1,
)


@flags.validator(
    _LR_BOUNDARIES, message="give whole numbers in rising order, as in 500,800"
)
def _are_rising_steps(values: list[str] | None) -> bool:
    if not values:
        return True
    if not all(value.isdecimal() for value in values):
        return False
    steps = [int(value) for value in values]
    return steps == sorted(set(steps))


def weight_decay() -> float | None:
    """Returns the factor of the L2 term, None where it was not given."""
    return _WEIGHT_DECAY.value


def given() -> dict[str, Any]:
    """Returns the settings that were given, by name, but for the weight decay.

    Raises:
      ValueError: flags that contradict each other.
    """
    if _LR_SCHEDULE.value == "plateau" and _LR_BOUNDARIES.value:
        raise ValueError(
            "--lr_boundaries and --lr_schedule=plateau both say when the rate drops:"
            " leave one of them out."
        )
    boundaries = None
    if _LR_BOUNDARIES.value is not None:
        boundaries = tuple(int(step) for step in _LR_BOUNDARIES.value)
    settings = {
        "train_steps": _TRAIN_STEPS.value,
        "batch_size": _BATCH_SIZE.value,
        "learning_rate": _LEARNING_RATE.value,
        "lr_schedule": _LR_SCHEDULE.value,
        "lr_boundaries": boundaries,
        "plateau_patience": _PLATEAU_PATIENCE.value,
        "plateau_min_delta": _PLATEAU_GAIN.value,
        "plateau_max_drops": _PLATEAU_MAX_DROPS.value,
        "momentum": _MOMENTUM.value,
        "seed": _SEED.value,
        "checkpoint_steps": _CHECKPOINT_STEPS.value,
        "eval_steps": _EVAL_STEPS.value,
        "log_steps": _LOG_STEPS.value,
    }
    return {name: value for name, value in settings.items() if value is not None}
