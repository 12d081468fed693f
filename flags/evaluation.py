"""Evaluation: which task, and its protocol."""

from __future__ import annotations

from absl import flags

_TASK = flags.DEFINE_enum(
    "task",
    "knn",
    ["knn", "retrieval", "linear", "finetune"],
    "knn: top-1 and top-5 of classification by nearest neighbours. retrieval: a picture"
    " of queries and their nearest videos; needs no labels. linear: softmax read-outs"
    " of conv1 .. conv5 of the frozen network. finetune: all layers trained on labels.",
)
_GALLERY = flags.DEFINE_enum(
    "gallery",
    "features",
    ["features", "bank"],
    "What queries are compared with in knn: features of the training videos computed"
    " now, or the rows of the memory bank as in the authors' validation.",
)
_CLIPS_OF = flags.DEFINE_enum(
    "clips_of",
    None,
    ["trn", "slow", "slowfast"],
    "Gives a network of --model=single the clips of this family, frame by frame, and"
    " averages its outputs (Input-Single, table 4 of the paper).",
)
_CHECKPOINT = flags.DEFINE_enum(
    "checkpoint",
    "latest",
    ["latest", "best"],
    "Which checkpoint of the run: the newest, or the one with the best top-1 in the"
    " validations during training.",
)
_COMPARE_UNTRAINED = flags.DEFINE_bool(
    "compare_untrained",
    False,
    "Whether knn also evaluates the same network before its first step.",
)
_START_OVER = flags.DEFINE_bool(
    "start_over",
    False,
    "Whether linear and finetune remove a training that is there and begin anew,"
    " instead of going on with it.",
)


def task() -> str:
    """Returns the name of the task."""
    return _TASK.value


def gallery() -> str:
    """Returns the name of the gallery."""
    return _GALLERY.value


def clips_of() -> str | None:
    """Returns the family whose clips a single-frame network is given."""
    return _CLIPS_OF.value


def checkpoint() -> str:
    """Returns which checkpoint of the run is evaluated."""
    return _CHECKPOINT.value


def compare_untrained() -> bool:
    """Returns whether the untrained network is evaluated as well."""
    return _COMPARE_UNTRAINED.value


def start_over() -> bool:
    """Returns whether a training that is there is removed."""
    return _START_OVER.value
