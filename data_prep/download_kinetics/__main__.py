"""Downloads the segments of Kinetics from YouTube, with yt-dlp and ffmpeg.

python -m data_prep.download_kinetics --csv=ANNOTATIONS --output_dir=FOLDER

Before you start: a large share of these videos no longer exists on YouTube, so the
result is a smaller data set than that of the papers.  The official mirror, the archives
of the CVD Foundation, holds the clips themselves and can be used instead.

Clips are cut to their segment and stored in FOLDER/<label>/.  FOLDER/gone.csv lists
unavailable videos with the reason.  After an interruption, the same command continues.
"""

from __future__ import annotations

import sys
from typing import Sequence

from data_prep.config import KineticsConfig
from vie_tf.flags import cli
from vie_tf.storage.errors import UserError
from vie_tf.storage.printable import printable
from vie_tf.terminal.process_exit import run_and_exit
from vie_tf.terminal.wording import counted


def main(arguments: Sequence[str] | None = None) -> int:
    """Downloads the segments, prints a summary, and returns the exit code."""
    groups = {"Download of Kinetics": KineticsConfig}
    return cli.run(_download_kinetics, groups, __doc__, arguments)


def _download_kinetics(flags: cli.Flags) -> None:
    config = flags.config(KineticsConfig)
    # Here, so that --help need not wait for TensorFlow.
    from data_prep.download_kinetics import download, reports

    result = download.download(config)
    for line in reports.summary(result, config):
        print(printable(line))
    if result.failed:
        raise UserError(
            f"{counted(len(result.failed), 'video')} failed for reasons that may pass"
            f" ({reports.FAILED_NAME}); run the same command again."
        )


if __name__ == "__main__":
    run_and_exit(lambda: sys.exit(main()))
