"""Describes a data set: counts, histograms, a contact sheet, doubtful videos.

python -m data_prep.describe --data_dir=DATA --verify

Without --verify it reads the manifest and, for the contact sheet, a few frames.  With
it, every checksum is compared, every frame decoded, and videos that are the same,
black or still are found; anything that is not as the manifest says gives exit code 1.
"""

from __future__ import annotations

from data_prep.describe import describe_data_set
from flags import cli, description


def main() -> None:
    """Describes the data set of the flags."""
    config = description.config()
    problems = describe_data_set.describe(config)
    if problems:
        raise ValueError(
            f"The data set {config.data_dir!r} is not as its manifest says (problems:"
            f" {len(problems)}, listed above); convert its videos again, into another"
            " folder."
        )


if __name__ == "__main__":
    cli.run(main, [description])
