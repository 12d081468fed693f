"""Settings of a run, under names such as `train/learning_rate`, for TensorBoard.

The HParams tab shows them.
"""

from __future__ import annotations

import dataclasses
import random
from typing import Any, Union

from tensorboard.plugins.hparams import api, api_pb2

from vie_tf.config import RunConfig

Value = Union[bool, int, float, str]

_TYPES = {
    bool: api_pb2.DATA_TYPE_BOOL,
    int: api_pb2.DATA_TYPE_FLOAT64,  # the tab's type of all numbers
    float: api_pb2.DATA_TYPE_FLOAT64,
    str: api_pb2.DATA_TYPE_STRING,
}
# The tab shows the first five, those that are said to differ before the others.
_FIRST = ("loss/name", "model/name", "train/learning_rate")


class _AnyOf(api.Domain):
    """All values of a type, so that the tab hides no run before the reader filters."""

    def __init__(self, example: Value, differs: bool) -> None:
        self._example, self._differs = example, differs

    @property
    def dtype(self) -> type:
        return type(self._example)

    def sample_uniform(self, rng: Any = random) -> Value:
        del rng
        return self._example

    def update_hparam_info(self, hparam_info: api_pb2.HParamInfo) -> None:
        hparam_info.type = _TYPES[self.dtype]
        hparam_info.differs = self._differs


def flat(config: RunConfig) -> dict[str, Value]:
    """Returns the settings of a run that are not None by `group/name`."""
    values: dict[str, Value] = {}
    for group, setting, value in config.settings():
        if setting.is_hparam and value is not None:
            values[f"{group}/{setting.name}"] = _value(value)
    return values


def write(config: RunConfig) -> None:
    """Writes the settings and names of metrics to the default summary writer."""
    values = flat(config)
    validation = "softmax" if config.loss.name == "supervised" else "knn"
    metrics = [
        api.Metric(f"{validation}/top1", display_name=f"{validation} top-1"),
        api.Metric("train/loss", display_name="loss"),
    ]
    usual = {
        f"{group}/{setting.name}": _value(setting.default)
        for group, setting, _ in config.settings()
        if setting.default not in (None, dataclasses.MISSING)
    }
    parameters = []
    for name, value in values.items():
        differs = name in _FIRST or value != usual.get(name, value)
        parameters.append(api.HParam(name, _AnyOf(value, differs)))
    api.hparams_config(parameters, metrics)
    api.hparams(values)


def _value(setting: Any) -> Value:
    return ",".join(map(str, setting)) if isinstance(setting, tuple) else setting
