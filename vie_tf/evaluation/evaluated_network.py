"""What was measured of a network, read from the files of the tasks."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

import tensorflow as tf

from vie_tf.checkpoints import RunDirectory
from vie_tf.config import DataConfig

_FACTS = {"task", "model", "loss", "step", "data", "protocol"}


@dataclasses.dataclass(frozen=True)
class Network:
    """A network that was evaluated: a run's, or one that was put together for it.

    Attributes:
      name: for the reader, the folder of the run.
      model: as the results have it; `input_single_slow` and the like for a network of
        single frames on the clips of others.
      loss: `ir`, `la`, `supervised`, or `none` for an untrained network.
      subset: share of the training videos that it was trained on.
      bin_frames: of the bins of its training videos.
      softmax: best top-1 of a supervised run in its own validations, a fraction; None
        if there is none.
      results: of the tasks, as `task_files.save` has written them.
    """

    name: str
    model: str
    loss: str
    subset: float
    bin_frames: int
    results: tuple[dict[str, Any], ...]
    softmax: float | None = None

    def of_task(self, task: str) -> list[dict[str, Any]]:
        """The results of one task, by data set."""
        return [result for result in self.results if result["task"] == task]


def collect(run_dir: str) -> list[Network]:
    """Reads all results of a run.

    Args:
      run_dir: folder of the run, or of the results of a two-stream network.

    Returns:
      A network for the run's own clips, and one for each other family's clips that it
      was evaluated on.

    Raises:
      ValueError: there are no results, or a file is not one of a result.
    """
    folder = os.path.join(run_dir, "eval")
    if not tf.io.gfile.isdir(folder):
        raise ValueError(
            f"{run_dir!r} has not been evaluated: there is no folder eval in it. Give"
            " the --model_dir of evaluate.py."
        )
    directory, data, softmax = RunDirectory(run_dir), DataConfig(""), None
    if directory.exists():
        data = directory.load_config()[0].data
        best = directory.best_facts() or {}
        if best.get("metric") == "softmax/top1":
            softmax = best["score"]
    name = os.path.basename(os.path.normpath(run_dir))
    networks = []
    for place in (folder, *_folders_in(folder)):
        results = [_read(path) for path in sorted(tf.io.gfile.glob(f"{place}/*.json"))]
        if results:
            first = results[0]
            loss = first["loss"] if any(r["step"] for r in results) else "none"
            networks.append(
                Network(
                    name=name,
                    model=first["model"],
                    loss=loss,
                    subset=data.subset,
                    bin_frames=data.bin_frames,
                    results=tuple(results),
                    softmax=softmax,
                )
            )
    if not networks:
        raise ValueError(
            f"{run_dir!r} has not been evaluated: there is no result in {folder!r}. Run"
            " evaluate.py first."
        )
    return networks


def _folders_in(folder: str) -> list[str]:
    # Those of fine-tuned networks hold no results of tasks, but settings.
    names = sorted(tf.io.gfile.listdir(folder))
    return [
        os.path.join(folder, name)
        for name in (name.rstrip("/") for name in names)
        if name.startswith("input_single_")
    ]


def _read(path: str) -> dict[str, Any]:
    with tf.io.gfile.GFile(path) as file:
        text = file.read()
    try:
        result = json.loads(text)
        if _FACTS <= set(result):
            return result
    except (json.JSONDecodeError, TypeError):
        pass
    raise ValueError(
        f"{path!r} is no result of evaluate.py of this version: run the task again, or"
        " remove the file."
    )
