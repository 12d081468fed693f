"""Reads a csv file of paths, with labels, splits and segments if it has them."""

from __future__ import annotations

from data_prep.index.lists import csv_header, csv_table
from data_prep.index.lists.csv_table import TableRow
from data_prep.index.lists.list_entry import (
    Segment,
    check_entries,
    make_entry,
    parse_segment,
    parse_split,
)
from data_prep.index.lists.listed_paths import ListedPaths
from data_prep.index.media_tree import MediaTree
from data_prep.index.video_row import FoundVideo
from vie_tf.storage.errors import UserError


def read_csv(list_path: str, tree: MediaTree) -> list[FoundVideo]:
    """Finds the videos that a csv file names, sorted by source.

    The column `video` is a path, see `ListedPaths`;
    `label`, `split`, `start` and `end` (seconds or h:m:s) are optional.  Columns may
    have other names, see `csv_table.ALIASES`.

    Args:
      list_path: csv file, see `csv_table.read_table`.
      tree: tree of the root.

    Raises:
      UserError: the list cannot be used; names the row that is wrong.
    """
    paths = ListedPaths(tree)
    table = csv_table.read_table(list_path, paths)
    if csv_header.VIDEO not in table.columns:
        raise UserError(
            f"The list {list_path!r} has youtube ids but no column of paths; add a"
            f" column {csv_header.VIDEO!r}, or give --list_format=kinetics."
        )
    table.check_labels(table.rows)
    entries = [
        make_entry(
            row.place,
            tree,
            paths.source(row.place, row[csv_header.VIDEO]),
            label=row[csv_header.LABEL] or None,
            split=parse_split(row.place, row[csv_header.SPLIT]),
            segment=_segment(row, tree),
        )
        for row in table.rows
    ]
    return check_entries(entries, list_path, tree.root)


def _segment(row: TableRow, tree: MediaTree) -> Segment:
    start, end = row[csv_header.START], row[csv_header.END]
    if tree.media == "images" and (start or end):
        raise UserError(
            f"{row.place}: a picture has no start and no end; leave them out."
        )
    return parse_segment(row.place, start, end)
