"""Fetches segments over several threads, with retries."""

from __future__ import annotations

import itertools
from concurrent import futures
from typing import Generator, Sequence

from data_prep.config import KineticsConfig
from data_prep.download_kinetics.fetch_segment import (
    TransientError,
    UnavailableVideo,
    fetch_segment,
)
from data_prep.download_kinetics.reports import Outcome
from data_prep.download_kinetics.segments import Segment
from data_prep.workers.child_processes import ChildProcesses
from vie_tf.storage.errors import UserError

# So many failures mean that the network is down, or that the site limits this address.
_MOST_FAILURES_IN_A_ROW = 20


def fetch_segments(
    segments: Sequence[Segment], config: KineticsConfig, work_dir: str
) -> Generator[Outcome, None, None]:
    """Yields the outcomes of the segments in the order of completion.

    Raises:
      UserError: the disk is full, or too many segments fail in a row.
      KeyboardInterrupt: by Ctrl-C, or SIGTERM where a command handles it.
    """
    children = ChildProcesses()
    failures_in_a_row = 0
    waiting = iter(segments)
    with futures.ThreadPoolExecutor(config.num_parallel) as pool:

        def start(count: int) -> set[futures.Future[Outcome]]:
            return {
                pool.submit(_fetch_with_retries, segment, config, work_dir, children)
                for segment in itertools.islice(waiting, count)
            }

        try:
            running = start(config.num_parallel)
            while running:
                done, running = futures.wait(
                    running, return_when=futures.FIRST_COMPLETED
                )
                for future in done:
                    outcome = future.result()
                    has_failed = outcome.reason and not outcome.is_unavailable
                    failures_in_a_row = failures_in_a_row + 1 if has_failed else 0
                    if failures_in_a_row >= _MOST_FAILURES_IN_A_ROW:
                        raise UserError(_advice(outcome))
                    yield outcome
                    running |= start(1)
        finally:
            children.stop()  # Else the pool would wait for the end of downloads.


def _fetch_with_retries(
    segment: Segment, config: KineticsConfig, work_dir: str, children: ChildProcesses
) -> Outcome:
    reason = ""
    for number in range(config.num_tries):
        if number:
            children.sleep(config.retry_secs * 2 ** (number - 1))
        try:
            fetch_segment(segment, config, work_dir, children)
            return Outcome(segment)
        except UnavailableVideo as error:
            return Outcome(segment, error.reason, is_unavailable=True)
        except TransientError as error:
            reason = str(error)
    return Outcome(segment, reason)


def _advice(outcome: Outcome) -> str:
    return (
        f"{_MOST_FAILURES_IN_A_ROW} videos in a row could not be downloaded; the last,"
        f" {outcome.segment.youtube_id}: {outcome.reason}. Clips are kept; check the"
        " network, update yt-dlp, wait an hour if the site limits this address (or give"
        " --yt_dlp_option=--cookies=FILE), and run the same command again."
    )
