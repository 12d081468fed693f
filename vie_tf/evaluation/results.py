"""The files of `RUN/eval/`: what a task found, and what it was found on.

Every task writes one JSON file.  Besides its own numbers each has the same facts, by
which `vie_tf.evaluation.report.command` sets results of several runs side by side.
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any, Mapping, Sequence

from vie_tf.config import LabelConfig
from vie_tf.evaluation import protocols
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import write_atomically
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT


def folder(run: RestoredRun) -> str:
    """The folder of the results, made where it is missing."""
    files.make_folder(run.eval_dir)
    return run.eval_dir


def name(run: RestoredRun, task: str) -> str:
    """How files of a task are called: `TASK`, or `TASK-DATA` for data of others.

    Args:
      run: what is evaluated.
      task: name of the task.
    """
    return task if run.is_training_data else f"{task}-{run.data_name}"


def path(run: RestoredRun, task: str, suffix: str) -> str:
    """Where a task writes, in `folder`.

    Args:
      run: what is evaluated.
      task: name of the task.
      suffix: of the file, without a dot.
    """
    return os.path.join(folder(run), f"{name(run, task)}.{suffix}")


def check_free(run: RestoredRun, task: str, splits: Sequence[str] = ()) -> None:
    """Refuses to overwrite what the same task has found on something else.

    Files are named after the folder of the data, of which there may be several of one
    name, and those of several splits after the first.

    Args:
      run: that is to be evaluated.
      task: name of the task.
      splits: names of the data sets whose mean is to be written, where it is one.

    Raises:
      UserError: there is the result of other data, or of splits that are not among
        these.
    """
    file_name = os.path.join(run.eval_dir, f"{name(run, task)}.json")
    if not files.exists(file_name):
        return
    try:
        known = json.loads(files.read_text(file_name))
        data = known["data"]
        others = [split["data"] for split in known.get("splits", [])]
    except (json.JSONDecodeError, KeyError, TypeError):
        return  # no result of this version
    # A run's own data go on being its own when videos are appended to them.
    is_own = run.is_training_data and run.streams is None
    if not is_own and data["fingerprint"] != run.manifest.fingerprint():
        raise UserError(
            f"{file_name!r} has the result of other data, which are called"
            f" {data['name']!r} too ({data['num_train']} training and"
            f" {data['num_val']} validation videos): rename the folder"
            f" {run.data_dir!r}, or move the file away."
        )
    if not set(others) <= set(splits):
        raise UserError(
            f"{file_name!r} has the result of the splits {', '.join(others)}, which"
            f" that of {', '.join(splits)} would replace: give --splits with all of"
            " them, or move the file away."
        )


def settings_of(run: RestoredRun, settings: LabelConfig) -> dict[str, Any]:
    """Settings of a training on labels as results have them, those of clips included.

    Args:
      run: what is evaluated.
      settings: of the training.
    """
    data = ("crop", "color", "subset", "subset_seed", "bin_frames", "static_video")
    return {
        **dataclasses.asdict(settings),
        **{name: getattr(run.data, name) for name in data},
    }


def save(
    run: RestoredRun, task: str, protocol: str, content: Mapping[str, Any]
) -> dict[str, Any]:
    """Writes the result of a task, with the facts that all results share.

    Args:
      run: what was evaluated.
      task: name of the task.
      protocol: how the numbers came about, in words.
      content: the numbers.

    Returns:
      What was written.
    """
    result = {
        "task": task,
        "model": run.config.model.name,
        "loss": run.loss,
        "trained_on": [dataclasses.asdict(part) for part in run.weights_from],
        "step": run.step,
        "checkpoint": run.checkpoint,
        "crop_size": run.recipe.crop_size,
        "trained_crop_size": run.trained_size,
        "seed": run.config.train.seed,
        "data": {
            "name": run.data_name,
            "fingerprint": run.manifest.fingerprint(),
            "num_train": len(run.manifest.split(TRAIN_SPLIT)),
            "num_val": len(run.manifest.split(VAL_SPLIT)),
            "num_classes": len(run.manifest.class_names),
        },
        "protocol": protocols.with_network(run, protocol),
        **content,
    }
    if run.streams:
        result["streams"] = dataclasses.asdict(run.streams)
    text = json.dumps(result, indent=1) + "\n"
    write_atomically(path(run, task, "json"), text)
    return result
