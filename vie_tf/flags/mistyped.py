"""Says what is wrong with a command line, in the words of this project.

absl's own messages name Python's errors, and suggest flags that are spelled alike, but
not those that are meant: `--lr` is not like `--learning_rate`.
"""

from __future__ import annotations

import difflib
import re
from typing import Sequence

from absl import flags

# What others call a setting.
_OTHER_NAMES = {
    "lr": "learning_rate",
    "rate": "learning_rate",
    "bs": "batch_size",
    "batch": "batch_size",
    "steps": "train_steps",
    "max_steps": "train_steps",
    "iterations": "train_steps",
    "arch": "model",
    "network": "model",
    "gpus": "num_replicas",
    "num_gpus": "num_replicas",
    "dim": "embedding_dim",
    "size": "crop_size",
    "frames": "num_frames",
    "clips": "num_clips",
    "workers": "num_processes",
    "num_workers": "num_processes",
    "out": "output",
    "output": "output_dir",
    "input": "videos",
    "data": "data_dir",
    "dataset": "data_dir",
    "run": "model_dir",
    "logdir": "model_dir",
    "momentum_sgd": "momentum",
    "wd": "weight_decay",
    "warmup": "lr_warmup_steps",
    "temp": "temperature",
    "k": "knn_k",
    "config": "flagfile",
}
_LIKENESS = 0.6  # of two names, as in difflib
_MOST_SUGGESTIONS = 3


def reason_of(error: flags.Error, known: Sequence[str]) -> str:
    """Returns a sentence on an error of absl.

    Args:
      error: error of parsing a command line.
      known: names of all flags.
    """
    if isinstance(error, flags.UnrecognizedFlagError):
        return f"There is no --{error.flagname}{_suggestion(error.flagname, known)}"
    text = str(error).replace("ERROR:: ", "")
    if match := re.match(r"Missing value for flag --(.*)", text):
        return f"--{match[1]} has no value: write --{match[1]}=VALUE"
    if match := re.match(r"flag (--\w+=.*): \('Non-boolean.*", text, re.DOTALL):
        name = match[1].partition("=")[0][2:]
        return f"{match[1]}: give --{name} or --no{name}"
    if match := re.match(r"flag (--\w+=.*)", text, re.DOTALL):
        return match[1]
    if match := re.match(r"Unable to open flagfile: \[.*\] (.*): '(.*)'", text):
        return f"--flagfile={match[2]} cannot be read: {match[1]}"
    if text.startswith("--flagfile with no"):
        return "--flagfile has no value: write --flagfile=FILE"
    return text


def _suggestion(name: str, known: Sequence[str]) -> str:
    """Returns a question about the flags that may be meant, or a full stop."""
    plain = name.replace("-", "_")
    meant = [flag for flag in known if flag == plain]
    other = _OTHER_NAMES.get(plain, "")
    if other in known:
        meant.append(other)
    if not meant:
        parts = [flag for flag in known if plain and plain in flag.split("_")]
        close = difflib.get_close_matches(plain, known, _MOST_SUGGESTIONS, _LIKENESS)
        meant = list(dict.fromkeys([*close, *parts]))[:_MOST_SUGGESTIONS]
    if not meant:
        return "."
    return f". Did you mean {' or '.join(f'--{flag}' for flag in meant)}?"
