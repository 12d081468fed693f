"""Converts a folder of videos into shards and a manifest.

python -m data_prep.convert --videos=FOLDER --output_dir=DATA

Videos in sub-folders get the names of the sub-folders as labels; videos directly in
FOLDER have none; a --list says more.  The same command goes on where a run was
interrupted.  With --append it adds the videos that are new since: they get new ids in
new shards, and nothing that was there changes.  Videos that cannot be decoded are
refused, and listed with the reason in DATA/refused.csv.
"""

from __future__ import annotations

import os
import sys
from typing import Sequence

from data_prep.config import ConversionConfig
from data_prep.convert import report, write_manifest, write_shards
from flags import cli
from vie_tf.storage.errors import UserError
from vie_tf.storage.process_exit import run_and_exit


def main(arguments: Sequence[str] | None = None) -> int:
    """Converts the videos, prints a summary, and returns the exit code.

    Args:
      arguments: command line; None for that of the process.
    """
    return cli.run(
        _convert,
        {"Conversion of videos into records": ConversionConfig},
        __doc__,
        arguments,
    )


def _convert(flags: cli.Flags) -> None:
    config = flags.config(ConversionConfig)
    manifest = write_shards.convert(config)
    for line in report.summary(manifest, config.output_dir):
        print(line)
    if config.strict and manifest.refused:
        raise UserError(
            f"{len(manifest.refused)} video(s) were refused, which --strict does not"
            " allow; all others are converted. The reasons are in"
            f" {os.path.join(config.output_dir, write_manifest.REFUSED_NAME)}."
        )


if __name__ == "__main__":
    run_and_exit(lambda: sys.exit(main()))
