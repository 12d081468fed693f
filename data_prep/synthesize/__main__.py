"""Generates videos whose class is a motion, to try everything without a data set.

python -m data_prep.synthesize --output_dir=VIDEOS

The appearance of a video changes from scene to scene and is independent of its class.
After an interruption, the same command continues.
"""

from __future__ import annotations

import sys
from typing import Sequence

from data_prep.config import SynthesisConfig
from vie_tf.flags import cli
from vie_tf.terminal import next_step
from vie_tf.terminal.process_exit import run_and_exit
from vie_tf.terminal.wording import counted


def main(arguments: Sequence[str] | None = None) -> int:
    """Generates the videos, prints the next step, and returns the exit code."""
    groups = {"Synthesis of videos whose class is a motion": SynthesisConfig}
    return cli.run(_synthesize, groups, __doc__, arguments)


def _synthesize(flags: cli.Flags) -> None:
    config = flags.config(SynthesisConfig)
    # Here, so that --help need not wait for OpenCV.
    from data_prep.synthesize import render, write_videos

    videos = write_videos.synthesize(config)
    width, height = render.frame_size(config)
    print(
        f"{counted(len(videos), 'video')} of {counted(config.num_classes, 'motion')},"
        f" {config.seconds:g} s at"
        f" {render.FPS} fps, {width}x{height}, in {config.output_dir}"
    )
    flags_of_next = (f"--videos={config.output_dir}", "--output_dir=DATA")
    print(next_step.line("convert", *flags_of_next))


if __name__ == "__main__":
    run_and_exit(lambda: sys.exit(main()))
