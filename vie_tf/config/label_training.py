"""Settings of a training on labels in an evaluation."""

from __future__ import annotations

import dataclasses

from vie_tf.config.optimization import PLATEAU, KnnConfig, OptimizationConfig
from vie_tf.config.setting import Role, like, setting

# What fine-tuning takes for a network that starts untrained (appendix E).
FROM_SCRATCH = {"learning_rate": 0.01, "weight_decay": 1e-4}


@dataclasses.dataclass(frozen=True)
class LabelConfig(OptimizationConfig):
    """Training on labels in an evaluation: linear probes and fine-tuning."""

    train_steps: int | None = like(
        OptimizationConfig,
        "train_steps",
        help="Total number of steps.",
        otherwise="{epochs} epochs, at least {min_steps} steps",
    )
    batch_size: int = 128
    lr_boundaries: tuple[int, ...] | None = like(
        OptimizationConfig,
        "lr_boundaries",
        default=None,
        otherwise="fractions {boundary_shares} of the steps",
    )
    plateau_patience: int = 3
    checkpoint_steps: int = 500
    eval_steps: int | None = like(
        OptimizationConfig,
        "eval_steps",
        default=None,
        only_if=PLATEAU,
        otherwise="{num_validations} validations",
    )
    num_clips: int = like(KnnConfig, "num_clips", only_if=PLATEAU)
    weight_decay: float = setting(
        1e-4,
        "Weight of the L2 penalty on all weights but those of batch norm.",
        lower=0,
    )
    # Without a flag: what takes the place of settings that are None.
    epochs: int = setting(60, "Epochs of train_steps.", role=Role.DERIVES, flag=None)
    min_steps: int = setting(
        500, "Least number of train_steps.", role=Role.DERIVES, flag=None
    )
    boundary_shares: tuple[float, ...] = setting(
        (0.5, 0.8), "Fractions of the steps.", role=Role.DERIVES, flag=None
    )
    num_validations: int = setting(
        10, "Number of validations.", role=Role.DERIVES, flag=None
    )


@dataclasses.dataclass(frozen=True)
class LinearConfig(LabelConfig):
    """Linear probes of conv1 .. conv5 of a frozen network (section 4, table 1).

    The rate is that of the authors' train_transfer.py; pre-training begins with three
    times as much.
    """

    learning_rate: float = 0.01
    pool_conv5: bool = setting(
        False,
        "Average conv5 over space before its probe, as the authors do for single, slow"
        " and slowfast in table 5.",
        tasks=("linear", "all"),
    )


@dataclasses.dataclass(frozen=True)
class FinetuneConfig(LabelConfig):
    """Training of a whole network on labels (section 4, table 2, appendix E)."""

    epochs: int = 200
    learning_rate: float = 0.0005
    lr_schedule: str = "plateau"
    plateau_patience: int = 8
    weight_decay: float = 1e-5
    num_validations: int = 30
    from_scratch: bool = setting(
        False,
        "Start from the untrained network of the run, for comparison. Of the run only"
        " the settings are used; train.py --train_steps=0 makes one without training."
        f" Default learning rate then {FROM_SCRATCH['learning_rate']}, weight decay"
        f" {FROM_SCRATCH['weight_decay']}.",
    )
    dropout: float = setting(
        0.0,
        "Fraction of the pooled features that a training step drops.",
        lower=0,
        below=1,
    )
    test_clips: str | None = setting(
        None,
        "Clips of a test video whose outputs are averaged. consecutive: as many as the"
        " video has. spaced: --num_clips equally spaced ones.",
        role=Role.FREE,
        choices=("consecutive", "spaced"),
        otherwise="consecutive; spaced for networks of single frames",
    )
