"""Data set -> text, pictures and a list of problems.

Comes in: a folder that `data_prep.convert` has written, local or remote.  Goes out:
lines on stdout, `description.png` and `contact_sheet.png`.
"""

from __future__ import annotations

import os

from data_prep.config import DescriptionConfig
from data_prep.describe.contact_sheet import (
    chosen_videos,
    draw_contact_sheet,
    middle_frames,
)
from data_prep.describe.histograms import draw_histograms
from data_prep.describe.statistics import VideoContent, histograms, seconds_of
from data_prep.describe.text import description
from data_prep.describe.verify import Problem, verify
from vie_tf.storage import records, remote_files

HISTOGRAMS_NAME = "description.png"
CONTACT_SHEET_NAME = "contact_sheet.png"


def describe(config: DescriptionConfig) -> list[Problem]:
    """Prints what a data set holds and draws its two pictures.

    Args:
      config: which data set, and how deep to look.

    Returns:
      What is wrong with it, which has been printed as well.

    Raises:
      ValueError: there is no manifest, or no video in it.
      OSError: the pictures cannot be written, or a worker process has died.
    """
    for place in (config.data_dir, config.output_dir):
        remote_files.connect(place)
    manifest = records.Manifest.load(config.data_dir)
    if not manifest.videos:
        raise ValueError(f"The data set {config.data_dir!r} holds no videos.")
    problems: list[Problem] = []
    contents: list[VideoContent] | None = None
    if config.verify:
        problems, contents = verify(config.data_dir, manifest, config.num_processes)
    for line in description(manifest, contents):
        print(line)
    print()
    unreadable = _draw(manifest, config)
    problems = problems or unreadable  # What verification has found says it better.
    for problem in problems:
        print(f"PROBLEM {problem}")
    if config.verify and not problems:
        frames = sum(video.frames for video in manifest.videos)
        print(
            f"verified: {len(manifest.shards)} checksums, {len(manifest.videos):,}"
            f" records, {frames:,} frames decoded; all as the manifest says"
        )
    return problems


def _draw(manifest: records.Manifest, config: DescriptionConfig) -> list[Problem]:
    output_dir = config.output_dir or config.data_dir
    path = os.path.join(output_dir, HISTOGRAMS_NAME)
    hours = sum(map(seconds_of, manifest.videos)) / 3600
    title = (
        f"{len(manifest.videos):,} videos, {len(manifest.class_names):,} classes,"
        f" {hours:,.2f} hours"
    )
    draw_histograms(title, histograms(manifest.videos)).save(path)
    print(f"histograms:    {path}")
    problems: list[Problem] = []
    videos = chosen_videos(manifest, config.num_shown)
    if videos:

        def complain(video: records.VideoEntry) -> None:
            what = "cannot be read for the contact sheet; --verify looks closer"
            problems.append(Problem(video.shard, video.source, what))

        path = os.path.join(output_dir, CONTACT_SHEET_NAME)
        frames = middle_frames(config.data_dir, videos, complain)
        draw_contact_sheet(manifest, videos, frames).save(path)
        print(f"contact sheet: {path} ({len(videos)} videos)")
    return problems
