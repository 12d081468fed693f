"""Downloads the segments of Kinetics from YouTube, with yt-dlp and ffmpeg.

python -m data_prep.download_kinetics --csv=ANNOTATIONS --output_dir=FOLDER

Know before you start: a large share of these videos no longer exists on YouTube, so
what you get is a smaller data set than that of the papers.  The official mirror, the
archives of the CVD Foundation, holds the clips themselves and can be used instead.

Clips are cut to their segment and go to FOLDER/<label>/.  FOLDER/gone.csv lists what
does not exist any more, with the reason.  The same command goes on where a run was
interrupted.
"""

from __future__ import annotations

from data_prep.download_kinetics import download_segments
from flags import cli, kinetics


def main() -> None:
    """Downloads what the flags ask for and prints a summary."""
    config = kinetics.config()
    result = download_segments.download(config)
    for line in download_segments.summary(result, config):
        print(line)
    if result.failed:
        raise OSError(
            f"{len(result.failed)} videos failed for reasons that may pass"
            f" ({download_segments.FAILED_NAME}); run the same command again."
        )


if __name__ == "__main__":
    cli.run(main, [kinetics])
