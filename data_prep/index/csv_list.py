"""A csv file of paths -> videos, with labels, splits and segments where it has them.

Comes in: the csv file and the tree of the folder that its paths start from.  Goes
out: the videos that `index_videos` gives ids.
"""

from __future__ import annotations

import posixpath
import re

from data_prep.index import listed, segment, table
from data_prep.index.found_video import FoundVideo
from data_prep.index.media_tree import MediaTree

_ABSOLUTE = re.compile(r"/|[A-Za-z]:/")


def read_csv(list_path: str, tree: MediaTree) -> list[FoundVideo]:
    """Finds the videos that a csv file names, sorted by source.

    Columns (see `table.ALIASES` for their other names): `video`, a path relative to
    the root, whose extension may be left out; `label`, `split`, `start` and `end`
    (seconds or h:m:s) are optional.

    Args:
      list_path: csv file, see `table.read_table`.
      tree: of the root, walked with `links_may_leave` off: whoever has written the
        list need not be who has made the links.

    Raises:
      ValueError: the list cannot be used, with the row that is wrong.
    """
    rows = table.read_table(list_path, lambda text: _names_video(text, tree))
    if table.VIDEO not in rows.columns:
        raise ValueError(
            f"The list {list_path!r} has youtube ids but no column of paths; add one"
            f" that is called {table.VIDEO!r}, or give --list_format=kinetics."
        )
    rows.check_labels(rows.rows)
    entries = []
    for place, row in zip(rows.places(), rows.rows):
        start_secs, end_secs = segment_of(place, row, tree)
        entries.append(
            listed.make_listed(
                place,
                tree,
                _source(place, row[table.VIDEO], tree),
                label=row[table.LABEL] or None,
                split=listed.split_of(place, row[table.SPLIT]),
                start_secs=start_secs,
                end_secs=end_secs,
            )
        )
    return listed.checked(entries, list_path, tree.root)


def segment_of(
    place: str, row: table.TableRow, tree: MediaTree
) -> tuple[float | None, float | None]:
    """Returns the segment of a row in seconds, None for an end of the video.

    Raises:
      ValueError: start or end is no time, they are in the wrong order, or there is
        nothing that could be cut.
    """
    start, end = row[table.START], row[table.END]
    if not start and not end:
        return None, None
    if tree.media == "images":
        raise ValueError(f"{place}: a picture has no start and no end; leave them out.")
    try:
        return segment.parse(start, end)
    except ValueError as error:
        raise ValueError(f"{place}: {error}.") from None


def _names_video(text: str, tree: MediaTree) -> bool:
    source = posixpath.normpath(text)
    return tree.is_medium(text) or source in tree or bool(tree.completions(source))


def _source(place: str, text: str, tree: MediaTree) -> str:
    """Returns the source that a path means, which need not be there."""
    if not text:
        raise ValueError(f"{place}: the path of the video is empty.")
    if text in tree:
        return text
    text = text.replace("\\", "/")  # Written on Windows.
    if _ABSOLUTE.match(text):
        raise ValueError(
            f"{place}: {text!r} is an absolute path; write it relative to --videos."
        )
    if ".." in text.split("/"):
        raise ValueError(
            f"{place}: {text!r} leads out of a folder by '..'; write the path relative"
            " to --videos, below which all videos must lie."
        )
    source = posixpath.normpath(text)
    if source == ".":
        raise ValueError(f"{place}: {text!r} is the folder --videos itself.")
    if source in tree:
        return source
    completions = tree.completions(source)
    if len(completions) > 1:
        raise ValueError(
            f"{place}: {source!r} may be {' or '.join(map(repr, completions))}; write"
            " the extension."
        )
    if completions:
        return completions[0]
    if tree.leads_outside(source):
        raise ValueError(
            f"{place}: {source!r} leads out of --videos through a link; give the folder"
            " that holds the files as --videos."
        )
    return source
