"""Segments of Kinetics -> a folder of clips, several downloads at once.

Comes in: the annotation csv, by `kinetics_segments`.  Goes out: a clip for each row in
`output_dir/<label>/`, as `data_prep.convert --list` looks for it; `gone.csv`, of what
does not exist any more, which is not asked for again; and `failed.csv`, of what may
go well another time.
"""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import dataclasses
import itertools
import os
import shutil
import signal
import threading
from typing import Generator, Iterator, Sequence

from data_prep.config import KineticsConfig
from data_prep.download_kinetics.fetch_segment import (
    GoneVideo,
    PassingError,
    fetch_segment,
)
from data_prep.download_kinetics.reports import (
    FAILED_NAME,
    GONE_NAME,
    Outcome,
    gone_report,
    known_as_gone,
    write_failed,
)
from data_prep.download_kinetics.segments import Segment, read_segments
from data_prep.workers.child_processes import ChildProcesses
from data_prep.workers.progress import Progress
from vie_tf.storage.folder_lock import FolderLock

WORK_DIR = ".downloading"
NOTICE = (
    "A large share of the videos of Kinetics no longer exists on YouTube, and it grows:"
    " a fresh download is a smaller data set than that of the papers. The archives of"
    " the CVD Foundation, the official mirror, hold the clips themselves; where you can"
    " use them, do, and give them to data_prep.convert with the same csv as --list."
)

# By then it is not the videos: the network is down, or the site wants no more of us.
_MOST_FAILURES_IN_A_ROW = 20
_MOST_LISTED = 10


@dataclasses.dataclass(frozen=True)
class Download:
    """What a download has come to, over all its runs.

    Attributes:
      present: number of clips that are there.
      gone: one for each segment that does not exist any more.
      failed: one for each segment that failed in this run and may not in another.
    """

    present: int
    gone: tuple[Outcome, ...]
    failed: tuple[Outcome, ...]


def download(config: KineticsConfig) -> Download:
    """Downloads the segments that are not there yet and not known to be gone.

    Args:
      config: what, how, and where to.

    Raises:
      ValueError: the csv cannot be used, a program is missing, or another download is
        writing to the folder.
      OSError: the disk is full, or nothing goes well any more.
      KeyboardInterrupt: by Ctrl-C or SIGTERM; only whole clips are left.
    """
    config = _with_programs(config)
    segments = read_segments(config.csv_path, config.split, config.limit)
    print(NOTICE)
    with _work_dir(config.output_dir) as work_dir:
        to_do, gone = _left_to_do(segments, config.output_dir)
        failed: list[Outcome] = []
        with (
            Progress(
                "downloading",
                total=len(segments),
                already_done=len(segments) - len(to_do),
                refused_word="gone or failed",
            ) as progress,
            gone_report(config.output_dir) as report,
            contextlib.closing(_outcomes(to_do, config, work_dir)) as outcomes,
        ):
            for outcome in outcomes:
                progress.advance(refused=bool(outcome.reason))
                if outcome.is_gone:
                    report(outcome)
                    gone.append(outcome)
                elif outcome.reason:
                    failed.append(outcome)
        write_failed(failed, config.output_dir)
    there = len(segments) - len(gone) - len(failed)
    return Download(there, tuple(gone), tuple(failed))


def summary(result: Download, config: KineticsConfig) -> Iterator[str]:
    """Yields the closing lines for the user."""
    total = result.present + len(result.gone) + len(result.failed)
    yield f"clips:   {result.present} of {total} are in {config.output_dir}"
    if result.gone:
        share = 100 * len(result.gone) / total
        path = os.path.join(config.output_dir, GONE_NAME)
        yield f"gone:    {len(result.gone)} ({share:.1f}%), listed in {path}"
        reasons = collections.Counter(outcome.reason for outcome in result.gone)
        for reason, count in reasons.most_common():
            yield f"  {count:>7} {reason}"
    if result.failed:
        path = os.path.join(config.output_dir, FAILED_NAME)
        yield f"failed:  {len(result.failed)}, listed in {path}"
        for outcome in result.failed[:_MOST_LISTED]:
            yield f"  {outcome.segment.youtube_id}: {outcome.reason}"
        if len(result.failed) > _MOST_LISTED:
            yield f"  ... and {len(result.failed) - _MOST_LISTED} more"
    if result.present:
        yield (
            f"Next: python -m data_prep.convert --videos={config.output_dir}"
            f" --list={config.csv_path} --output_dir=DATA"
        )


def _left_to_do(
    segments: Sequence[Segment], output_dir: str
) -> tuple[list[Segment], list[Outcome]]:
    """Returns the segments to fetch, and those that are known to be gone."""
    known = known_as_gone(output_dir)
    gone, to_do = [], []
    for segment in segments:
        if os.path.exists(os.path.join(output_dir, segment.path)):
            continue
        if reason := known.get((segment.youtube_id, segment.start_secs)):
            gone.append(Outcome(segment, reason, is_gone=True))
        else:
            to_do.append(segment)
    if len(to_do) < len(segments):
        present = len(segments) - len(gone) - len(to_do)
        print(
            f"Going on: {present} of {len(segments)} clips are there, {len(gone)} are"
            f" gone by {GONE_NAME} (remove it to try them again)."
        )
    return to_do, gone


def _outcomes(
    segments: Sequence[Segment], config: KineticsConfig, work_dir: str
) -> Generator[Outcome, None, None]:
    """Yields what became of the segments, in the order they get ready."""
    children = ChildProcesses()
    failures_in_a_row = 0
    waiting = iter(segments)
    with (
        _sigterm_interrupts(),
        concurrent.futures.ThreadPoolExecutor(config.num_parallel) as pool,
    ):

        def start(count: int) -> set[concurrent.futures.Future[Outcome]]:
            chosen = itertools.islice(waiting, count)
            return {
                pool.submit(_try_to_fetch, segment, config, work_dir, children)
                for segment in chosen
            }

        try:
            running = start(config.num_parallel)
            while running:
                done, running = concurrent.futures.wait(
                    running, return_when=concurrent.futures.FIRST_COMPLETED
                )
                for future in done:
                    outcome = future.result()
                    has_failed = outcome.reason and not outcome.is_gone
                    failures_in_a_row = failures_in_a_row + 1 if has_failed else 0
                    if failures_in_a_row >= _MOST_FAILURES_IN_A_ROW:
                        raise OSError(_advice(outcome))
                    yield outcome
                    running |= start(1)
        finally:
            children.stop()  # Else the pool would wait for the end of downloads.


def _try_to_fetch(
    segment: Segment, config: KineticsConfig, work_dir: str, children: ChildProcesses
) -> Outcome:
    reason = ""
    for number in range(config.num_tries):
        if number:
            children.sleep(config.retry_secs * 2 ** (number - 1))
        try:
            fetch_segment(segment, config, work_dir, children)
            return Outcome(segment)
        except GoneVideo as error:
            return Outcome(segment, error.reason, is_gone=True)
        except PassingError as error:
            reason = str(error)
    return Outcome(segment, reason)


def _advice(outcome: Outcome) -> str:
    return (
        f"{_MOST_FAILURES_IN_A_ROW} videos in a row could not be downloaded; the last,"
        f" {outcome.segment.youtube_id}: {outcome.reason}. Clips are kept; look to the"
        " network, update yt-dlp, wait an hour if the site limits this address (or give"
        " --yt_dlp_option=--cookies=FILE), and run the same command again."
    )


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
            raise ValueError(
                f"The program {program!r} is missing; {remedy}, or say where it is:"
                f" --{flag}=PATH."
            )
        paths[flag] = os.path.abspath(path)
    return dataclasses.replace(config, **paths)


@contextlib.contextmanager
def _work_dir(output_dir: str) -> Iterator[str]:
    """A folder of unfinished files in the output, for this run alone."""
    path = os.path.join(output_dir, WORK_DIR)
    os.makedirs(path, exist_ok=True)
    with FolderLock(path, f"downloading to {output_dir!r}", "--output_dir"):
        _empty(path)  # Of what a killed run has left.
        try:
            yield path
        finally:
            _empty(path)


def _empty(work_dir: str) -> None:
    for entry in os.scandir(work_dir):
        if entry.is_dir():
            shutil.rmtree(entry.path, ignore_errors=True)


@contextlib.contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Makes SIGTERM end the run like Ctrl-C, which takes the programs with it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
