"""Divides the learning rate of a training when its validations no longer gain."""

from __future__ import annotations

from vie_tf.config import LabelConfig, TrainConfig
from vie_tf.monitoring import console
from vie_tf.runs.state import TrainState


def watch(
    state: TrainState, settings: TrainConfig | LabelConfig, step: int, accuracy: float
) -> None:
    """Notes a validation; from the next step on the rate is that of the plateaus.

    A validation that is due only because the training ends does not count: a longer one
    has none there.

    Args:
      state: of the training.
      settings: of its rate; without `plateau` as the schedule there is nothing to do.
      step: that was validated.
      accuracy: of the validation, a fraction.
    """
    assert settings.eval_steps is not None
    if settings.lr_schedule != "plateau" or step % settings.eval_steps:
        return
    before = state.plateau()
    now = before.after(
        accuracy,
        patience=settings.plateau_patience,
        min_gain=settings.plateau_min_delta,
        max_drops=settings.plateau_max_drops,
    )
    state.set_plateau(now)
    if now.num_drops > before.num_drops:
        print(console.drop_line(step, now, settings), flush=True)
