"""Makes the memory bank of a run, if it fits into the memory of the devices.

Letters: N videos, D dimension, R replicas.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from vie_tf.config import LossConfig, RunConfig
from vie_tf.objectives.bank.memory_bank import MemoryBank
from vie_tf.objectives.bank.sharded_bank import ShardedBank
from vie_tf.storage import memory
from vie_tf.storage.errors import UserError
from vie_tf.terminal.wording import counted

_SMALL_DTYPE = "bfloat16"


def bank_from_config(config: RunConfig, labels: np.ndarray) -> MemoryBank:
    """Makes the bank of a run with random rows, in the strategy's scope.

    With one replica a divided bank is a whole one.

    Raises:
      UserError: it does not fit into the memory of the devices.
    """
    settings, dim = config.loss, config.model.embedding_dim
    strategy = tf.distribute.get_strategy()
    devices = devices_of(strategy)
    if devices is not None:
        check_fits(settings, len(labels), dim, devices)
    is_divided = settings.bank == "sharded" and strategy.num_replicas_in_sync > 1
    make = ShardedBank if is_divided else MemoryBank
    try:
        return make(labels, dim, config.train.seed, settings.bank_dtype)
    except tf.errors.ResourceExhaustedError as error:
        raise UserError(
            f"The memory bank of {counted(len(labels), 'video')} does not fit into the"
            " memory of a device. --bank=sharded divides it among all devices, and"
            " --bank_dtype=bfloat16 halves it."
        ) from error


class Devices(NamedTuple):
    """Devices that hold a bank.

    Attributes:
      num_replicas: R, of all workers.
      num_here: those of them that share `num_bytes`.
      num_bytes: memory that there is for them.
    """

    num_replicas: int
    num_here: int
    num_bytes: int


def devices_of(strategy: tf.distribute.Strategy) -> Devices | None:
    """Returns the CPUs of a strategy; None where memory is not known, as of GPUs."""
    found = memory.of_machine()
    if found is None or tf.config.get_visible_devices("GPU"):
        return None
    # The default strategy has one device, and no list of it.
    has_list = strategy.num_replicas_in_sync > 1
    num_here = len(strategy.extended.worker_devices) if has_list else 1
    return Devices(strategy.num_replicas_in_sync, num_here, found.total)


def bytes_of(settings: LossConfig, num_videos: int, dim: int, devices: Devices) -> int:
    """Returns the bytes of a bank [N, D] on all devices that share a memory."""
    rows = num_videos
    if settings.bank == "sharded":
        rows = -(-num_videos // devices.num_replicas)
    return devices.num_here * rows * dim * tf.as_dtype(settings.bank_dtype).size


def check_fits(
    settings: LossConfig, num_videos: int, dim: int, devices: Devices
) -> None:
    """Checks that a bank [N, D] is smaller than the memory of its devices.

    Raises:
      UserError: it is not; the message has the settings whose bank would be.
    """
    needed = bytes_of(settings, num_videos, dim, devices)
    if needed <= devices.num_bytes:
        return
    fitting = []
    for bank, dtype in (
        (settings.bank, _SMALL_DTYPE),
        ("sharded", settings.bank_dtype),
        ("sharded", _SMALL_DTYPE),
    ):
        other = dataclasses.replace(settings, bank=bank, bank_dtype=dtype)
        size = bytes_of(other, num_videos, dim, devices)
        if size <= devices.num_bytes:
            flags = f"--bank={bank} --bank_dtype={dtype}"
            fitting.append(f"{flags} ({size / 1e9:.1f} GB)")
    # The least that is there for a row, and so the most rows.
    shards = max(devices.num_replicas // devices.num_here, 1)
    most = shards * devices.num_bytes // (dim * tf.as_dtype(_SMALL_DTYPE).size)
    advice = f"What would fit: {', '.join(dict.fromkeys(fitting))}."
    if not fitting:
        advice = (
            f"Divided and in 16 bits, {most:,} videos would fit: train on fewer, or on"
            " more machines with --strategy=multi_worker."
        )
    raise UserError(
        f"The memory bank of {num_videos:,} videos takes {needed / 1e9:.1f} GB on"
        f" {devices.num_here} of {devices.num_replicas} replicas, and this machine has"
        f" {devices.num_bytes / 1e9:.1f} GB. {advice}"
    )
