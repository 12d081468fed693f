"""Finetune: training of the whole network on labels."""

from __future__ import annotations

from typing import Any

from absl import flags

from flags import optimization
from vie_tf.config import FROM_SCRATCH, FinetuneConfig

_SPLITS = flags.DEFINE_list(
    "splits",
    [],
    "Folders of several data sets, separated by commas, in place of --data_dir, as the"
    " three splits of UCF101: each is fine-tuned and tested by itself, and mean and"
    " standard deviation are given.",
)
_FROM_SCRATCH = flags.DEFINE_bool(
    "from_scratch",
    FinetuneConfig.from_scratch,
    "Whether the network of the run starts untrained, for comparison. Of the run only"
    " the settings are used; train.py --train_steps=0 makes one without training.",
)
_DROPOUT = flags.DEFINE_float(
    "dropout",
    FinetuneConfig.dropout,
    "Share of the pooled features that a training step leaves out.",
    lower_bound=0.0,
)
_TEST_CLIPS = flags.DEFINE_enum(
    "test_clips",
    FinetuneConfig.test_clips,
    ["consecutive", "spaced"],
    "Clips of a test video whose outputs are averaged: consecutive, as many as it has,"
    " or --num_clips equally spaced ones. Default: consecutive; spaced for clips of one"
    " frame.",
)

flags.register_validator(
    _SPLITS, lambda folders: all(folders), "give folders, with one comma in between"
)
flags.register_validator(_DROPOUT, lambda value: value < 1, "must lie in [0, 1)")


def splits() -> list[str]:
    """Returns the folders of the splits; none where there is just --data_dir."""
    return _SPLITS.value


def finetune_config(num_clips: int) -> FinetuneConfig:
    """Builds the settings from the command line.

    Args:
      num_clips: of a video in validations, from the station of kNN.

    Raises:
      ValueError: flags that contradict each other.
    """
    settings: dict[str, Any] = dict(FROM_SCRATCH) if _FROM_SCRATCH.value else {}
    settings.update(optimization.given())
    if optimization.weight_decay() is not None:
        settings["weight_decay"] = optimization.weight_decay()
    if settings.get("lr_boundaries") and "lr_schedule" not in settings:
        settings["lr_schedule"] = "boundaries"
    return FinetuneConfig(
        num_clips=num_clips,
        from_scratch=_FROM_SCRATCH.value,
        dropout=_DROPOUT.value,
        test_clips=_TEST_CLIPS.value,
        **settings,
    )
