"""Settings of the optimization, of training and of its periodic actions."""

from __future__ import annotations

import dataclasses
from typing import Sequence

from vie_tf.config.setting import Role, like, setting

_PLATEAU = ("lr_schedule", "plateau")


def _rise(steps: Sequence[int]) -> bool:
    return all(step >= 0 for step in steps) and list(steps) == sorted(set(steps))


def _are_first_and_last(steps: Sequence[int]) -> bool:
    return not steps or (len(steps) == 2 and 0 < steps[0] <= steps[1])


@dataclasses.dataclass(frozen=True)
class OptimizationConfig:
    """What every training has: pre-training, linear probes and fine-tuning."""

    train_steps: int | None = setting(
        None,
        "Total number of steps, including those of IR and of --init_from. 0 writes the"
        " untrained network, for comparison.",
        role=Role.FREE,
        hparam=True,
        lower=0,
    )
    batch_size: int | None = setting(
        None, "Videos of a step over all devices.", role=Role.FIXED, lower=1
    )
    learning_rate: float = setting(0.03, "Learning rate at the start.", lower=0)
    lr_schedule: str = setting(
        "boundaries",
        "When the learning rate is divided by 10. boundaries: at the steps of"
        " --lr_boundaries. plateau: when top-1 of the validations stops rising, which"
        " needs labels.",
        choices=("boundaries", "plateau"),
    )
    lr_boundaries: tuple[int, ...] | None = setting(
        (),
        "Steps at which the learning rate is divided by 10, separated by commas.",
        check=(_rise, "in rising order, as in 500,800"),
    )
    # Chosen on the authors' curve of 3dresnet, see docs/decisions.md.
    plateau_patience: int = setting(
        35,
        "Validations without improvement after which --lr_schedule=plateau divides the"
        " learning rate.",
        lower=1,
        only_if=_PLATEAU,
    )
    plateau_min_delta: float = setting(
        0.003,
        "Rise over the best top-1 so far that counts as an improvement, as a fraction.",
        lower=0,
        upper=1,
        only_if=_PLATEAU,
        old_names=("plateau_gain",),
    )
    plateau_max_drops: int = setting(
        2,
        "Maximum number of times that --lr_schedule=plateau divides the learning rate.",
        lower=1,
        only_if=_PLATEAU,
    )
    momentum: float = setting(0.9, "Momentum of SGD.", lower=0, upper=1)
    seed: int = setting(
        0,
        "Seed of weights, memory bank, clips, negatives and clusters.",
        role=Role.FIXED,
        lower=0,
    )
    eval_steps: int | None = setting(
        5000, "Steps between validations; 0 validates at the end only.", lower=0
    )
    checkpoint_steps: int = setting(
        5000, "Steps between checkpoints.", role=Role.FREE, lower=1
    )
    log_steps: int = setting(
        100,
        "Steps between log lines and points in TensorBoard.",
        role=Role.FREE,
        lower=1,
    )


@dataclasses.dataclass(frozen=True)
class FolderConfig:
    """Folder of a run: a base class of its own, since required fields come first."""

    model_dir: str = setting(
        dataclasses.MISSING,
        "Folder of the run: checkpoints, TensorBoard, config.json, eval.",
        role=Role.PLACE,
    )


@dataclasses.dataclass(frozen=True)
class TrainConfig(OptimizationConfig, FolderConfig):
    """Training of a network: its start, its steps and its folder."""

    train_steps: int = 1_600_000
    batch_size: int | None = setting(
        None,
        "Videos of a step over all devices.",
        role=Role.FIXED,
        lower=1,
        otherwise="the paper's (single 128, others 64)",
    )
    lr_boundaries: tuple[int, ...] = ()
    eval_steps: int = 5000
    init_from: str | None = setting(
        None,
        "Folder of an earlier run whose last checkpoint this one starts from: weights,"
        " optimizer, memory bank and step. A run of trn can start from one of single,"
        " with a new head.",
        role=Role.FIXED,
    )
    single_from: str | None = setting(
        None,
        "Folder of a run of single, the static stream of a two-stream network.",
        role=Role.FIXED,
    )
    dynamic_from: str | None = setting(
        None,
        "Folder of a run of slow or slowfast, the dynamic stream of a two-stream"
        " network.",
        role=Role.FIXED,
    )
    lr_warmup_steps: int = setting(
        0,
        "Steps in which the learning rate rises from 0 to --learning_rate, as the"
        " square of the step. The paper has none; small collections need it"
        " (docs/small_collections.md).",
        lower=0,
    )
    num_to_keep: int = setting(
        3, "Number of checkpoints that are kept.", role=Role.FREE, lower=1
    )
    profile_steps: tuple[int, int] | None = setting(
        None,
        "First and last step of a profile for TensorBoard, as in 100,110. Take a few"
        " dozen at most, after the first of a start.",
        role=Role.FREE,
        check=(_are_first_and_last, "the first and the last step, as in 100,110"),
    )


@dataclasses.dataclass(frozen=True)
class KnnConfig:
    """kNN validation."""

    k: int = setting(10, "Number of neighbors that vote.", flag="knn_k", lower=1)
    temperature: float = setting(
        0.07,
        "A neighbor's vote weighs exp(similarity / temperature).",
        flag="knn_temperature",
        lower=1e-3,
    )
    num_clips: int = setting(
        5, "Equally spaced clips of a video at test time.", lower=1
    )


@dataclasses.dataclass(frozen=True)
class LabelConfig(OptimizationConfig):
    """Training on labels in an evaluation: linear probes and fine-tuning."""

    batch_size: int = 128
    lr_boundaries: tuple[int, ...] | None = None
    plateau_patience: int = 3
    checkpoint_steps: int = 500
    eval_steps: int | None = setting(
        None,
        "Steps between validations; 0 validates at the end only.",
        lower=0,
        only_if=_PLATEAU,
    )
    num_clips: int = like(KnnConfig, "num_clips", only_if=_PLATEAU)
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
    """Linear probes of conv1 .. conv5 of a frozen network (section 4, table 1)."""


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
        " the settings are used; train.py --train_steps=0 makes one without training.",
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


# What fine-tuning takes for a network that starts untrained (appendix E).
FROM_SCRATCH = {"learning_rate": 0.01, "weight_decay": 1e-4}
