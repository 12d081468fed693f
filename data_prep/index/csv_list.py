"""Reads a csv file of paths, with labels, splits and segments if it has them."""

from __future__ import annotations

import posixpath
import re

from data_prep.index import csv_table
from data_prep.index.csv_table import TableRow
from data_prep.index.list_entry import (
    Segment,
    check_entries,
    make_entry,
    parse_segment,
    parse_split,
)
from data_prep.index.media_tree import MediaTree
from data_prep.index.video_row import FoundVideo
from vie_tf.storage.errors import UserError

_ABSOLUTE = re.compile(r"/|[A-Za-z]:/")


def read_csv(list_path: str, tree: MediaTree) -> list[FoundVideo]:
    """Finds the videos that a csv file names, sorted by source.

    The column `video` is a path relative to the root, whose extension may be left out;
    `label`, `split`, `start` and `end` (seconds or h:m:s) are optional.  Columns may
    have other names, see `csv_table.ALIASES`.

    Args:
      list_path: csv file, see `csv_table.read_table`.
      tree: tree of the root, walked with `links_may_leave` off, since the author of
        the list need not be the author of the links.

    Raises:
      UserError: the list cannot be used; names the row that is wrong.
    """
    table = csv_table.read_table(list_path, lambda text: _names_video(text, tree))
    if csv_table.VIDEO not in table.columns:
        raise UserError(
            f"The list {list_path!r} has youtube ids but no column of paths; add a"
            f" column {csv_table.VIDEO!r}, or give --list_format=kinetics."
        )
    table.check_labels(table.rows)
    entries = [
        make_entry(
            row.place,
            tree,
            _source(row.place, row[csv_table.VIDEO], tree),
            label=row[csv_table.LABEL] or None,
            split=parse_split(row.place, row[csv_table.SPLIT]),
            segment=_segment(row, tree),
        )
        for row in table.rows
    ]
    return check_entries(entries, list_path, tree.root)


def _segment(row: TableRow, tree: MediaTree) -> Segment:
    start, end = row[csv_table.START], row[csv_table.END]
    if tree.media == "images" and (start or end):
        raise UserError(
            f"{row.place}: a picture has no start and no end; leave them out."
        )
    return parse_segment(row.place, start, end)


def _names_video(text: str, tree: MediaTree) -> bool:
    source = posixpath.normpath(text)
    return tree.is_medium(text) or source in tree or bool(tree.completions(source))


def _source(place: str, text: str, tree: MediaTree) -> str:
    """Returns the source that a path means; the video may be missing."""
    if not text:
        raise UserError(f"{place}: the path of the video is empty.")
    if text in tree:
        return text
    text = text.replace("\\", "/")  # Written on Windows.
    if _ABSOLUTE.match(text):
        raise UserError(
            f"{place}: {text!r} is an absolute path; write it relative to --videos."
        )
    if ".." in text.split("/"):
        raise UserError(
            f"{place}: {text!r} leaves a folder by '..'; write the path relative to"
            " --videos, which must hold all videos."
        )
    source = posixpath.normpath(text)
    if source == ".":
        raise UserError(f"{place}: {text!r} is the folder --videos itself.")
    if source in tree:
        return source
    completions = tree.completions(source)
    if len(completions) > 1:
        raise UserError(
            f"{place}: {source!r} may be {' or '.join(map(repr, completions))}; write"
            " the extension."
        )
    if completions:
        return completions[0]
    if tree.leads_outside(source):
        raise UserError(
            f"{place}: {source!r} leaves --videos through a link; give the folder that"
            " holds the files as --videos."
        )
    return source
