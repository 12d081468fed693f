"""Downloads segments of Kinetics into a folder of clips.

For each row of the annotation csv there is a clip in `output_dir/<label>/`, a line in
`gone.csv` (unavailable, not tried again), or a line in `failed.csv` (may succeed
another time).
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from typing import Iterator, Sequence

from data_prep.config import KineticsConfig
from data_prep.download_kinetics import reports
from data_prep.download_kinetics.fetch_segments import fetch_segments
from data_prep.download_kinetics.reports import Download, Outcome
from data_prep.download_kinetics.segments import Segment, read_segments
from data_prep.workers.progress import Progress
from vie_tf.storage.errors import UserError
from vie_tf.storage.folder_lock import FolderLock
from vie_tf.terminal.wording import counted

WORK_DIR = ".downloading"
NOTICE = (
    "A large and growing share of the videos of Kinetics no longer exists on YouTube:"
    " a fresh download is a smaller data set than that of the papers. The archives of"
    " the CVD Foundation, the official mirror, hold the clips themselves; if you can"
    " use them, give them to data_prep.convert with the same csv as --list."
)


def download(config: KineticsConfig) -> Download:
    """Downloads the segments that are neither present nor known to be unavailable.

    Raises:
      UserError: the csv cannot be used, a program is missing, another download is
        writing to the folder, the disk is full, or too many videos fail in a row.
      KeyboardInterrupt: by Ctrl-C or SIGTERM; only complete clips remain.
    """
    config = _with_programs(config)
    segments = read_segments(config.csv_path, config.split, config.limit)
    print(NOTICE)
    with _work_dir(config.output_dir) as work_dir:
        to_do, unavailable = _left_to_do(segments, config.output_dir)
        failed: list[Outcome] = []
        with (
            Progress(
                "downloading",
                total=len(segments),
                already_done=len(segments) - len(to_do),
                refused_word="unavailable or failed",
            ) as progress,
            reports.unavailable_report(config.output_dir) as report,
            contextlib.closing(fetch_segments(to_do, config, work_dir)) as outcomes,
        ):
            for outcome in outcomes:
                progress.advance(refused=bool(outcome.reason))
                if outcome.is_unavailable:
                    report(outcome)
                    unavailable.append(outcome)
                elif outcome.reason:
                    failed.append(outcome)
        reports.write_failed(failed, config.output_dir)
    present = len(segments) - len(unavailable) - len(failed)
    return Download(present, tuple(unavailable), tuple(failed))


def _left_to_do(
    segments: Sequence[Segment], output_dir: str
) -> tuple[list[Segment], list[Outcome]]:
    """Returns the segments to fetch, and those that are known to be unavailable."""
    known = reports.read_unavailable(output_dir)
    unavailable, to_do = [], []
    for segment in segments:
        if os.path.exists(os.path.join(output_dir, segment.path)):
            continue
        if reason := known.get((segment.youtube_id, segment.start_secs)):
            unavailable.append(Outcome(segment, reason, is_unavailable=True))
        else:
            to_do.append(segment)
    if len(to_do) < len(segments):
        present = len(segments) - len(unavailable) - len(to_do)
        print(
            f"Continuing: {present} of {counted(len(segments), 'clip')} present,"
            f" {len(unavailable)} unavailable by {reports.UNAVAILABLE_NAME} (remove"
            " it to try them again)."
        )
    return to_do, unavailable


def _with_programs(config: KineticsConfig) -> KineticsConfig:
    """Returns the configuration with the full paths of the programs."""
    paths = {}
    for flag, remedy in (
        ("yt_dlp", "install it with: pip install yt-dlp"),
        ("ffmpeg", "install it with the package manager of your system"),
    ):
        program = getattr(config, flag)
        path = shutil.which(program)
        if path is None:
            raise UserError(
                f"The program {program!r} is missing; {remedy}, or give its path:"
                f" --{flag}=PATH."
            )
        paths[flag] = os.path.abspath(path)
    return dataclasses.replace(config, **paths)


@contextlib.contextmanager
def _work_dir(output_dir: str) -> Iterator[str]:
    """Gives a folder for unfinished files in the output, which only this run uses."""
    path = os.path.join(output_dir, WORK_DIR)
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder {path!r} cannot be made ({error.strerror}); choose another"
            " --output_dir."
        ) from error
    with FolderLock(path, f"downloading to {output_dir!r}", "--output_dir"):
        _empty(path)  # Files of a killed run.
        try:
            yield path
        finally:
            _empty(path)


def _empty(work_dir: str) -> None:
    for entry in os.scandir(work_dir):
        if entry.is_dir():
            shutil.rmtree(entry.path, ignore_errors=True)
