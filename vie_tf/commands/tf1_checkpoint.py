"""Makes a run directory from a checkpoint of the authors' TF1 code.

python -m vie_tf tf1_checkpoint --model=3dresnet --checkpoint=PATH --model_dir=RUN
"""

from __future__ import annotations

import argparse
from typing import Sequence

from vie_tf.commands.without_gpus import leave_gpus_alone
from vie_tf.config import ModelConfig
from vie_tf.config.setting import local_path
from vie_tf.terminal import command_line


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = command_line.Parser(
        prog="python -m vie_tf tf1_checkpoint",
        description="Makes a run directory from a checkpoint of the authors' TF1 code.",
        allow_abbrev=False,
    )
    parser.add_argument("--model", required=True, help="family of the checkpoint")
    parser.add_argument(
        "--checkpoint",
        required=True,
        type=local_path,
        metavar="PATH",
        help="path of its files up to .index",
    )
    parser.add_argument(
        "--model_dir",
        required=True,
        type=local_path,
        metavar="RUN",
        help="folder to be written",
    )
    parser.add_argument(
        "--data_dir",
        type=local_path,
        metavar="DATA",
        help="the training videos; needed if the checkpoint has no memory bank",
    )
    parser.add_argument(
        "--fresh_bank",
        action="store_true",
        help="start a new memory bank, for other videos than the authors'",
    )
    for name, help_text in (
        ("resnet_size", "layers of the network"),
        ("num_filters", "filters of the first stage"),
    ):
        parser.add_argument(
            f"--{name}",
            type=int,
            default=getattr(ModelConfig(), name),
            help=f"{help_text} (default %(default)s)",
        )
    parser.add_argument("--verbose", action="store_true", help="list every variable")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Runs the command and returns its exit code."""

    def work() -> None:
        parsed = _parse(arguments)
        leave_gpus_alone()
        from vie_tf.runs.tf1_checkpoint.conversion import make_run

        settings = ModelConfig(
            name=parsed.model,
            resnet_size=parsed.resnet_size,
            num_filters=parsed.num_filters,
        )
        made = make_run(
            settings,
            parsed.checkpoint,
            parsed.model_dir,
            parsed.data_dir,
            parsed.fresh_bank,
        )
        print(made.report.table(parsed.verbose))
        print(made.describe())

    return command_line.exit_code_of(work)
