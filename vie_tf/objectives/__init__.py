"""What is learned: objectives, the memory bank and its clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from vie_tf.config.importing import import_named
from vie_tf.objectives.instance_recognition import InstanceRecognition
from vie_tf.objectives.local_aggregation import LocalAggregation
from vie_tf.objectives.multiview import MultiviewCoding
from vie_tf.objectives.objective import Objective
from vie_tf.objectives.pretexts.order import Order
from vie_tf.objectives.pretexts.puzzle import Puzzle
from vie_tf.objectives.pretexts.rotation import Rotation
from vie_tf.objectives.pretexts.statistics import Statistics
from vie_tf.objectives.supervised import Supervised
from vie_tf.storage.errors import UserError

OwnObjective = TypeVar("OwnObjective", bound=type[Objective])

# What --loss chooses from.
OBJECTIVES: dict[str, type[Objective]] = {
    "ir": InstanceRecognition,
    "la": LocalAggregation,
    "supervised": Supervised,
    "rotation": Rotation,
    "order": Order,
    "puzzle": Puzzle,
    "statistics": Statistics,
    "cmc": MultiviewCoding,
}


def register_objective(name: str) -> Callable[[OwnObjective], OwnObjective]:
    """Adds a class to `OBJECTIVES`, as a decorator.

    The command line finds it as `--loss=package.module:Class`.

    Raises:
      UserError: there is another objective of this name.
    """

    def register(objective: OwnObjective) -> OwnObjective:
        path = f"{objective.__module__}:{objective.__qualname__}"
        before = OBJECTIVES.get(name)
        if before and f"{before.__module__}:{before.__qualname__}" != path:
            raise UserError(
                f"there is an objective {name!r} already: give another name."
            )
        OBJECTIVES[name] = OBJECTIVES[path] = objective
        return objective

    return register


def objective_class(name: str) -> type[Objective]:
    """Looks up an objective, or imports the class `package.module:Class`.

    Raises:
      UserError: there is no such objective.
    """
    if ":" in name and name not in OBJECTIVES:
        found = import_named(name)
        if not (isinstance(found, type) and issubclass(found, Objective)):
            raise UserError(f"{name} is not a subclass of vie_tf.Objective.")
        OBJECTIVES[name] = found
    if name not in OBJECTIVES:
        raise UserError(
            f"an objective is one of {', '.join(OBJECTIVES)}, not {name!r}."
        )
    return OBJECTIVES[name]


__all__ = ["OBJECTIVES", "Objective", "objective_class", "register_objective"]
