"""The numbers of the paper's tables 1 to 5, and which of them a result belongs to.

Comes in: `published/tables.json`, whose `source` says where its numbers are from.  Goes
out: rows, found by what decides which row a network is.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
from typing import Any, Mapping

LAYERS = ("conv3", "conv4", "conv5")  # that the tables have
READ_OUT_TITLES = {
    "1": "read-outs of the families",
    "3": "fewer videos, and videos in bins",
    "4": "single-frame networks on the clips of others",
    "5": "supervised networks",
}
FINE_TUNING_TITLE = "fine-tuning"
AUGMENTATIONS = {"multi_scale": "multi-scale", "color_noise": "colour noise"}

# By the numbers of classes of the data sets, and what their folders may be called.
_DATA_SETS = {
    "kinetics": (400, ("kinetics", "k400")),
    "imagenet": (1000, ("imagenet", "ilsvrc")),
    "ucf101": (101, ("ucf",)),
    "hmdb51": (51, ("hmdb",)),
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
      softmax: top-1 in % of a supervised network itself.
      subset: share of the training videos.
      bin_frames: frames of the bins of the training videos, 0 for whole videos.
    """

    table: str
    name: str
    model: str
    loss: str
    read_outs: Mapping[str, list[float]]
    softmax: float | None = None
    subset: float = 1.0
    bin_frames: int = 0


@dataclasses.dataclass(frozen=True)
class FineTuningRow:
    """A row of table 2.

    Attributes:
      name: network and start.
      model: a key of `vie_tf.models.MODELS`.
      start: `scratch`, or the loss that the network was trained with before.
      multi_scale: top-1 in % by data set; None where it is not known.
      color_noise: the same with the other augmentation.
    """

    name: str
    model: str
    start: str
    multi_scale: Mapping[str, float | None]
    color_noise: Mapping[str, float | None]


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
        file = importlib.resources.files("vie_tf") / "published" / "tables.json"
        content: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return cls(
            source=content["source"],
            read_outs=tuple(ReadOutRow(**row) for row in content["read_outs"]),
            fine_tuning=tuple(FineTuningRow(**row) for row in content["fine_tuning"]),
        )

    def read_out_row(
        self, model: str, loss: str, subset: float, bin_frames: int
    ) -> ReadOutRow | None:
        """The row that a network of these settings belongs to, if there is one."""
        wanted = (model, loss, subset, bin_frames)
        for row in self.read_outs:
            if (row.model, row.loss, row.subset, row.bin_frames) == wanted:
                return row
        return None

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
