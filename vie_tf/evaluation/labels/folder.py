"""The folder of a training on labels: `RUN/eval/TASK` or `RUN/eval/TASK-DATA`.

Like that of a run it holds `checkpoints/`, `tensorboard/` and a `lock`; `settings.json`
says what the training depends on, so that nothing else ever goes on with it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from types import TracebackType
from typing import Any, Sequence

import numpy as np
import tensorflow as tf

from vie_tf.config import OLD_CROPS, LabelConfig, Role, settings_of
from vie_tf.config.setting import Setting
from vie_tf.evaluation import results
from vie_tf.evaluation.provenance import LABEL_SETTINGS
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.files import write_atomically
from vie_tf.storage.folder_lock import FolderLock

_NUM_TO_KEEP = 1  # read-outs of Kinetics have 110 million weights
_OF_A_TRAINING = (
    *(LABEL_SETTINGS, "config.json", "starts.jsonl"),
    *("checkpoints", "tensorboard"),
)

# Settings that decide what a training learns.
_DECIDES = (Role.FIXED, Role.HYPER_PARAMETER)
_RENAMED = {
    f"--{old}": one.label
    for one in settings_of(LabelConfig).values()
    for old in one.old_names
}


class LabelFolder:
    """The folder, locked in a `with` block.

    Args:
      run: whose network is evaluated.
      task: name of the task, and of the folder.
      settings: of the training, complete.
      start_over: whether what is there is removed.

    Attributes:
      path: of the folder.
      directory: its checkpoints.
    """

    def __init__(
        self, run: RestoredRun, task: str, settings: LabelConfig, start_over: bool
    ) -> None:
        self._task, self._start_over = task, start_over
        self._facts = _facts(run, settings)
        self.path = os.path.join(results.folder(run), results.name(run, task))
        self.directory = RunDirectory(self.path, _NUM_TO_KEEP)
        self._lock = FolderLock(self.path, f"training in {self.path!r}", "--model_dir")

    def __enter__(self) -> LabelFolder:
        """Locks the folder and checks whose it is.

        Raises:
          ValueError: another process trains there, or the training that is there has
            other settings.
        """
        self._lock.__enter__()
        try:
            self._lock.take()
            if self._start_over:
                self._remove()
            self._check()
            text = json.dumps(self._facts, indent=1) + "\n"
            write_atomically(self._settings_path(), text)
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Gives the lock back."""
        self._lock.__exit__(kind, error, trace)

    def _check(self) -> None:
        if not tf.io.gfile.exists(self._settings_path()):
            return
        with tf.io.gfile.GFile(self._settings_path()) as file:
            known = json.loads(file.read())
        known = {_RENAMED.get(name, name): value for name, value in known.items()}
        known["--crop"] = OLD_CROPS.get(known["--crop"], known["--crop"])
        # As JSON has them: without tuples.
        now = json.loads(json.dumps(self._facts))
        changed = [
            f"{name} was {known.get(name)!r}, is now {now[name]!r}"
            for name in now
            if known.get(name) != now[name]
        ]
        if changed:
            raise ValueError(
                f"The training in {self.path!r} was begun with other settings:"
                f" {'; '.join(changed)}. Give the same, or --start_over to remove it"
                " and begin anew."
            )

    def _remove(self) -> None:
        for name in _OF_A_TRAINING:
            path = os.path.join(self.path, name)
            if tf.io.gfile.isdir(path):
                tf.io.gfile.rmtree(path)
            elif tf.io.gfile.exists(path):
                tf.io.gfile.remove(path)

    def _settings_path(self) -> str:
        return os.path.join(self.path, LABEL_SETTINGS)


def _facts(run: RestoredRun, settings: LabelConfig) -> dict[str, Any]:
    """What decides what a training learns, by name; flags with their dashes."""
    facts = {
        one.label: getattr(config, name)
        for config in (settings, run.data)
        for name, one in settings_of(type(config)).items()
        if one.role in _DECIDES and _matters(one, settings)
    }
    if not getattr(settings, "from_scratch", False):
        facts["the network's step"] = run.step
        # Of both streams, or of another run that was put into the same folder.
        facts["the network's weights"] = _digest(run.model.get_weights())
    # Not all of it shows in the weights: two-stream networks differ in --static_frames.
    for name, value in dataclasses.asdict(run.config.model).items():
        facts[f"the network's --{name}"] = value
    facts["the network's clip"] = dataclasses.asdict(run.recipe)
    facts["the data's fingerprint"] = run.manifest.fingerprint()
    return facts


def _digest(weights: Sequence[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for weight in weights:
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:16]


def _matters(one: Setting, settings: LabelConfig) -> bool:
    """Whether a setting decides anything beside the others."""
    return one.only_if is None or getattr(settings, one.only_if[0]) == one.only_if[1]
