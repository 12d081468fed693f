"""The reports of a download: what is gone for good, and what failed this time."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import os
from typing import Callable, Iterable, Iterator, Sequence

from data_prep.download_kinetics.segments import Segment

GONE_NAME = "gone.csv"
FAILED_NAME = "failed.csv"

_COLUMNS = ("youtube_id", "time_start", "label", "reason")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a segment.

    Attributes:
      segment: which.
      reason: why there is no clip; empty if there is one.
      is_gone: whether there never will be.
    """

    segment: Segment
    reason: str = ""
    is_gone: bool = False


def known_as_gone(output_dir: str) -> dict[tuple[str, int], str]:
    """Returns the reasons in the report of earlier runs, by id and start."""
    return {
        (row["youtube_id"], int(row["time_start"])): row["reason"]
        for row in _read_gone(output_dir)
    }


@contextlib.contextmanager
def gone_report(output_dir: str) -> Iterator[Callable[[Outcome], None]]:
    """Gives a function that adds a line to the report at once.

    So a run that is killed need not ask again.
    """
    rows = _read_gone(output_dir)
    path = os.path.join(output_dir, GONE_NAME)
    _write(path, ([row[name] for name in _COLUMNS] for row in rows))
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")

        def add(outcome: Outcome) -> None:
            writer.writerow(_row(outcome))
            file.flush()

        yield add


def write_failed(failed: Sequence[Outcome], output_dir: str) -> None:
    """Writes the list of what may go well another time; none if it is empty."""
    path = os.path.join(output_dir, FAILED_NAME)
    if failed:
        _write(path, map(_row, failed))
    else:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def _read_gone(output_dir: str) -> list[dict[str, str]]:
    """Returns the rows of the report; a line that a kill has cut off is not one."""
    path = os.path.join(output_dir, GONE_NAME)
    if not os.path.exists(path):
        return []
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        return [
            row
            for row in csv.DictReader(file)
            if all(row.get(name) is not None for name in _COLUMNS)
            and row["time_start"].isdecimal()
        ]


def _row(outcome: Outcome) -> list[object]:
    segment = outcome.segment
    return [segment.youtube_id, segment.start_secs, segment.label, outcome.reason]


def _write(path: str, rows: Iterable[Sequence[object]]) -> None:
    with open(f"{path}.tmp", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(rows)
    os.replace(f"{path}.tmp", path)
