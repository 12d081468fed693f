"""Data and loss behind the weights of a network, as results store them."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Iterable, Mapping

from vie_tf import models
from vie_tf.config import ModelConfig
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage import files

NOTHING = "none"  # the loss of a network before its first step
LABEL_SETTINGS = "settings.json"  # in the folder of a training on labels


@dataclasses.dataclass(frozen=True)
class TrainedOn:
    """Data and loss behind the weights of one run.

    Attributes:
      name: name of the data set's folder; empty if unknown.
      fingerprint: fingerprint of the data set; empty if unknown.
      num_classes: number of its classes, 0 without labels, None if unknown.
      subset: fraction of the training videos.
      bin_frames: frames of the bins of the training videos, 0 for whole videos.
      loss: `ir`, `la`, `supervised`, or `none` before the first step.
      seed: seed of the run, if there was one.
      network: differences from the paper's network of its family, such as
        `resnet_size 50` or `fine-tuned`.
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
    def from_run(cls, directory: RunDirectory, step: int) -> TrainedOn:
        """Returns the provenance of a run's weights at a step.

        Raises:
          UserError: the folder does not hold a run.
        """
        config = directory.load_config()[0]
        network = _differences_from_paper(config.model)
        if files.exists(os.path.join(directory.model_dir, LABEL_SETTINGS)):
            network = ", ".join(filter(None, ["fine-tuned", network]))
        if step == 0:
            return cls(seed=config.train.seed, network=network)
        data_set = directory.data_set()
        loss = config.loss.name
        # LA begins after steps of IR.
        if loss == "la" and step <= config.loss.ir_steps:
            loss = "ir"
        return cls(
            name=os.path.basename(os.path.normpath(config.data.data_dir or "/")),
            fingerprint=data_set.get("fingerprint", ""),
            num_classes=data_set.get("num_classes"),
            subset=config.data.subset,
            bin_frames=config.data.bin_frames,
            loss=loss,
            seed=config.train.seed,
            network=network,
        )

    def untrained(self, seed: int | None) -> TrainedOn:
        """Returns the provenance of the same network before its first step."""
        return TrainedOn(seed=seed, network=self.network)

    def describe_subset(self) -> list[str]:
        """Describes the subset of the training videos; empty for all of them."""
        words = []
        if self.subset < 1:
            words.append(f"{self.subset:.0%} of the videos")
        if self.bin_frames:
            words.append(f"bins of {self.bin_frames} frames")
        return words

    def describe_data(self) -> str:
        """Names the data."""
        if self.loss == NOTHING:
            return "nothing"
        name = self.name or "data that its run does not name"
        details = ", ".join(self.describe_subset())
        return f"{name} ({details})" if details else name

    def describe(self) -> str:
        """Names loss, data and network: `LA on kinetics400, 70% of the videos`."""
        words = "untrained"
        if self.loss != NOTHING:
            words = {"ir": "IR", "la": "LA"}.get(self.loss, self.loss)
            words += f" on {self.name}" if self.name else ""
        return ", ".join(filter(None, [words, *self.describe_subset(), self.network]))


def _differences_from_paper(model: ModelConfig) -> str:
    recipe = models.clip_recipe(model.name)
    of_paper = {
        name: getattr(recipe, name)
        for name in ("num_frames", "frame_interval", "crop_size")
    }
    for name in ("resnet_size", "num_filters", "trn_head", "input"):
        of_paper[name] = getattr(ModelConfig, name)
    return ", ".join(
        f"{name} {getattr(model, name)}"
        for name, usual in of_paper.items()
        if getattr(model, name) not in (None, usual)
    )


def loss_of(parts: Iterable[TrainedOn]) -> str:
    """Returns the loss of a network, `ir and la` of streams trained by both."""
    return " and ".join(dict.fromkeys(part.loss for part in parts))


def parts_of(result: Mapping[str, Any]) -> tuple[TrainedOn, ...]:
    """Returns the provenance of the network of a stored result."""
    return tuple(TrainedOn(**part) for part in result["trained_on"])
