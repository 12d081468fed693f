"""Rehearsal: a look at the input of a run instead of the run."""

from __future__ import annotations

from absl import flags

_SHOW_BATCH = flags.DEFINE_integer(
    "show_batch",
    0,
    "Draw so many clips of the run, before and after augmentation, into"
    " MODEL_DIR/batch.png, and do not train.",
    lower_bound=0,
)
_CHECK_INPUT = flags.DEFINE_bool(
    "check_input",
    False,
    "Measure how many clips the input gives and the training step takes, say what"
    " limits and what to change, and do not train.",
)


def show_batch() -> int:
    """Returns the number of clips to be drawn, 0 for no picture."""
    return _SHOW_BATCH.value


def check_input() -> bool:
    """Returns whether the input is to be measured."""
    return _CHECK_INPUT.value
