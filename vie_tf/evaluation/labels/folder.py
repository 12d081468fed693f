"""The folder of a training on labels: `RUN/eval/TASK` or `RUN/eval/TASK-DATA`.

Like that of a run it holds `checkpoints/`, `tensorboard/` and a `lock`; `settings.json`
says what the training depends on, so that nothing else ever goes on with it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from typing import Any, Iterator, Sequence

import numpy as np

from vie_tf.config import (
    OLD_CROPS,
    DataConfig,
    FinetuneConfig,
    LabelConfig,
    LinearConfig,
    ModelConfig,
    Role,
    settings_of,
)
from vie_tf.config.setting import Setting
from vie_tf.evaluation import results
from vie_tf.evaluation.provenance import LABEL_SETTINGS
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage import files, small_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import write_atomically
from vie_tf.storage.folder_lock import FolderLock

_ADVICE = "Give --start_over to remove the training and begin again."
_NUM_TO_KEEP = 1  # linear probes of Kinetics have 110 million weights
_OF_A_TRAINING = (
    *(LABEL_SETTINGS, "config.json", "starts.jsonl"),
    *("checkpoints", "tensorboard"),
)

# Settings that decide what a training learns.
_DECIDES = (Role.FIXED, Role.HYPER_PARAMETER)
_CLIP, _NETWORK = "the network's clip", "the network's --"
_RENAMED = {
    f"--{old}": one.label
    for one in settings_of(LabelConfig).values()
    for old in one.old_names
}


def _defaults(kind: type, prefix: str = "") -> dict[str, Any]:
    """Returns the defaults of a dataclass by the names of its fields."""
    return {
        prefix + field.name: field.default
        for field in dataclasses.fields(kind)
        if field.default is not dataclasses.MISSING
    }


# What an earlier version did not have was as it is by default.
_DEFAULTS = {
    **_defaults(ModelConfig, _NETWORK),
    **{
        one.label: one.default
        for config in (LinearConfig, FinetuneConfig, DataConfig)
        for one in settings_of(config).values()
        if one.default is not dataclasses.MISSING
    },
}


@contextlib.contextmanager
def locked_folder(
    run: RestoredRun, task: str, settings: LabelConfig, start_over: bool
) -> Iterator[RunDirectory]:
    """Locks the folder of a training and checks that it belongs to this one.

    Args:
      run: run whose network is evaluated.
      task: name of the task and of the folder.
      settings: complete settings of the training.
      start_over: whether what is there is removed.

    Yields:
      The folder, as that of a run.

    Raises:
      UserError: another process trains there, or the training that is there has other
        settings.
    """
    path = os.path.join(results.folder(run), results.name(run, task))
    dependencies = _dependencies(run, settings)
    with FolderLock(path, f"training in {path!r}", "--model_dir"):
        if start_over:
            _remove_training(path)
        _check(path, dependencies)
        text = json.dumps(dependencies, indent=1) + "\n"
        write_atomically(os.path.join(path, LABEL_SETTINGS), text)
        yield RunDirectory(path, _NUM_TO_KEEP)


def _check(folder: str, dependencies: dict[str, Any]) -> None:
    path = os.path.join(folder, LABEL_SETTINGS)
    if not files.exists(path):
        return
    known = small_files.read_object(path, {"--crop": "str"}, _ADVICE)
    known = {_RENAMED.get(name, name): value for name, value in known.items()}
    known["--crop"] = OLD_CROPS.get(known["--crop"], known["--crop"])
    known = {**_DEFAULTS, **known}
    if isinstance(known.get(_CLIP), dict):
        known[_CLIP] = {**_defaults(ClipRecipe), **known[_CLIP]}
    # As JSON has them: without tuples.
    now = json.loads(json.dumps(dependencies))
    changed = [
        f"{name} was {known.get(name)!r}, is now {now[name]!r}"
        for name in now
        if known.get(name) != now[name]
    ]
    if changed:
        raise UserError(
            f"The training in {folder!r} was begun with other settings:"
            f" {'; '.join(changed)}. Give the same, or --start_over to remove it and"
            " begin again."
        )


def _remove_training(folder: str) -> None:
    for name in _OF_A_TRAINING:
        files.remove(os.path.join(folder, name))


def _dependencies(run: RestoredRun, settings: LabelConfig) -> dict[str, Any]:
    """Returns what decides what a training learns, by flag or name."""
    dependencies = {
        one.label: getattr(config, name)
        for config in (settings, run.data)
        for name, one in settings_of(type(config)).items()
        if one.role in _DECIDES and _matters(one, config)
    }
    if not getattr(settings, "from_scratch", False):
        dependencies["the network's step"] = run.step
        # Of both streams, or of another run that was put into the same folder.
        dependencies["the network's weights"] = _digest(run.model.get_weights())
    # Not all of it shows in the weights: two-stream networks differ in --static_frames.
    for name, value in dataclasses.asdict(run.config.model).items():
        dependencies[_NETWORK + name] = value
    dependencies[_CLIP] = dataclasses.asdict(run.recipe)
    dependencies["the data's fingerprint"] = run.manifest.fingerprint()
    return dependencies


def _digest(weights: Sequence[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for weight in weights:
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:16]


def _matters(one: Setting, config: LabelConfig | DataConfig) -> bool:
    """Whether a setting decides anything beside the others of its config."""
    return one.only_if is None or getattr(config, one.only_if[0]) == one.only_if[1]
