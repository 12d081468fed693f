"""Converts a folder of videos into shards and a manifest.

python -m data_prep.convert --videos=FOLDER --output_dir=DATA

Videos in sub-folders get the names of the sub-folders as labels; videos directly in
FOLDER have none.  The same command goes on where a run was interrupted.
"""

from __future__ import annotations

from data_prep import conversion_report, write_shards
from flags import cli, conversion


def main() -> None:
    """Converts what the flags say and prints a summary."""
    config = conversion.config()
    manifest = write_shards.convert(config)
    for line in conversion_report.summary(manifest, config.output_dir):
        print(line)


if __name__ == "__main__":
    cli.run(main, [conversion])
