"""Arguments that commands on a run share, where they are not settings."""

from __future__ import annotations

import argparse

from vie_tf.config.setting import local_path


def add_model_dir(parser: argparse.ArgumentParser) -> None:
    """Adds --model_dir, the folder of a run that exists."""
    parser.add_argument(
        "--model_dir",
        required=True,
        type=local_path,
        metavar="RUN",
        help="folder of a train.py run",
    )
