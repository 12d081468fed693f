"""Reports of a download: unavailable videos, failed downloads, and a summary."""

from __future__ import annotations

import collections
import contextlib
import csv
import dataclasses
import os
from typing import Callable, Iterable, Iterator, Sequence

from data_prep.config import KineticsConfig
from data_prep.download_kinetics.segments import Segment
from vie_tf.storage.printable import csv_text, text_of_cell
from vie_tf.terminal import next_step

UNAVAILABLE_NAME = "gone.csv"
FAILED_NAME = "failed.csv"

_COLUMNS = ("youtube_id", "time_start", "label", "reason")
_MOST_LISTED = 10


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Result of the download of a segment.

    Attributes:
      segment: the segment.
      reason: reason why there is no clip; empty if there is one.
      is_unavailable: whether there will never be one.
    """

    segment: Segment
    reason: str = ""
    is_unavailable: bool = False


@dataclasses.dataclass(frozen=True)
class Download:
    """Result of a download, over all its runs.

    Attributes:
      present: number of clips in the folder.
      unavailable: segments that no longer exist.
      failed: segments that failed in this run and may succeed in another.
    """

    present: int
    unavailable: tuple[Outcome, ...]
    failed: tuple[Outcome, ...]


def summary(result: Download, config: KineticsConfig) -> Iterator[str]:
    """Yields the lines of a summary."""
    total = result.present + len(result.unavailable) + len(result.failed)
    yield f"clips:       {result.present} of {total} are in {config.output_dir}"
    if result.unavailable:
        percent = 100 * len(result.unavailable) / total
        path = os.path.join(config.output_dir, UNAVAILABLE_NAME)
        count = len(result.unavailable)
        yield f"unavailable: {count} ({percent:.1f}%), listed in {path}"
        reasons = collections.Counter(outcome.reason for outcome in result.unavailable)
        for reason, count in reasons.most_common():
            yield f"  {count:>7} {reason}"
    if result.failed:
        path = os.path.join(config.output_dir, FAILED_NAME)
        yield f"failed:      {len(result.failed)}, listed in {path}"
        for outcome in result.failed[:_MOST_LISTED]:
            yield f"  {outcome.segment.youtube_id}: {outcome.reason}"
        if len(result.failed) > _MOST_LISTED:
            yield f"  ... and {len(result.failed) - _MOST_LISTED} more"
    if result.present:
        yield next_step.line(
            "convert",
            f"--videos={config.output_dir}",
            f"--list={config.csv_path}",
            "--output_dir=DATA",
        )


def read_unavailable(output_dir: str) -> dict[tuple[str, int], str]:
    """Returns the reasons in the report of earlier runs, by id and start."""
    return {
        (row["youtube_id"], int(row["time_start"])): row["reason"]
        for row in _read_rows(output_dir)
    }


@contextlib.contextmanager
def unavailable_report(output_dir: str) -> Iterator[Callable[[Outcome], None]]:
    """Gives a function that adds a line to the report at once, even before a kill."""
    rows = _read_rows(output_dir)
    path = os.path.join(output_dir, UNAVAILABLE_NAME)
    _write(path, ([row[name] for name in _COLUMNS] for row in rows))
    with open(path, "a", newline="", encoding="utf-8") as file:

        def add(outcome: Outcome) -> None:
            file.write(csv_text([_row(outcome)]))
            file.flush()

        yield add


def write_failed(failed: Sequence[Outcome], output_dir: str) -> None:
    """Writes the list of failed downloads, or removes it if there are none."""
    path = os.path.join(output_dir, FAILED_NAME)
    if failed:
        _write(path, map(_row, failed))
    else:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def _read_rows(output_dir: str) -> list[dict[str, str]]:
    """Returns the rows of the report without a line that a kill has cut off."""
    path = os.path.join(output_dir, UNAVAILABLE_NAME)
    if not os.path.exists(path):
        return []
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        return [
            {name: text_of_cell(row[name]) for name in _COLUMNS}
            for row in csv.DictReader(file)
            if all(row.get(name) is not None for name in _COLUMNS)
            and row["time_start"].isdecimal()
        ]


def _row(outcome: Outcome) -> list[object]:
    segment = outcome.segment
    return [segment.youtube_id, segment.start_secs, segment.label, outcome.reason]


def _write(path: str, rows: Iterable[Sequence[object]]) -> None:
    with open(f"{path}.tmp", "w", newline="", encoding="utf-8") as file:
        file.write(csv_text([_COLUMNS, *rows]))
    os.replace(f"{path}.tmp", path)
