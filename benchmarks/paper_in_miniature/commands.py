"""The commands of a row: train.py and evaluate.py with their flags."""

from __future__ import annotations

import dataclasses
import pathlib

from benchmarks.paper_in_miniature import data_sets
from benchmarks.paper_in_miniature.scale import Scale

Command = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Commands:
    """Makes commands for a study.

    Attributes:
      scale: sizes of data and training.
      output: folder of the study.
    """

    scale: Scale
    output: pathlib.Path

    def run(self, key: str) -> str:
        """Returns the folder of a run, named after its row."""
        return str(self.output / "runs" / key)

    def train(
        self,
        key: str,
        family: str,
        seed: int,
        steps: int,
        *flags: str,
        gallery: str = "bank",
    ) -> Command:
        """Trains a run, or goes on with it.

        Args:
          key: name of the row.
          family: name of the network.
          seed: its seed.
          steps: total number of steps; 0 writes the untrained network.
          *flags: loss, start and videos.
          gallery: what validations compare with.
        """
        scale = self.scale
        size = [f"--crop_size={scale.crop_size}"] if scale.crop_size else []
        every = max(scale.steps // scale.validations, 1)
        return (
            *("train.py", f"--model={family}", *scale.clips.get(family, ())),
            *(f"--num_filters={scale.num_filters}", *size, *scale.flags, *flags),
            *(f"--batch_size={scale.batch_size}", f"--train_steps={steps}"),
            *(f"--seed={seed}", f"--num_clips={scale.num_clips}"),
            *(f"--eval_steps={every}", f"--checkpoint_steps={every}"),
            *("--num_to_keep=1", f"--knn_gallery={gallery}", "--learning_videos=0"),
            *(f"--log_steps={max(every // 2, 1)}", f"--data_dir={self._data()}"),
            f"--model_dir={self.run(key)}",
        )

    def measure(
        self, key: str, model: str, *flags: str, objects: bool = True
    ) -> Command:
        """Measures by kNN and probes on actions, and by probes on pictures.

        Args:
          key: name of the row.
          model: row whose network is measured.
          *flags: the other stream, or the family whose clips are taken.
          objects: whether pictures are taken.
        """
        pictures = [f"--objects={self._data(data_sets.OBJECTS)}"] if objects else []
        return (
            *("measure", f"--model_dir={self.run(model)}", *flags, *pictures),
            *(f"--actions={self._data()}", f"--num_clips={self.scale.num_clips}"),
            f"--output={self.output / self.result(key)}",
        )

    @staticmethod
    def result(key: str) -> str:
        """Returns the file that `measure` writes, relative to the study."""
        return f"runs/{key}.json"

    def finetune(self, key: str, seed: int, *flags: str) -> Command:
        """Fine-tunes the network of a row on the held-out actions."""
        scale = self.scale
        return (
            *("evaluate.py", "--task=finetune", f"--num_clips={scale.num_clips}"),
            *("--learning_rate=0.01", "--weight_decay=0.0001", "--color=none"),
            *("--lr_schedule=boundaries", f"--train_steps={scale.finetune_steps}"),
            *(f"--batch_size={scale.batch_size}", f"--seed={seed}", "--eval_steps=0"),
            *(f"--checkpoint_steps={max(scale.finetune_steps // 4, 1)}",),
            *(f"--data_dir={self._data(data_sets.HELDOUT)}", *flags),
            f"--model_dir={self.run(key)}",
        )

    def _data(self, name: str = data_sets.PEOPLE) -> str:
        return data_sets.folder(self.output, name)
