"""Updates a folder of embeddings: rows are kept, added, and dropped.

New rows are appended to files in `.new_rows`, while the index stays as it was.  Then
all rows are written in their order into `.merged`, whose files replace those of the
folder.  A kill at any moment loses no row, and the next call goes on.
"""

from __future__ import annotations

import math
import os
import shutil
from typing import Any, Callable, Iterator, Mapping, Sequence

from vie_tf.search import parquet_table, search_space
from vie_tf.search.embedding_files import REFUSED_NAME, EmbeddingFiles
from vie_tf.search.embedding_index import (
    INDEX_NAME,
    MERGED,
    NEW_ROWS,
    PROGRESS_NAME,
    read_metadata,
)
from vie_tf.search.known_videos import Place
from vie_tf.search.video_source import ListedVideo, VideoSource
from vie_tf.storage import files
from vie_tf.storage.manifest import RefusedEntry

_BYTES_AT_ONCE = 2**26


def finish_merged(folder: str) -> None:
    """Moves merged files to their places, as far as a killed process has not."""
    merged = os.path.join(folder, MERGED)
    index = read_metadata(merged, INDEX_NAME)
    if index is not None:
        for name in (parquet_table.TABLE_NAME, *search_space.NAMES):
            files.remove(os.path.join(folder, name))
        # The index comes last: until then the folder is not complete.
        names = sorted(os.listdir(merged), key=lambda name: (name == INDEX_NAME, name))
        if not index["num_refused"]:
            files.remove(os.path.join(folder, REFUSED_NAME))
        for name in names:
            files.publish(os.path.join(merged, name), os.path.join(folder, name))
        files.remove(os.path.join(folder, PROGRESS_NAME))
        shutil.rmtree(os.path.join(folder, NEW_ROWS), ignore_errors=True)
    shutil.rmtree(merged, ignore_errors=True)


def is_in_order(files_of: EmbeddingFiles, places: Sequence[Place]) -> bool:
    """Whether a folder has the rows of these places, in their order, and no others."""
    rows = [place.row for place in places if place.row is not None]
    return len(places) == files_of.num_known and rows == list(range(len(rows)))


def merge(
    folder: str,
    open_files: Callable[[str], EmbeddingFiles],
    source: VideoSource,
    parts: Sequence[EmbeddingFiles],
    places: Sequence[Place],
    metadata: Mapping[str, Any],
) -> None:
    """Replaces the files of a folder by those with the rows of a source.

    Args:
      folder: folder of the embeddings.
      open_files: function that opens a new folder of the same kind.
      source: videos of the rows.
      parts: folders that have the rows.
      places: place of the rows of each video, by the number of its part.
      metadata: metadata for the index.

    Raises:
      UserError: no video has a row.
    """
    merged = open_files(os.path.join(folder, MERGED))
    cells = [part.clip_cells() for part in parts]
    of_video = [
        len(cells[number]) // max(part.progress.num_videos, 1)
        for number, part in enumerate(parts)
    ]
    row_bytes = sum(4 * math.prod(shape) for shape in merged.shapes.values())
    for first, count in _runs(places, max(of_video) * row_bytes):
        place, videos = places[first], source.videos[first : first + count]
        known = [one.video for one in places[first : first + count]]
        if place.row is None:
            for video, one in zip(videos, known):
                merged.refuse(RefusedEntry(video.source, one.reason), one)
            merged.end_block(0)
            continue
        part, each = parts[place.folder], of_video[place.folder]
        start = place.row * each
        values = {name: part.rows(name, start, count * each) for name in part.shapes}
        of_rows = cells[place.folder][start : start + count * each]
        merged.append(
            values,
            [
                [*row_of(videos[number // each]), *one]
                for number, one in enumerate(of_rows)
            ],
            known,
        )
        merged.end_block(count)
    merged.finish(metadata)
    finish_merged(folder)


def row_of(video: ListedVideo) -> list[Any]:
    """Returns the cells of videos.csv that do not belong to a clip."""
    return [video.id, video.source, video.label, video.split]


def _runs(places: Sequence[Place], row_bytes: int) -> Iterator[tuple[int, int]]:
    """Yields first and number of places that follow each other in one folder."""
    longest = max(_BYTES_AT_ONCE // max(row_bytes, 1), 1)
    first = 0
    for number in range(1, len(places) + 1):
        before = places[number - 1]
        follows = number < len(places) and (
            places[number].folder == before.folder
            and (places[number].row is None) == (before.row is None)
            and (before.row is None or places[number].row == before.row + 1)
        )
        if not follows or number - first == longest:
            yield first, number - first
            first = number
