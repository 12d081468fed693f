"""Makes videos whose class is a motion, to try everything without a data set.

python -m data_prep.synthesize --output_dir=VIDEOS

The appearance of a video changes from scene to scene and says nothing about its
class.  The same command goes on where a run was interrupted.
"""

from __future__ import annotations

from data_prep.synthesize import write_videos
from flags import cli, synthesis


def main() -> None:
    """Makes what the flags ask for and says what comes next."""
    config = synthesis.config()
    videos = write_videos.synthesize(config)
    width, height = write_videos.frame_size(config)
    print(
        f"{len(videos)} videos of {config.num_classes} motions, {config.seconds:g} s at"
        f" {write_videos.FPS} fps, {width}x{height}, in {config.output_dir}"
    )
    print(
        f"Next: python -m data_prep.convert --videos={config.output_dir}"
        " --output_dir=DATA"
    )


if __name__ == "__main__":
    cli.run(main, [synthesis])
