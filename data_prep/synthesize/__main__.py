"""Generates videos or pictures, to try everything without a data set.

python -m data_prep.synthesize --output_dir=VIDEOS

There are three worlds.  Moving textures, whose class is the motion, while their
appearance changes from scene to scene; people who do one of fifteen actions in ten
scenes; and pictures of objects from any side.  After an interruption, the same command
continues.
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
    groups = {"Synthesis of videos and pictures": SynthesisConfig}
    return cli.run(_synthesize, groups, __doc__, arguments)


def _synthesize(flags: cli.Flags) -> None:
    config = flags.config(SynthesisConfig)
    # Here, so that --help need not wait for OpenCV.
    from data_prep.synthesize import write_videos
    from data_prep.synthesize.world import frame_size

    tasks = write_videos.synthesize(config)
    world = write_videos.WORLDS[config.world]
    width, height = frame_size(config)
    number = len(world.classes_of(config))
    unit = world.task.unit
    length = f" {config.seconds:g} s," if unit == "video" else ""
    print(
        f"{counted(len(tasks), unit)} of {counted(number, world.kind)},{length}"
        f" {width}x{height}, in {config.output_dir}"
    )
    flags_of_next = [f"--videos={config.output_dir}", "--output_dir=DATA"]
    if unit == "picture":
        flags_of_next.append("--media=images")
    print(next_step.line("convert", *flags_of_next))


if __name__ == "__main__":
    run_and_exit(lambda: sys.exit(main()))
