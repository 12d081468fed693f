"""Answers uploaded videos: decoded, embedded and looked up in an index.

It runs in the process of `vie_tf.serve.query_worker`.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from typing import Any

from data_prep.config import DecodingConfig
from data_prep.index import file_content
from data_prep.thumbnails.read_file import read_file
from vie_tf.commands import queries
from vie_tf.config.serve import ServedConfig
from vie_tf.explore.answers import strip_of
from vie_tf.explore.gallery import Found, Gallery
from vie_tf.explore.pictures.sheets import REQUEST
from vie_tf.search import nearest_videos
from vie_tf.search.embedding_index import INDEX_NAME, EmbeddingIndex
from vie_tf.serve.query_worker import Answer, QueryRefused
from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import RefusedEntry

_PERCENT_UNITS = 100  # as on the page


def stamp_of(folder: str) -> str:
    """Returns what changes with an index."""
    content = files.read_bytes(os.path.join(folder, INDEX_NAME))
    return hashlib.sha256(content).hexdigest()


def load(served: ServedConfig, stamp: str, decoding: DecodingConfig) -> Answer:
    """Loads an index and its network.

    Args:
      served: index, and how it is searched.
      stamp: `stamp_of` the index when its page was made.
      decoding: limits of decoding.

    Returns:
      A function from the path of a video to what the page shows: a strip of its frames,
      the videos nearest to it by their numbers on the page, with percentiles in
      hundredths and time spans, and the seconds that it took.

    Raises:
      UserError: there is no such index, or not the run that made it, or the index has
        changed.
    """
    index = EmbeddingIndex.load(served.index)
    if stamp_of(served.index) != stamp:
        raise UserError(
            f"The index {served.index!r} has changed since its page was made: start"
            " vie-tf serve again."
        )
    gallery = Gallery(index, served.search_by)
    embedder = nearest_videos.embedder_of_index(
        index, served.model_dir, gallery.endpoint
    )
    assert gallery.percentiles  # They are computed now, not at the first query.
    # A row may be a clip; the page has videos.
    sources = dict.fromkeys(gallery.sources)
    video_of = {source: number for number, source in enumerate(sources)}

    def answer(path: str) -> dict[str, Any]:
        start = time.monotonic()
        check_content(path, embedder.takes_pictures)
        # What is decoded goes where the server removes it, even after a crash.
        tempfile.tempdir = os.path.dirname(path)
        ((_, features),) = queries.embedded(
            [path], gallery, index, lambda: embedder, decoding
        )
        if isinstance(features, RefusedEntry):
            raise QueryRefused(features.reason)
        found = gallery.nearest(gallery.directions(features), served.nearest)
        return {
            "strip": strip_of(read_file(path, REQUEST)),
            "found": [_describe(one, video_of[one.source]) for one in found],
            "secs": round(time.monotonic() - start, 2),
        }

    return answer


def check_content(path: str, takes_pictures: bool) -> None:
    """Refuses a file whose first bytes are not those of a video or a picture.

    The decoder would guess, and what it takes for a video may be a text.

    Args:
      path: file.
      takes_pictures: whether a picture is a query.

    Raises:
      QueryRefused: it is something else.
    """
    if file_content.holds("videos", path):
        return
    if not file_content.holds("images", path):
        raise QueryRefused("it is not a video")
    if not takes_pictures:
        raise QueryRefused(
            "it is a picture, and the network looks at several frames: give a video"
        )


def _describe(found: Found, video: int) -> dict[str, Any]:
    return {
        "video": video,
        "percentile": int(found.percentile * _PERCENT_UNITS),
        "span": found.span,
    }
