"""Settings of the optimization, of training and of its periodic actions."""

from __future__ import annotations

import dataclasses
from typing import Sequence

from vie_tf.config.setting import Role, setting

PLATEAU = ("lr_schedule", "plateau")


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
        "When the learning rate is divided by 10. boundaries: after the steps of"
        " --lr_boundaries. plateau: when top-1 of the validations stops rising, which"
        " needs labels.",
        choices=("boundaries", "plateau"),
    )
    lr_boundaries: tuple[int, ...] | None = setting(
        (),
        "Steps after which the learning rate is divided by 10, separated by commas.",
        check=(_rise, "in rising order, as in 500,800"),
    )
    # Chosen on the authors' curve of 3dresnet, see docs/decisions.md.
    plateau_patience: int = setting(
        35,
        "Validations without improvement after which --lr_schedule=plateau divides the"
        " learning rate.",
        lower=1,
        only_if=PLATEAU,
    )
    plateau_min_delta: float = setting(
        0.003,
        "Rise over the best top-1 so far that counts as an improvement, as a fraction.",
        lower=0,
        upper=1,
        only_if=PLATEAU,
        old_names=("plateau_gain",),
    )
    plateau_max_drops: int = setting(
        2,
        "Maximum number of times that --lr_schedule=plateau divides the learning rate.",
        lower=1,
        only_if=PLATEAU,
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
        otherwise="the paper's (single and alexnet 128, others 64)",
    )
    lr_boundaries: tuple[int, ...] = ()
    eval_steps: int = 5000
    init_from: str | None = setting(
        None,
        "Folder of an earlier run whose last checkpoint this one starts from: weights,"
        " optimizer, memory bank and step. A run of trn can start from one of single,"
        " with a new head.",
        role=Role.FIXED,
        path=True,
    )
    network_from: str | None = setting(
        None,
        "Folder of an earlier run, on any videos, whose network this one starts from,"
        " or people, the network that comes with this package;"
        " optimizer, memory bank and step are new, and so is the head where it does"
        " not fit.",
        role=Role.FIXED,
        path=True,
    )
    single_from: str | None = setting(
        None,
        "Folder of a run of single, the static stream of a two-stream network.",
        role=Role.FIXED,
        path=True,
    )
    dynamic_from: str | None = setting(
        None,
        "Folder of a run of slow or slowfast, the dynamic stream of a two-stream"
        " network.",
        role=Role.FIXED,
        path=True,
    )
    lr_warmup_steps: int = setting(
        0,
        "Steps in which the learning rate rises from 0 to --learning_rate, as the"
        " square of the step. The paper has none; small collections need it"
        " (docs/small_collections.md).",
        lower=0,
    )
    progressive_steps: int = setting(
        0,
        "Steps at the start, counted from the first of the run, whose clips have half"
        " the height and width, so a quarter of the pixels. The paper has none"
        " (docs/scale.md).",
        lower=0,
    )
    knn_gallery: str = setting(
        "auto",
        "Gallery of the kNN validation. bank: the memory bank, as in the authors' code."
        " features: embeddings of the training videos computed at the validation, as"
        " evaluate.py does, of fewer clips where they would be more than a fifth of the"
        " clips since the last one. auto: features, unless one clip of each video is"
        " more than that.",
        choices=("auto", "bank", "features"),
    )
    learning_videos: int = setting(
        2000,
        "Training videos of a sample on which a training without labels compares its"
        " embedding with the untrained network, pixels and a motion map, to say whether"
        " it helps (docs/watching_a_run.md). 0: it does not.",
        role=Role.FREE,
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
