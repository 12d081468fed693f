"""Files in `RUN/eval/`: the numbers of a task, and their protocol.

Every task writes one JSON file.  All files have the same metadata, which
`vie_tf.evaluation.report` needs to compare several runs.
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any, Callable, Mapping, Sequence

from vie_tf.config import LabelConfig
from vie_tf.evaluation import protocols
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.storage import files, remote_files, small_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import TRAIN_SPLIT, VAL_SPLIT

_CLIP_SETTINGS = (
    *("crop", "min_crop_area", "color", "gray_probability", "gray_first"),
    *("subset", "subset_seed", "bin_frames", "static_video"),
)


def folder(run: RestoredRun) -> str:
    """Returns the folder of the results, which is made if it is missing."""
    files.make_folder(run.eval_dir)
    return run.eval_dir


def name(run: RestoredRun, task: str) -> str:
    """Returns the stem of a task's files: `TASK`, or `TASK-DATA` on other data."""
    return task if run.is_training_data else f"{task}-{run.data_name}"


def path(run: RestoredRun, task: str, suffix: str) -> str:
    """Returns the path of a task's file with this suffix."""
    return os.path.join(folder(run), f"{name(run, task)}.{suffix}")


def check_free(run: RestoredRun, task: str, splits: Sequence[str] = ()) -> None:
    """Refuses to overwrite the result of the same task on other data.

    Files are named after the folder of the data, which may be the name of several data
    sets; those of several splits are named after the first.

    Args:
      run: run that is evaluated.
      task: name of the task.
      splits: names of the data sets of a mean, if there are several.

    Raises:
      UserError: there is a result of other data or of other splits.
    """
    _say_if_read_only(run.eval_dir)
    file_name = os.path.join(run.eval_dir, f"{name(run, task)}.json")
    if not files.exists(file_name):
        return
    try:
        known = small_files.read_json(file_name)
        data = known["data"]
        others = [split["data"] for split in known.get("splits", [])]
    except (UserError, KeyError, TypeError, AttributeError):
        return  # not a result of this version
    # A run's own data set may have grown.
    is_own = run.is_training_data and run.network.streams is None
    if not is_own and data["fingerprint"] != run.manifest.fingerprint():
        raise UserError(
            f"{file_name!r} has the result of another data set of the name"
            f" {data['name']!r} ({data['num_train']} training and {data['num_val']}"
            f" validation videos): rename the folder {run.data_dir!r}, or move the file"
            " away."
        )
    if not set(others) <= set(splits):
        raise UserError(
            f"{file_name!r} has the result of the splits {', '.join(others)}, which"
            f" that of {', '.join(splits)} would replace: give --splits with all of"
            " them, or move the file away."
        )


def _say_if_read_only(path: str) -> None:
    """Prints before the work that its result will not be kept."""
    if remote_files.is_remote(path):
        return
    folder = os.path.abspath(path)
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    if not os.access(folder, os.W_OK):
        print(f"{path} cannot be written: the result is printed, not kept.", flush=True)


def settings_of(run: RestoredRun, settings: LabelConfig) -> dict[str, Any]:
    """Returns the settings of a training on labels and of its clips, for a result."""
    of_clips = {name: getattr(run.data, name) for name in _CLIP_SETTINGS}
    return {**dataclasses.asdict(settings), **of_clips}


def save(
    run: RestoredRun,
    task: str,
    protocol: str,
    content: Mapping[str, Any],
    show: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Shows and writes the result of a task, with the metadata that all results share.

    It is shown first, since the folder may not be writable, and other files of the task
    are complete before the result says what they show.

    Args:
      run: run that was evaluated.
      task: name of the task.
      protocol: description of the measurement.
      content: numbers of the task, whose keys replace those of the metadata.
      show: prints the content of the file, and writes other files of the task.

    Returns:
      Content of the file.

    Raises:
      FileError: it cannot be written.
    """
    network = run.network
    result = {
        "task": task,
        "model": run.config.model.name,
        "loss": network.loss,
        "trained_on": [dataclasses.asdict(part) for part in network.trained_on],
        "step": network.step,
        "checkpoint": network.checkpoint,
        "crop_size": run.recipe.crop_size,
        "trained_crop_size": network.trained_size,
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
    if network.streams:
        result["streams"] = dataclasses.asdict(network.streams)
    show(result)
    text = json.dumps(result, indent=1) + "\n"
    files.write_atomically(path(run, task, "json"), text)
    return result
