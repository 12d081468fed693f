"""Rows of the table that `benchmarks.train_step` prints."""

from __future__ import annotations

import statistics

from benchmarks.peers.measurement import Case

COLUMNS = (
    f"{'model':<14}{'precision':<16}{'code':<14}{'batch':>5}{'forward':>10}{'step':>10}"
    f"{'step':>9}{'step':>10}{'of peak':>9}{'ours is, forward':>18}{'step':>6}\n"
    f"{'':<49}{'clips/s':>10}{'clips/s':>10}{'s':>9}{'GFLOP/s':>10}"
)

Turns = list[dict[str, float]]  # results of `train_step.measure`


def row(case: Case, turns: Turns, operations: int, peak: float) -> str:
    """Formats the medians of a code's turns.

    Args:
      case: network, precision and sizes.
      turns: results of `measure`.
      operations: operations of a training step for one clip.
      peak: operations per second of the matrix product.
    """
    forward, step = (
        statistics.median(turn[f"{name}_seconds"] for turn in turns)
        for name in ("forward", "step")
    )
    rate = operations * case.batch_size / step
    return (
        f"{case.batch_size:>5}{case.batch_size / forward:>10.2f}"
        f"{case.batch_size / step:>10.2f}{step:>9.2f}{rate / 1e9:>10.1f}"
        f"{rate / peak:>9.0%}"
    )


def ratios(turns: Turns, ours: Turns) -> str:
    """Formats how many times as fast ours is: medians of turns in the same round."""
    forward, step = (
        statistics.median(
            peer[f"{name}_seconds"] / own[f"{name}_seconds"]
            for peer, own in zip(turns, ours)
        )
        for name in ("forward", "step")
    )
    return f"{forward:>18.2f}{step:>6.2f}"
