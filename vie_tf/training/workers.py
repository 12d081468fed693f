"""The addresses of a run's workers, and the number of this process among them.

They come from TF_CONFIG, which Kubernetes operators, Vertex AI and SageMaker set, or
from Slurm's variables of a job step.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Mapping

from tensorflow.python.distribute.cluster_resolver import slurm_cluster_resolver

from vie_tf.storage.errors import UserError

EXAMPLE = (
    'TF_CONFIG=\'{"cluster": {"worker": ["host1:8888", "host2:8888"]}, "task": {"type":'
    ' "worker", "index": 0}}\''
)
# Tasks of one Slurm job step on one machine take this port and those after it.
_FIRST_SLURM_PORT = 8888
_SLURM = ("SLURM_PROCID", "SLURM_STEP_NODELIST", "SLURM_STEP_TASKS_PER_NODE")


@dataclasses.dataclass(frozen=True)
class WorkerAddresses:
    """The workers of a run.

    Attributes:
      addresses: `HOST:PORT` of each worker, the same list in all workers.
      number: number of this process among them; 0 is the chief.
    """

    addresses: tuple[str, ...]
    number: int


def from_environment(environment: Mapping[str, str]) -> WorkerAddresses:
    """Reads TF_CONFIG from the variables of the process, or else those of Slurm.

    Raises:
      UserError: both are missing, or the values are wrong.
    """
    if environment.get("TF_CONFIG"):
        return _from_tf_config(environment["TF_CONFIG"])
    if all(environment.get(name) for name in _SLURM):
        return _from_slurm(environment)
    raise UserError(
        "--strategy=multi_worker needs to know the workers: set TF_CONFIG for each, as"
        f" in {EXAMPLE}, or start all of them with Slurm's srun."
    )


def _from_tf_config(text: str) -> WorkerAddresses:
    try:
        content: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"TF_CONFIG is no JSON ({error}): give {EXAMPLE}.") from error
    try:
        jobs, task = dict(content["cluster"]), dict(content["task"])
        kind, index = task["type"], int(task["index"])
        # Some operators call the first worker the chief.
        chiefs = list(jobs.pop("chief", []))
        workers = list(jobs.pop("worker", []))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"TF_CONFIG lacks its cluster or its task ({error!r}): give {EXAMPLE}."
        ) from error
    others = sorted(set(jobs) - {"evaluator"})
    if others or kind not in ("chief", "worker"):
        raise UserError(
            f"TF_CONFIG has the jobs {', '.join(sorted(content['cluster']))} and makes"
            f" this process a {kind}: only workers (and one chief) train, as in"
            f" {EXAMPLE}."
        )
    own = chiefs if kind == "chief" else workers
    if not 0 <= index < len(own):
        raise UserError(
            f"TF_CONFIG has {len(own)} of the job {kind}, but this process is number"
            f" {index} of them: numbers go from 0 to {len(own) - 1}."
        )
    addresses = tuple(chiefs + workers)
    wrong = [place for place in addresses if not _is_address(place)]
    if wrong or len(set(addresses)) < len(addresses):
        raise UserError(
            f"TF_CONFIG has the addresses {', '.join(map(str, addresses))}: give every"
            " worker a HOST:PORT of its own."
        )
    return WorkerAddresses(addresses, index + (len(chiefs) if kind == "worker" else 0))


def _is_address(place: Any) -> bool:
    if not isinstance(place, str):
        return False
    host, _, port = place.rpartition(":")
    return bool(host) and port.isdecimal()


def _from_slurm(environment: Mapping[str, str]) -> WorkerAddresses:
    """Reads the addresses of the tasks in Slurm's order: task n is worker n.

    TensorFlow's own resolver sorts the hosts by name, so n10 comes before n2 and tasks
    get each other's addresses.  It also fails on machines without GPUs.
    """
    number, hosts, counts = (environment[name] for name in _SLURM)
    try:
        names = slurm_cluster_resolver.expand_hostlist(hosts)
        tasks = slurm_cluster_resolver.expand_tasks_per_node(counts)
        if len(names) != len(tasks):
            raise ValueError(f"{len(names)} machines, but tasks of {len(tasks)}")
        addresses = tuple(
            f"{name}:{_FIRST_SLURM_PORT + place}"
            for name, count in zip(names, tasks)
            for place in range(count)
        )
        own = range(len(addresses)).index(int(number))
    except ValueError as error:
        raise UserError(
            "The variables of Slurm's job step are wrong:"
            f" {', '.join(f'{name}={environment[name]}' for name in _SLURM)} ({error})."
            " Start the workers with srun, or set TF_CONFIG."
        ) from error
    return WorkerAddresses(addresses, own)
