"""What the weights of an evaluated network were trained on, as results have it."""

from __future__ import annotations

import dataclasses
import os
from typing import Iterable

from vie_tf import models
from vie_tf.config import ModelConfig
from vie_tf.monitoring.published import tables
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage import files

NOTHING = "none"  # the loss of a network before its first step
LABEL_SETTINGS = "settings.json"  # in the folder of a training on labels


@dataclasses.dataclass(frozen=True)
class TrainedOn:
    """The videos and the loss behind the weights of one run.

    Attributes:
      name: of the folder of the videos; empty where it is not known.
      fingerprint: of the videos; empty where it is not known.
      num_classes: of the videos, 0 without labels, None where it is not known.
      subset: share of the training videos.
      bin_frames: of the bins of the training videos, 0 for whole videos.
      loss: `ir`, `la`, `supervised`, or `none` before the first step.
      seed: of the run; None where there was none.
      network: what makes it another one than the paper's of its family, such as
        `resnet_size 50` or `fine-tuned`; empty where it is the paper's.
    """

    name: str = ""
    fingerprint: str = ""
    num_classes: int | None = None
    subset: float = 1.0
    bin_frames: int = 0
    loss: str = NOTHING
    seed: int | None = None
    network: str = ""

    @classmethod
    def of_run(cls, directory: RunDirectory, step: int) -> TrainedOn:
        """What led to a step of a run.

        Args:
          directory: of the run.
          step: steps taken.

        Raises:
          ValueError: the folder is no run.
        """
        config = directory.load_config()[0]
        network = _other_than_the_papers(config.model)
        if files.exists(os.path.join(directory.model_dir, LABEL_SETTINGS)):
            network = ", ".join(filter(None, ["fine-tuned", network]))
        if step == 0:
            return cls(seed=config.train.seed, network=network)
        known = directory.data_set()
        loss = config.loss.name
        # LA follows steps of IR, and nothing of it is in a checkpoint among those.
        if loss == "la" and step <= config.loss.ir_steps:
            loss = "ir"
        return cls(
            name=os.path.basename(os.path.normpath(config.data.data_dir or "/")),
            fingerprint=known.get("fingerprint", ""),
            num_classes=known.get("num_classes"),
            subset=config.data.subset,
            bin_frames=config.data.bin_frames,
            loss=loss,
            seed=config.train.seed,
            network=network,
        )

    def untrained(self, seed: int | None) -> TrainedOn:
        """The same network with weights that were drawn with a seed."""
        return TrainedOn(seed=seed, network=self.network)

    @property
    def data_set(self) -> str | None:
        """Which of the paper's data sets this is, None if it is another.

        Videos without labels are told by the name of their folder alone.
        """
        return tables.data_set(self.name, self.num_classes or None)

    @property
    def view_in_words(self) -> list[str]:
        """What was taken of the training videos, nothing if it was all of them."""
        words = []
        if self.subset < 1:
            words.append(f"{self.subset:.0%} of the videos")
        if self.bin_frames:
            words.append(f"bins of {self.bin_frames} frames")
        return words

    @property
    def in_words(self) -> str:
        """The data, for a report."""
        if self.loss == NOTHING:
            return "nothing"
        name = self.name or "data that its run does not name"
        details = ", ".join(self.view_in_words)
        return f"{name} ({details})" if details else name


def _other_than_the_papers(model: ModelConfig) -> str:
    recipe = models.clip_recipe(model.name)
    names = ("num_frames", "frame_interval", "crop_size")
    of_paper = {name: getattr(recipe, name) for name in names}
    for name in ("resnet_size", "num_filters", "trn_head"):
        of_paper[name] = getattr(ModelConfig, name)
    return ", ".join(
        f"{name} {getattr(model, name)}"
        for name, usual in of_paper.items()
        if getattr(model, name) not in (None, usual)
    )


def loss_of(parts: Iterable[TrainedOn]) -> str:
    """The loss of a network, `ir and la` where its streams were trained by both."""
    return " and ".join(dict.fromkeys(part.loss for part in parts))


def in_words(parts: Iterable[TrainedOn]) -> str:
    """The data of a network, for a report."""
    return " and ".join(dict.fromkeys(part.in_words for part in parts))
