"""The numbers of the paper's tables 1 to 5, and the rows that a result belongs to.

They are in `tables.json`, whose `source` says where they are from.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
from typing import Any, Mapping

from vie_tf.config import OLD_CROPS

LAYERS = ("conv3", "conv4", "conv5")  # layers in the tables
LINEAR_PROBE_TITLES = {
    "1": "linear probes of the families",
    "3": "fewer videos, and videos in bins",
    "4": "single-frame networks on the clips of others",
    "5": "supervised networks",
}
FINE_TUNING_TITLE = "fine-tuning"
AUGMENTATIONS = {"multi_scale": "multi-scale", "color_jitter": "color jitter"}
TRAINED_ON = "kinetics"  # pre-training data of all rows with a `model`

# Number of classes of each data set, and what the names of its folders contain.
_DATA_SETS = {
    "kinetics": (400, ("kinetics", "k400")),
    "imagenet": (1000, ("imagenet", "ilsvrc")),
    "ucf101": (101, ("ucf",)),
    "hmdb51": (51, ("hmdb",)),
}
# Crop and color -> a key of `AUGMENTATIONS`.
_RECIPES = {
    ("multi_scale_crop", "none"): "multi_scale",
    ("random_short_side_crop", "exact"): "color_jitter",
    ("random_short_side_crop", "fast"): "color_jitter",
}


@dataclasses.dataclass(frozen=True)
class LinearProbeRow:
    """A row of table 1, 3, 4 or 5.

    Attributes:
      table: number of the table.
      name: name in the paper.
      model: a key of `vie_tf.models.MODELS`, or `input_single_FAMILY`.
      loss: `ir`, `la`, `supervised`, or `none` for the untrained network.
      linear_probes: top-1 in % of linear probes of `LAYERS`, by data set.
      supervised: top-1 in % on Kinetics of the family's supervised network itself, the
        column "Super." of table 1; None where the paper has none.
      subset: fraction of the training videos.
      bin_frames: frames of the bins of the training videos, 0 for whole videos.
      hardly_legible: numbers that are hardly legible in our copy of the paper:
        `supervised`, or data set and layer.
    """

    table: str
    name: str
    model: str
    loss: str
    linear_probes: Mapping[str, list[float]]
    supervised: float | None = None
    subset: float = 1.0
    bin_frames: int = 0
    hardly_legible: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class FineTuningRow:
    """A row of table 2: top-1 in % by data set, None where it is not legible.

    Attributes:
      name: network, and start or method.
      model: a key of `vie_tf.models.MODELS`; None for another method.
      start: `scratch`, or the loss of the pre-training; None for another method.
      own_augmentation: results of another method with its own augmentation.
      multi_scale: results with the first of the paper's two augmentations.
      color_jitter: results with the second one.
      hardly_legible: augmentation and data set of numbers that are hardly legible in
        our copy of the paper.
    """

    name: str
    model: str | None = None
    start: str | None = None
    own_augmentation: Mapping[str, float | None] = dataclasses.field(
        default_factory=dict
    )
    multi_scale: Mapping[str, float | None] = dataclasses.field(default_factory=dict)
    color_jitter: Mapping[str, float | None] = dataclasses.field(default_factory=dict)
    hardly_legible: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class PublishedTables:
    """All tables.

    Attributes:
      source: sentence that says where the numbers are from.
      linear_probes: rows of tables 1, 3, 4 and 5, in the order of the paper.
      fine_tuning: rows of table 2, in the order of the paper.
    """

    source: str
    linear_probes: tuple[LinearProbeRow, ...]
    fine_tuning: tuple[FineTuningRow, ...]

    @classmethod
    def load(cls) -> PublishedTables:
        """Reads the numbers that are shipped with the package."""
        file = importlib.resources.files("vie_tf.monitoring.published") / "tables.json"
        content: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return cls(
            source=content["source"],
            linear_probes=tuple(
                LinearProbeRow(**row) for row in content["linear_probes"]
            ),
            fine_tuning=tuple(FineTuningRow(**row) for row in content["fine_tuning"]),
        )

    def linear_probe_rows(
        self, model: str, loss: str, subset: float, bin_frames: int
    ) -> list[LinearProbeRow]:
        """Returns the rows of a network with these settings, one in each table."""
        wanted = (model, loss, subset, bin_frames)
        return [
            row
            for row in self.linear_probes
            if (row.model, row.loss, row.subset, row.bin_frames) == wanted
        ]

    def fine_tuning_row(self, model: str, start: str) -> FineTuningRow | None:
        """Returns the row of a network with this start, if there is one."""
        for row in self.fine_tuning:
            if (row.model, row.start) == (model, start):
                return row
        return None


def data_set(name: str, num_classes: int | None) -> str | None:
    """Returns which of the paper's data sets this is, None if it is another.

    Args:
      name: name of the folder of records.
      num_classes: number of classes of its videos; None to go by the name alone.
    """
    for known, (classes, names) in _DATA_SETS.items():
        is_of_size = num_classes is None or num_classes == classes
        if is_of_size and any(part in name.lower() for part in names):
            return known
    return None


def augmentation(crop: str, color: str) -> str | None:
    """Returns which of `AUGMENTATIONS` this is, None if it is neither.

    Args:
      crop: a key of `vie_tf.input.crops.CROPS`, also by its name in earlier versions.
      color: `color` of `vie_tf.config.DataConfig`.
    """
    return _RECIPES.get((OLD_CROPS.get(crop, crop), color))
