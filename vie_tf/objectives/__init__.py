"""What is learned: the objectives of the paper, the memory bank and its clusters."""

from vie_tf.objectives.instance_recognition import InstanceRecognition
from vie_tf.objectives.local_aggregation import LocalAggregation
from vie_tf.objectives.objective import Objective
from vie_tf.objectives.supervised import Supervised

# What --loss chooses from.
OBJECTIVES: dict[str, type[Objective]] = {
    "ir": InstanceRecognition,
    "la": LocalAggregation,
    "supervised": Supervised,
}

__all__ = ["OBJECTIVES", "Objective"]
