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

from data_prep.convert import report, write_manifest, write_shards
from flags import cli, conversion


def main() -> None:
    """Converts what the flags say and prints a summary.

    Raises:
      ValueError: a video was refused, and `--strict` was given.
    """
    config = conversion.config()
    manifest = write_shards.convert(config)
    for line in report.summary(manifest, config.output_dir):
        print(line)
    if config.strict and manifest.refused:
        raise ValueError(
            f"{len(manifest.refused)} video(s) were refused, which --strict does not"
            " allow; all others are converted. The reasons are in"
            f" {os.path.join(config.output_dir, write_manifest.REFUSED_NAME)}."
        )


if __name__ == "__main__":
    cli.run(main, [conversion])
