"""Settings of a training run, as config.json has them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Collection, Iterator

from vie_tf.config.data import DataConfig
from vie_tf.config.loss import LossConfig
from vie_tf.config.model import ModelConfig
from vie_tf.config.optimization import KnnConfig, TrainConfig
from vie_tf.config.presets import Preset
from vie_tf.config.setting import (
    LOGGED,
    Role,
    Setting,
    from_json,
    setting,
    settings_of,
)
from vie_tf.storage.errors import UserError


@dataclasses.dataclass(frozen=True)
class DistributionConfig:
    """Devices that share the batches (docs/distribution.md)."""

    strategy: str = setting(
        "mirrored",
        "mirrored: the devices of this machine. multi_worker: those of several"
        " machines, which TF_CONFIG or Slurm names; start the same command on each.",
        role=Role.EXECUTION,
        choices=("mirrored", "multi_worker"),
    )
    num_replicas: int | None = setting(
        None,
        "Devices of this machine that share a batch. Without GPUs, more than one"
        " divides the CPU, to try out distributed training.",
        role=Role.EXECUTION,
        lower=1,
        otherwise="all GPUs that TensorFlow sees, else one CPU",
    )


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Everything that a training run depends on."""

    data: DataConfig
    model: ModelConfig
    loss: LossConfig
    train: TrainConfig
    knn: KnnConfig
    distribution: DistributionConfig = DistributionConfig()
    preset: Preset = Preset()

    def to_json(self) -> str:
        """Returns the settings as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> RunConfig:
        """Reads what `to_json` wrote, in this or an earlier version.

        Raises:
          UserError: the text is not the settings of a run.
        """
        try:
            content = json.loads(text)
            # Earlier versions validated against the memory bank alone.
            content["train"].setdefault("knn_gallery", "bank")
            return cls(
                **{
                    group: from_json(config, content[group])
                    for group, config in GROUPS.items()
                    if group in content or group != "distribution"  # came later
                },
                preset=_preset(content.get("preset", {})),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"Not the settings of a VIE-TF run: {error!r}") from error

    def changes(self, old: RunConfig, roles: Collection[Role] = LOGGED) -> list[str]:
        """Lists the settings that differ, such as `--seed was 0, is now 1`.

        Args:
          old: settings before.
          roles: roles of the settings that are compared; without any, of all but those
            of where the run is and how long.
        """
        before = {(group, one.name): value for group, one, value in old.settings()}
        return [
            f"{one.label} was {before[group, one.name]!r}, is now {value!r}"
            for group, one, value in self.settings()
            if one.role in roles and before[group, one.name] != value
        ]

    def settings(self) -> Iterator[tuple[str, Setting, object]]:
        """Yields group, declaration and value of every setting."""
        for group in GROUPS:
            config = getattr(self, group)
            for one in settings_of(type(config)).values():
                yield group, one, getattr(config, one.name)


def _preset(content: dict[str, Any]) -> Preset:
    """Reads a preset; values of settings that are no more are left out."""
    settings = {
        one.flag: one
        for config in GROUPS.values()
        for one in settings_of(config).values()
    }
    values = {
        flag: settings[flag].from_json(value)
        for flag, value in content.get("values", {}).items()
        if flag in settings
    }
    return Preset(content.get("name", Preset.name), values)


# The config classes by their names in `RunConfig` and config.json.
GROUPS: dict[str, type] = {
    "data": DataConfig,
    "model": ModelConfig,
    "loss": LossConfig,
    "train": TrainConfig,
    "knn": KnnConfig,
    "distribution": DistributionConfig,
}
