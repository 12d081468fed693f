"""Flags of train.py."""

from __future__ import annotations

import dataclasses

from vie_tf.config import (
    DataConfig,
    DistributionConfig,
    KnnConfig,
    LossConfig,
    ModelConfig,
    Preset,
    PresetConfig,
    RunConfig,
    TrainConfig,
)
from vie_tf.config.setting import setting
from vie_tf.flags import shared
from vie_tf.flags.cli import Flags, Groups


@dataclasses.dataclass(frozen=True)
class DryRunConfig:
    """A look at the input of a run instead of the run."""

    show_batch: int = setting(
        0,
        "Draw so many clips of the run, before and after augmentation, into"
        " MODEL_DIR/batch.png, and do not train.",
        lower=0,
    )
    check_input: bool = setting(
        False,
        "Measure how many clips per second the input delivers and the training step"
        " takes, report the bottleneck, and do not train.",
    )


GROUPS: Groups = {
    "Preset: what is taken for flags that are not given": PresetConfig,
    "Data: which records are read, and how": DataConfig,
    "Model: which network, on which clips": ModelConfig,
    "Loss: what is learned": LossConfig,
    "Training: start, steps, optimization": TrainConfig,
    "kNN: validation by nearest neighbors": KnnConfig,
    "Distribution: which devices share the batches": DistributionConfig,
    "Dry run: a look at the input instead of training": DryRunConfig,
}


# Without values of its own, as the defaults are the paper's.
PAPER = Preset()


def config(flags: Flags, preset: Preset = PAPER) -> RunConfig:
    """Builds the settings of the run.

    Args:
      flags: flags of the command.
      preset: values for flags that were not given.

    Raises:
      UserError: a flag is missing, or two contradict each other.
    """
    flags.set_defaults(preset.values)
    train = flags.config(TrainConfig)
    shared.check_schedule(flags)
    # A run that starts from another one has done IR there.
    loss = {"ir_steps": 0} if train.init_from else {}
    return RunConfig(
        data=shared.data_config(flags),
        model=flags.config(ModelConfig),
        loss=flags.config(LossConfig, **loss),
        train=train,
        knn=flags.config(KnnConfig),
        distribution=flags.config(DistributionConfig),
        preset=preset,
    )
