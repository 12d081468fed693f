"""History of a run: a line of `starts.jsonl` for every start of training.

`config.json` has the settings of the last start.  The history has those of every start,
and what else decides the result: command, code, versions of packages, and machine.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import subprocess
from importlib import metadata
from typing import Any, Mapping, Sequence

import cv2
import numpy as np
import tensorflow as tf

from vie_tf import keras
from vie_tf.config import LabelConfig, RunConfig
from vie_tf.storage import files, small_files

_NAME = "starts.jsonl"
_LEARNING_NAME = "learning.json"
_LEARNING_ADVICE = "Remove it: the run goes on without what it said before."
_GIT_SECONDS = 10.0  # a work tree on a slow disk must not delay the training


def note_start(
    model_dir: str,
    settings: RunConfig | LabelConfig,
    command: Sequence[str],
    step: int,
    num_replicas: int,
    num_workers: int = 1,
) -> None:
    """Adds a line about this start.

    Args:
      model_dir: folder of the run, which has to exist.
      settings: complete settings of the run.
      command: name of the script and its arguments.
      step: step that the run resumes from.
      num_replicas: number of devices that share a batch.
      num_workers: number of processes that they belong to.
    """
    line = {
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat("T", "seconds"),
        "step": step,
        "command": list(command),
        "folder": os.getcwd(),  # relative paths in the command start here
        "host": platform.node(),
        "git_revision": git_revision(pathlib.Path(__file__).parent),
        "versions": _versions(),
        "devices": _devices(),
        "replicas": num_replicas,
        "workers": num_workers,
        # A run may go on with other settings than it began with.
        "settings": dataclasses.asdict(settings),
    }
    path = os.path.join(model_dir, _NAME)
    # Written as a whole, since object stores do not append.
    files.write_atomically(path, f"{_earlier_lines(path)}{json.dumps(line)}\n")


def _earlier_lines(path: str) -> str:
    """Returns the lines of a history; damaged ones are left out, which is printed."""
    if not files.exists(path):
        return ""
    lines = files.read_bytes(path).split(b"\n")
    whole = []
    for line in filter(None, lines):
        with contextlib.suppress(ValueError, RecursionError):
            json.loads(line.decode())
            whole.append(f"{line.decode()}\n")
    num_damaged = sum(map(bool, lines)) - len(whole)
    if num_damaged:
        print(f"{path} was damaged: {num_damaged} of its lines are left out.")
    return "".join(whole)


def note_learning(model_dir: str, step: int, values: Mapping[str, Any]) -> None:
    """Adds what a run has learned by a step to `learning.json`, rising by step.

    Args:
      model_dir: folder of the run, which has to exist.
      step: number of the step; what was noted of it or of later ones is replaced, as a
        resumed run repeats them.
      values: values for JSON.
    """
    path = os.path.join(model_dir, _LEARNING_NAME)
    earlier = []
    if files.exists(path):
        earlier = small_files.read_json(path, _LEARNING_ADVICE)
    kept = [note for note in earlier if note["step"] < step]
    text = json.dumps([*kept, {"step": step, **values}], indent=1)
    files.write_atomically(path, f"{text}\n")


def git_revision(folder: pathlib.Path) -> str | None:
    """Returns the commit of a folder's code, with `-dirty` if files were changed.

    None if git does not track the code, even where it is installed within the work tree
    of another project.
    """
    if _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    return _git(folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(folder: pathlib.Path, *arguments: str) -> str | None:
    # Without the lock, since somebody may be committing there.
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=_GIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def _versions() -> dict[str, str | None]:
    try:
        own = metadata.version("vie-tf")
    except metadata.PackageNotFoundError:  # used from its folder, not installed
        own = None
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.VERSION,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "vie_tf": own,
    }


def _devices() -> dict[str, Any]:
    """Returns the number of CPUs and cores, the GPUs by name, and CUDA's versions."""
    gpus = tf.config.list_physical_devices("GPU")
    names = [
        tf.config.experimental.get_device_details(gpu).get("device_name", "unknown")
        for gpu in gpus
    ]
    build = tf.sysconfig.get_build_info()
    return {
        "CPU": len(tf.config.list_physical_devices("CPU")),
        "CPU cores": len(os.sched_getaffinity(0)),
        "GPU": names,
        "CUDA": build.get("cuda_version"),  # that TensorFlow was built for
        "cuDNN": build.get("cudnn_version"),
    }
