"""Converts a folder of videos into shards and a manifest.

python -m data_prep.convert --videos=FOLDER --output_dir=DATA

The sub-folders of FOLDER are the labels of the videos in them; videos directly in
FOLDER have no label, and a --list can assign others.  After an interruption, the same
command continues.  With --append it adds new videos: they get new ids in new shards,
and nothing else changes.  Videos that cannot be decoded are refused, and listed with
the reason in DATA/refused.csv.
"""

from __future__ import annotations

import os
import sys
from typing import Sequence

from data_prep.config import ConversionConfig
from vie_tf.flags import cli
from vie_tf.storage.errors import UserError
from vie_tf.storage.printable import printable
from vie_tf.terminal.process_exit import run_and_exit
from vie_tf.terminal.wording import counted


def main(arguments: Sequence[str] | None = None) -> int:
    """Converts the videos, prints a summary, and returns the exit code."""
    groups = {"Conversion of videos into records": ConversionConfig}
    return cli.run(_convert, groups, __doc__, arguments)


def _convert(flags: cli.Flags) -> None:
    config = flags.config(ConversionConfig)
    # Here, so that --help need not wait for TensorFlow.
    from data_prep.convert import conversion, manifest

    result = conversion.convert(config)
    for line in manifest.summary(result, config.output_dir):
        print(printable(line))
    if config.strict and result.refused:
        raise UserError(
            f"{counted(len(result.refused), 'refused video')}: --strict allows none;"
            " all others are converted. The reasons are in"
            f" {os.path.join(config.output_dir, manifest.REFUSED_NAME)}."
        )


if __name__ == "__main__":
    run_and_exit(lambda: sys.exit(main()))
