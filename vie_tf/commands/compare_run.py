"""Compares a run on Kinetics-400 with the authors' published one: is it on track?

python -m vie_tf compare_run --model_dir=RUN

Prints the kNN accuracies of both runs, and draws a chart or writes the published curve
for TensorBoard if it is asked to.
"""

from __future__ import annotations

import argparse
from typing import Sequence

from vie_tf.commands.run_arguments import add_model_dir
from vie_tf.commands.without_gpus import leave_gpus_alone
from vie_tf.config.setting import local_path
from vie_tf.terminal import command_line

_NUM_ROWS = 20


def _row_count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number; 0 shows all")
    return int(text)


def _picture_name(text: str) -> str:
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"{text!r} must end with .png")
    return local_path(text)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = command_line.Parser(
        prog="python -m vie_tf compare_run",
        description="Compares a Kinetics run with the authors' published kNN curve.",
        allow_abbrev=False,
    )
    add_model_dir(parser)
    parser.add_argument(
        "--rows",
        type=_row_count,
        default=_NUM_ROWS,
        metavar="NUMBER",
        help="validations in the table, 0 for all (default %(default)s)",
    )
    parser.add_argument(
        "--plot",
        type=_picture_name,
        metavar="FILE",
        help="write a chart of both curves (PNG)",
    )
    parser.add_argument(
        "--tensorboard",
        action="store_true",
        help="write the published curve to RUN/tensorboard/published, so that"
        " TensorBoard shows it beside that of the run",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Runs the command and returns its exit code."""

    def work() -> None:
        parsed = _parse(arguments)
        leave_gpus_alone()
        from vie_tf.monitoring.published import compare_run

        compare_run.compare(
            parsed.model_dir, parsed.rows, parsed.plot, parsed.tensorboard
        )

    return command_line.exit_code_of(work)
