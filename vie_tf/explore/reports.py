"""What vie-tf explore writes: the page of a collection, and tables of it.

Every function returns the lines that say what was written.
"""

from __future__ import annotations

import os
from typing import Any, Iterable, Sequence

from vie_tf.config.explore import ExploreConfig
from vie_tf.drawing.thumbnails import ReadThumbnails
from vie_tf.explore import duplicates, outliers
from vie_tf.explore.collection import Collection
from vie_tf.explore.page import write_page as page
from vie_tf.storage import files
from vie_tf.storage.printable import csv_text, printable
from vie_tf.terminal.wording import counted


def write_page(
    collection: Collection, read: ReadThumbnails, outputs: ExploreConfig
) -> str:
    """Writes the page of a collection; see `page.write_page`."""
    num_groups = outputs.num_groups or None
    path, faults = page.write(
        collection, read, outputs.page or "", num_groups, outputs.check_frames
    )
    lines = [f"Wrote {path}: open it in a browser."]
    if faults:
        video, fault = min(faults.items())
        lines.append(
            f"{len(faults)} of {counted(len(collection.sources), 'video')}"
            f" {'has' if len(faults) == 1 else 'have'} no picture there,"
            f" such as {printable(collection.sources[video])}: {fault}. If videos have"
            " moved, give --videos=FOLDER."
        )
    return "\n".join(lines)


def write_duplicates(
    collection: Collection, read: ReadThumbnails, outputs: ExploreConfig
) -> str:
    """Writes a csv file with a row for every video that is there twice.

    Columns: number of the set of videos that are the same; video, label, split; `keep`,
    yes for one of each set; the video of the set that is closest to it; and the
    fraction of what moves in both that moves otherwise, empty if their frames were not
    compared.
    """
    pairs = duplicates.find(collection.vectors, read if outputs.check_frames else None)
    sets = duplicates.sets_of(pairs)
    doubles = [pair for pair in pairs if pair.is_double]
    rows = []
    for number, videos in enumerate(sets, 1):
        for video in videos:
            pair = next(p for p in doubles if video in (p.one, p.other))
            closest = pair.other if pair.one == video else pair.one
            difference = "" if pair.difference is None else f"{pair.difference:.3f}"
            keep = "yes" if video == videos[0] else "no"
            rows.append(
                [
                    *(number, *_names(collection, video), keep),
                    *(collection.sources[closest], difference),
                ]
            )
    head = "set video label split keep closest difference".split()
    _write_csv(outputs.duplicates or "", head, rows)
    num_checked = sum(pair.difference is not None for pair in pairs)
    checked = f"the frames of {num_checked} close pairs were compared"
    return (
        f"Wrote {outputs.duplicates}: {len(rows)} of"
        f" {counted(len(collection.sources), 'video')} in {counted(len(sets), 'set')}"
        " of the same video"
        f" ({checked if num_checked else 'by distance alone'})."
    )


def write_outliers(collection: Collection, outputs: ExploreConfig) -> str:
    """Writes a csv file of all videos, the oddest first.

    Columns: video, label, split; how much farther it is from the five videos nearest to
    it than is usual, in robust standard deviations; and whether that is beyond 3.5.
    """
    found = outliers.find(collection.vectors)
    rows = [
        [
            *_names(collection, video),
            round(float(found.scores[video]), 2),
            "yes" if found.is_outlier[video] else "no",
        ]
        for video in found.order.tolist()
    ]
    _write_csv(outputs.outliers or "", "video label split score outlier".split(), rows)
    return (
        f"Wrote {outputs.outliers}: {int(found.is_outlier.sum())} of"
        f" {counted(len(rows), 'video')} are outliers."
    )


def _names(collection: Collection, video: int) -> list[str]:
    source, label = collection.sources[video], collection.labels[video]
    return [source, label, collection.splits[video]]


def _write_csv(path: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    files.make_folder(os.path.dirname(os.path.abspath(path)))
    files.write_atomically(path, csv_text([head, *rows]))
