"""Flags that train.py and evaluate.py share: rules between two of them."""

from __future__ import annotations

from vie_tf.config import DataConfig
from vie_tf.flags.cli import Flags
from vie_tf.storage.errors import UserError


def data_config(flags: Flags, data_dir: str | None = None) -> DataConfig:
    """Builds the settings of the data.

    Args:
      flags: of the command.
      data_dir: folder of the data in place of --data_dir.

    Raises:
      UserError: --data_dir is missing, or two flags contradict each other.
    """
    given = flags.given(DataConfig)
    if data_dir and given.get("data_dir"):
        raise UserError(
            f"--data_dir={given['data_dir']} and --splits both name the data: leave one"
            " of them out."
        )
    data = flags.config(DataConfig, **({"data_dir": data_dir} if data_dir else {}))
    if data.data_service and data.deterministic:
        raise UserError(
            "--data_service delivers batches in any order, so the run cannot be"
            " repeated exactly: add --nodeterministic."
        )
    if data.data_service and data.cache_dir:
        raise UserError("--cache_dir is not used with --data_service: leave it out.")
    return data


def check_schedule(flags: Flags) -> None:
    """Checks that one flag decides when the learning rate drops.

    Raises:
      UserError: two flags do.
    """
    given = flags.all_given()
    if given.get("lr_schedule") == "plateau" and given.get("lr_boundaries"):
        raise UserError(
            "--lr_boundaries and --lr_schedule=plateau both decide when the learning"
            " rate drops: leave one of them out."
        )
