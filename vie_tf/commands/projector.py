"""Shows the memory bank in TensorBoard's embedding projector.

python -m vie_tf projector --model_dir=RUN --data_dir=DATA
"""

from __future__ import annotations

import argparse
from typing import Sequence

from vie_tf.commands.run_arguments import add_model_dir
from vie_tf.commands.without_gpus import leave_gpus_alone
from vie_tf.config.setting import local_path
from vie_tf.terminal import command_line

_MAX_POINTS = 100_000  # the projector shows no more
_DEFAULT_POINTS = 10_000


def _point_count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MAX_POINTS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not in 1 to {_MAX_POINTS}, the most that the projector shows"
        )
    return int(text)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = command_line.Parser(
        prog="python -m vie_tf projector",
        description="Shows the memory bank of a run in TensorBoard's projector.",
        allow_abbrev=False,
    )
    add_model_dir(parser)
    parser.add_argument(
        "--data_dir",
        required=True,
        type=local_path,
        metavar="DATA",
        help="data set that it was trained on",
    )
    parser.add_argument(
        "--num_points",
        type=_point_count,
        default=_DEFAULT_POINTS,
        metavar="NUMBER",
        help=f"rows that are shown, up to {_MAX_POINTS}; a random sample of the bank,"
        " or all of a smaller one (default %(default)s)",
    )
    parser.add_argument(
        "--checkpoint",
        choices=["latest", "best"],
        default="latest",
        help="whose bank is shown (default %(default)s)",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Runs the command and returns its exit code."""

    def work() -> None:
        settings = vars(_parse(arguments))
        leave_gpus_alone()
        from vie_tf.monitoring import projector

        print(projector.export(**settings).describe(settings["data_dir"]))

    return command_line.exit_code_of(work)
