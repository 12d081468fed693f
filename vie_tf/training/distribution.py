"""The devices that share a batch, of one process or of several.

A *replica* is a device with its copy of the network.  A *worker* is a process with its
replicas, usually a machine.  Worker 0 is the *chief*, which alone writes to the folder
of the run and to the terminal.  docs/distribution.md has the details.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import secrets
from typing import Any, Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from vie_tf.config import DistributionConfig
from vie_tf.storage import files
from vie_tf.storage.errors import UserError, error_line
from vie_tf.training import workers as worker_addresses

# Errors of TensorFlow when a collective operation loses a worker.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


class WorkerLost(UserError):
    """Another worker of the run has ended or cannot be reached."""


@dataclasses.dataclass(frozen=True)
class Distribution:
    """Devices of a run.

    Attributes:
      strategy: strategy of TensorFlow, with the replicas of all workers.
      worker: number of this process among the workers.
      num_workers: number of workers of the run.
    """

    strategy: tf.distribute.Strategy
    worker: int = 0
    num_workers: int = 1

    @property
    def num_replicas(self) -> int:
        """Number of replicas of all workers."""
        return self.strategy.num_replicas_in_sync

    @property
    def is_chief(self) -> bool:
        """Whether this process writes."""
        return self.worker == 0

    def describe(self) -> str:
        """Describes number and kind of the devices, and number of the workers."""
        kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
        of_workers = f" of {self.num_workers} workers" if self.num_workers > 1 else ""
        return f"{self.num_replicas} {kind}{of_workers}"

    def check_divides(self, batch_size: int) -> None:
        """Checks that every device can take the same number of clips.

        Raises:
          UserError: the global batch cannot be divided.
        """
        if batch_size % self.num_replicas:
            raise UserError(
                f"--batch_size={batch_size} cannot be divided among"
                f" {self.num_replicas} devices: give a multiple of that."
            )

    def batches(self, dataset: tf.data.Dataset) -> Iterator[dict]:
        """Distributes endless batches of this worker's clips, one to each replica."""
        # Else every step would first ask all workers whether there is a batch.
        endless = dataset.apply(
            tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
        )
        return iter(
            self.strategy.distribute_datasets_from_function(lambda context: endless)
        )

    def gather(self, values: np.ndarray) -> np.ndarray:
        """Concatenates the arrays of all workers; every worker must call it.

        Args:
          values: array of this worker, [n, ...]; n may differ among workers.

        Returns:
          [sum of n, ...].
        """
        if self.num_workers == 1:
            return values
        local = self.num_replicas // self.num_workers
        parts = np.array_split(values, local)

        def part(context: tf.distribute.distribute_lib.ValueContext) -> tf.Tensor:
            return tf.constant(parts[context.replica_id_in_sync_group % local])

        of_replicas = self.strategy.experimental_distribute_values_from_function(part)
        return self._gather_all(of_replicas).numpy()

    @functools.cached_property
    def _gather_all(self) -> Callable[[Any], tf.Tensor]:
        return tf.function(
            lambda values: self.strategy.gather(values, axis=0), reduce_retracing=True
        )

    def of_chief(self, value: int) -> int:
        """Returns the chief's value, an int32; every worker must call it."""
        return int(self.gather(np.array([value], np.int32))[0])

    def check_shared(self, folder: str) -> None:
        """Checks that all workers see the chief's folder; every worker must call it.

        Raises:
          UserError: a worker has another folder of that name.
        """
        if self.num_workers == 1:
            return
        # A new name, which no cache of a network file system has as missing.
        token = secrets.randbits(31)
        path = os.path.join(folder, f"shared-{token}")
        if self.is_chief:
            files.write_atomically(path, "Do all workers see this?\n")
        token = self.of_chief(token)  # when they have it, the file is written
        is_there = files.exists(os.path.join(folder, f"shared-{token}"))
        seen = self.gather(np.array([is_there], np.int32))
        if self.is_chief:
            files.remove(path)
        blind = [str(number) for number, sees in enumerate(seen) if not sees]
        if blind:
            self.wait_for_all()
            raise UserError(
                f"The workers do not share --model_dir={folder}: worker"
                f" {', '.join(blind)} does not see what the chief writes there. It has"
                " to be a folder or an address that all of them see."
            )

    def check_agreement(self, values: Mapping[str, Any]) -> None:
        """Checks that all workers were started for the same run.

        Args:
          values: values that all workers must share, by names for the user.

        Raises:
          UserError: a worker has other values than the chief; each prints its own.
        """
        if self.num_workers == 1:
            return
        digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).digest()
        # As numbers, since collective operations take no strings.
        own = np.frombuffer(digest, np.int32)
        of_workers = self.gather(own).reshape(self.num_workers, -1)
        if (of_workers == of_workers[0]).all():
            return
        self.wait_for_all()
        other = np.flatnonzero((of_workers != of_workers[0]).any(axis=1))
        own_values = ", ".join(f"{name} {value}" for name, value in values.items())
        raise UserError(
            f"The workers disagree: the chief and worker {', '.join(map(str, other))}"
            " were started differently. Start all of them with the same command on the"
            " same data, and give a --model_dir that all of them see. Worker"
            f" {self.worker} has {own_values}."
        )

    def wait_for_all(self) -> None:
        """Waits until every worker is here, or has ended; every worker must call it.

        A worker that ends at once can take an answer away from the others.
        """
        with contextlib.suppress(tf.errors.OpError):
            self.gather(np.zeros(1, np.int32))

    @contextlib.contextmanager
    def chief_alone_prints(self) -> Iterator[None]:
        """Drops the output of workers other than the chief."""
        if self.is_chief:
            yield
            return
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            yield

    @contextlib.contextmanager
    def explain_lost_workers(self) -> Iterator[None]:
        """Turns TensorFlow's error into one with advice.

        Raises:
          WorkerLost: a worker no longer answers.
        """
        try:
            yield
        except _LOST as error:
            if self.num_workers == 1:
                raise
            reason = error_line(error)
            raise WorkerLost(
                f"Worker {self.worker} of {self.num_workers} stops, because another"
                f" one has ended or cannot be reached ({reason}). Look at the output of"
                " the others, and start all workers again with the same command: the"
                " run continues from its last checkpoint."
            ) from error


def join(settings: DistributionConfig) -> Distribution:
    """Takes the devices of this process, and finds the other workers.

    Call it before TensorFlow computes anything.

    Raises:
      UserError: there are fewer devices, or the other workers cannot be found.
    """
    if settings.strategy == "multi_worker":
        return _join_workers(settings)
    return Distribution(tf.distribute.MirroredStrategy(_devices(settings.num_replicas)))


def _devices(num_replicas: int | None) -> list[str] | None:
    """Returns the names of the devices, None for all GPUs or the CPU."""
    if num_replicas is None:
        return None
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        if num_replicas > len(gpus):
            raise UserError(
                f"--num_replicas={num_replicas} is more than the {len(gpus)} GPUs that"
                " TensorFlow sees. CUDA_VISIBLE_DEVICES decides which it sees."
            )
        return [f"/gpu:{number}" for number in range(num_replicas)]
    cpu = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration()] * num_replicas
    if len(tf.config.get_logical_device_configuration(cpu) or [None]) != num_replicas:
        tf.config.set_logical_device_configuration(cpu, parts)
    return [f"/cpu:{number}" for number in range(num_replicas)]


def _join_workers(settings: DistributionConfig) -> Distribution:
    if settings.num_replicas is not None:
        raise UserError(
            "--num_replicas is for one machine. With --strategy=multi_worker every"
            " worker takes all GPUs that it sees: set CUDA_VISIBLE_DEVICES for it."
        )
    workers = worker_addresses.from_environment(os.environ)
    own, count = workers.addresses[workers.number], len(workers.addresses)
    print(
        f"Worker {workers.number} of {count} at {own} waits for the others:"
        f" {', '.join(workers.addresses)}.",
        flush=True,
    )
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(workers.addresses)}),
        task_type="worker",
        task_id=workers.number,
        rpc_layer="grpc",
    )
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    except (tf.errors.OpError, RuntimeError) as error:
        reason = error_line(error)
        raise UserError(
            f"Worker {workers.number} at {own} could not join the others ({reason})."
            " Its port has to be free and reachable from them."
        ) from error
    return Distribution(strategy, workers.number, count)
