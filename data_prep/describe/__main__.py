"""Describes a data set: counts, histograms, a contact sheet, doubtful videos.

python -m data_prep.describe --data_dir=DATA --verify

Without --verify it reads the manifest and, for the contact sheet, a few frames.  With
--verify it compares every checksum, decodes every frame, and finds videos that are
identical, black or still; any contradiction to the manifest gives exit code 1.
"""

from __future__ import annotations

import sys
from typing import Sequence

from data_prep.config import DescriptionConfig
from vie_tf.flags import cli
from vie_tf.storage.errors import UserError
from vie_tf.terminal.process_exit import run_and_exit
from vie_tf.terminal.wording import counted


def main(arguments: Sequence[str] | None = None) -> int:
    """Describes the data set, and returns the exit code."""
    groups = {"Description of a data set": DescriptionConfig}
    return cli.run(_describe, groups, __doc__, arguments)


def _describe(flags: cli.Flags) -> None:
    config = flags.config(DescriptionConfig)
    # Here, so that --help need not wait for TensorFlow.
    from data_prep.describe import describe_data_set

    problems = describe_data_set.describe(config)
    if problems:
        raise UserError(
            f"The data set {config.data_dir!r} contradicts its manifest in"
            f" {counted(len(problems), 'place')}, listed above; convert its videos"
            " again, into another folder."
        )


if __name__ == "__main__":
    run_and_exit(lambda: sys.exit(main()))
