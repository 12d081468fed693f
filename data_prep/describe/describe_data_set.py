"""Describes a data set: text on stdout, two pictures, and a list of problems."""

from __future__ import annotations

import os

from data_prep.config import DescriptionConfig
from data_prep.describe import description
from data_prep.describe.contact_sheet import (
    draw_contact_sheet,
    read_middle_frames,
    sample_videos,
)
from data_prep.describe.histograms import draw_histograms
from data_prep.describe.statistics import VideoContent, histograms, seconds_of
from data_prep.describe.verify import Problem, verify
from vie_tf.drawing import canvas
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import Manifest, VideoEntry
from vie_tf.storage.printable import printable
from vie_tf.terminal.heartbeat import doing
from vie_tf.terminal.wording import counted

HISTOGRAMS_NAME = "description.png"
CONTACT_SHEET_NAME = "contact_sheet.png"


def describe(config: DescriptionConfig) -> list[Problem]:
    """Prints a description of a data set and draws its two pictures.

    Returns:
      All problems, which are printed as well.

    Raises:
      UserError: there is no manifest, no video in it, or the pictures cannot be
        written.
      WorkerDied: a worker process has died.
    """
    manifest = Manifest.load(config.data_dir)
    if not manifest.videos:
        raise UserError(
            f"The data set {config.data_dir!r} holds no videos; convert some first."
        )
    problems: list[Problem] = []
    contents: list[VideoContent] | None = None
    if config.verify:
        doing("decoding all frames")
        problems, contents = verify(config.data_dir, manifest, config.num_processes)
    for line in description.describe(manifest, contents):
        print(printable(line))
    print()
    doing("drawing")
    failure: OSError | None = None
    unreadable: list[Problem] = []
    try:
        _draw(manifest, config, unreadable)
    except OSError as error:
        failure = error  # what was found is printed all the same
    problems = problems or unreadable  # Those of the verification are more precise.
    for problem in problems:
        print(printable(f"PROBLEM {problem}"))
    if config.verify and not problems:
        frames = sum(video.frames for video in manifest.videos)
        print(
            f"verified: {len(manifest.shards)} checksums, {len(manifest.videos):,}"
            f" records, {frames:,} frames decoded; all agree with the manifest"
        )
    if failure:
        found = f"; {len(problems)} problems are listed above" if problems else ""
        raise UserError(
            f"The pictures cannot be written ({failure}); choose another"
            f" --output_dir{found}."
        ) from failure
    return problems


def _draw(
    manifest: Manifest, config: DescriptionConfig, problems: list[Problem]
) -> None:
    """Draws the pictures; adds videos that cannot be read to the problems."""
    output_dir = config.output_dir or config.data_dir
    path = os.path.join(output_dir, HISTOGRAMS_NAME)
    hours = sum(map(seconds_of, manifest.videos)) / 3600
    title = (
        f"{counted(len(manifest.videos), 'video')},"
        f" {counted(len(manifest.class_names), 'class')}, {hours:,.2f} hours"
    )
    canvas.save_png(draw_histograms(title, histograms(manifest.videos)), path)
    print(f"histograms:    {path}")
    videos = sample_videos(manifest, config.num_shown)
    if videos:

        def on_unreadable(video: VideoEntry) -> None:
            what = "cannot be read for the contact sheet; --verify tells more"
            problems.append(Problem(video.shard, video.source, what))

        path = os.path.join(output_dir, CONTACT_SHEET_NAME)
        frames = read_middle_frames(config.data_dir, manifest, videos, on_unreadable)
        draw_contact_sheet(manifest, videos, frames).save(path)
        print(f"contact sheet: {path} ({counted(len(videos), 'video')})")
