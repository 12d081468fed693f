"""Settings of a run as TensorBoard's HParams tab shows them.

Comes in: the settings.  Goes out: flat names such as `train/learning_rate`, and the
summaries that the tab reads.
"""

from __future__ import annotations

import dataclasses
from typing import Union

from tensorboard.plugins.hparams import api

from vie_tf.config import RunConfig

Value = Union[bool, int, float, str]

# Where things lie and how often something is told makes no other network.
_NO_HYPER_PARAMETERS = (
    *("data/cache_dir", "data/data_service", "train/model_dir"),
    *("train/checkpoint_steps", "train/log_steps", "train/num_to_keep"),
    "train/profile_steps",
)


def flat(config: RunConfig) -> dict[str, Value]:
    """Values by `group/name`, without those that are not given.

    Args:
      config: of the run.
    """
    values: dict[str, Value] = {}
    for group, settings in dataclasses.asdict(config).items():
        for name, value in settings.items():
            key = f"{group}/{name}"
            if value is None or key in _NO_HYPER_PARAMETERS:
                continue
            is_list = isinstance(value, tuple)
            values[key] = ",".join(map(str, value)) if is_list else value
    return values


def write(config: RunConfig) -> None:
    """Writes them to the default summary writer, with the metrics beside them.

    Args:
      config: of the run.
    """
    values = flat(config)
    validation = "softmax" if config.loss.name == "supervised" else "knn"
    metrics = [
        api.Metric(f"{validation}/top1", display_name=f"{validation} top-1"),
        api.Metric("train/loss", display_name="loss"),
    ]
    api.hparams_config([api.HParam(name) for name in values], metrics)
    api.hparams(values)
