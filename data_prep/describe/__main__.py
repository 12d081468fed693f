"""Describes a data set: counts, histograms, a contact sheet, doubtful videos.

python -m data_prep.describe --data_dir=DATA --verify

Without --verify it reads the manifest and, for the contact sheet, a few frames.  With
--verify it compares every checksum, decodes every frame, and finds videos that are
identical, black or still; any contradiction to the manifest gives exit code 1.
"""

from __future__ import annotations

from data_prep.describe import describe_data_set
from flags import cli, description
from vie_tf.storage.errors import UserError


def main() -> None:
    """Describes the data set of the flags.

    Raises:
      UserError: the data set contradicts its manifest.
    """
    config = description.config()
    problems = describe_data_set.describe(config)
    if problems:
        raise UserError(
            f"The data set {config.data_dir!r} contradicts its manifest in"
            f" {len(problems)} places, listed above; convert its videos again, into"
            " another folder."
        )


if __name__ == "__main__":
    cli.run(main, [description])
