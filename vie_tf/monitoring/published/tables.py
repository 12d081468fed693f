"""The numbers of the paper's tables 1 to 5, and which of them a result belongs to.

Comes in: `published/tables.json`, whose `source` says where its numbers are from.  Goes
out: rows, found by what decides which row a network is.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
from typing import Any, Mapping

from vie_tf.config import OLD_CROPS

LAYERS = ("conv3", "conv4", "conv5")  # that the tables have
READ_OUT_TITLES = {
    "1": "read-outs of the families",
    "3": "fewer videos, and videos in bins",
    "4": "single-frame networks on the clips of others",
    "5": "supervised networks",
}
FINE_TUNING_TITLE = "fine-tuning"
AUGMENTATIONS = {"multi_scale": "multi-scale", "color_noise": "color noise"}
TRAINED_ON = "kinetics"  # that networks of all rows with a `model` were trained on

# By the numbers of classes of the data sets, and what their folders may be called.
_DATA_SETS = {
    "kinetics": (400, ("kinetics", "k400")),
    "imagenet": (1000, ("imagenet", "ilsvrc")),
    "ucf101": (101, ("ucf",)),
    "hmdb51": (51, ("hmdb",)),
}
# The recipes of clips behind `AUGMENTATIONS`: crop and color.
_RECIPES = {
    ("multi_scale_crop", "none"): "multi_scale",
    ("random_short_side_crop", "exact"): "color_noise",
    ("random_short_side_crop", "fast"): "color_noise",
}


@dataclasses.dataclass(frozen=True)
class ReadOutRow:
    """A row of table 1, 3, 4 or 5.

    Attributes:
      table: its number.
      name: as the paper has it.
      model: a key of `vie_tf.models.MODELS`, or `input_single_FAMILY`.
      loss: `ir`, `la`, `supervised`, or `none` for the untrained network.
      read_outs: top-1 in % of `LAYERS`, by data set.
      supervised: top-1 in % on Kinetics of the family's supervised network itself, the
        column "Super." of table 1; None where the paper has none.
      subset: share of the training videos.
      bin_frames: frames of the bins of the training videos, 0 for whole videos.
      hardly_legible: those of its numbers that are so in our copy of the paper:
        `supervised`, or data set and layer.
    """

    table: str
    name: str
    model: str
    loss: str
    read_outs: Mapping[str, list[float]]
    supervised: float | None = None
    subset: float = 1.0
    bin_frames: int = 0
    hardly_legible: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class FineTuningRow:
    """A row of table 2: top-1 in % by data set, None where it is not legible.

    Attributes:
      name: network, and start or method.
      model: a key of `vie_tf.models.MODELS`; None for a method of others.
      start: `scratch`, or the loss that the network was trained with before; None for a
        method of others.
      own_augmentation: of a method of others with an augmentation of its own.
      multi_scale: with the first of the paper's two augmentations.
      color_noise: with the second.
      hardly_legible: those of its numbers that are so in our copy of the paper:
        augmentation and data set.
    """

    name: str
    model: str | None = None
    start: str | None = None
    own_augmentation: Mapping[str, float | None] = dataclasses.field(
        default_factory=dict
    )
    multi_scale: Mapping[str, float | None] = dataclasses.field(default_factory=dict)
    color_noise: Mapping[str, float | None] = dataclasses.field(default_factory=dict)
    hardly_legible: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class PublishedTables:
    """All rows.

    Attributes:
      source: of the numbers, in words.
      read_outs: in the order of the paper.
      fine_tuning: in the order of the paper.
    """

    source: str
    read_outs: tuple[ReadOutRow, ...]
    fine_tuning: tuple[FineTuningRow, ...]

    @classmethod
    def load(cls) -> PublishedTables:
        """Reads the numbers that are shipped with the package."""
        file = importlib.resources.files("vie_tf.monitoring.published") / "tables.json"
        content: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return cls(
            source=content["source"],
            read_outs=tuple(ReadOutRow(**row) for row in content["read_outs"]),
            fine_tuning=tuple(FineTuningRow(**row) for row in content["fine_tuning"]),
        )

    def read_out_rows(
        self, model: str, loss: str, subset: float, bin_frames: int
    ) -> list[ReadOutRow]:
        """The rows that a network of these settings belongs to, one in each table."""
        wanted = (model, loss, subset, bin_frames)
        return [
            row
            for row in self.read_outs
            if (row.model, row.loss, row.subset, row.bin_frames) == wanted
        ]

    def fine_tuning_row(self, model: str, start: str) -> FineTuningRow | None:
        """The row that a network with this start belongs to, if there is one."""
        for row in self.fine_tuning:
            if (row.model, row.start) == (model, start):
                return row
        return None


def data_set(name: str, num_classes: int | None) -> str | None:
    """Which of the paper's data sets this is, None if it is another.

    Args:
      name: of the folder of records.
      num_classes: of its videos; None to go by the name alone.
    """
    for known, (classes, names) in _DATA_SETS.items():
        is_of_size = num_classes is None or num_classes == classes
        if is_of_size and any(part in name.lower() for part in names):
            return known
    return None


def augmentation(crop: str, color: str) -> str | None:
    """Which of `AUGMENTATIONS` this is, None if it is neither.

    Args:
      crop: a key of `vie_tf.input.crops.CROPS`, also by its name in earlier versions.
      color: as of `vie_tf.config.DataConfig`.
    """
    return _RECIPES.get((OLD_CROPS.get(crop, crop), color))
