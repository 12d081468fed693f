"""Writes the page of a collection: one HTML file and sheets of thumbnails beside it.

  index.html   the page with its script, its style and all its content
  stills/      a picture of every video, hundreds on a sheet
  strips/      a strip of frames of every video, a few on a sheet

The page loads nothing from elsewhere, so it can be opened from the disk, mailed, or put
on any web server.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import importlib.resources
import os
import sys

import jinja2
import markupsafe
from tqdm import tqdm

from vie_tf.drawing.thumbnails import ReadThumbnails
from vie_tf.explore import duplicates
from vie_tf.explore.collection import Collection
from vie_tf.explore.duplicates import Pair
from vie_tf.explore.page.content import as_json, content_of
from vie_tf.explore.pictures.sheets import REQUEST, SheetWriter
from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.printable import in_page

PAGE_NAME = "index.html"
MOST_VIDEOS = 5000
# Name of the mark in the head by which a server offers uploads, see `upload.js`.
UPLOAD_MARK = "vie-tf-upload"
_SCRIPTS = ("state", "map", "pointer", "panel", "upload", "page")
_MOST_CHECKED = 300  # pairs, whose frames are compared
_LOG_SECONDS = 20.0
_PARTS = ("stills", "strips", PAGE_NAME)


def write(
    collection: Collection,
    read: ReadThumbnails,
    folder: str,
    num_groups: int | None = None,
    check_frames: bool = True,
) -> tuple[str, dict[int, str]]:
    """Writes the page of a collection.

    Args:
      collection: at most 5,000 videos.
      read: reads thumbnails of the collection's videos.
      folder: folder of the page, made if it is missing.
      num_groups: number of groups; None for a number that suits the collection.
      check_frames: whether the frames of likely doubles are compared.

    Returns:
      The path of the page, and the reasons why videos have no picture, by position.

    Raises:
      UserError: there are too many videos, or the folder holds something else.
    """
    num_videos = len(collection.sources)
    if num_videos > MOST_VIDEOS:
        raise UserError(
            f"A page shows up to {MOST_VIDEOS} videos, and the index has {num_videos}:"
            " embed a part of them for it, or search the index from the command line."
        )
    _check_folder(folder)
    sheets = SheetWriter(folder, num_videos)
    with tqdm(
        total=num_videos,
        desc="drawing thumbnails",
        unit="video",
        mininterval=0.2 if sys.stderr.isatty() else _LOG_SECONDS,
    ) as bar:
        series = {}
        request = dataclasses.replace(REQUEST, with_series=check_frames)
        for video, thumbnails in read(range(num_videos), request):
            sheets.add(video, thumbnails)
            if thumbnails.series is not None:
                series[video] = thumbnails.series
            bar.update()
    if check_frames:
        pairs = duplicates.find_by_series(collection.vectors, series, _MOST_CHECKED)
    else:
        pairs = duplicates.candidates(collection.vectors)
    path = os.path.join(folder, PAGE_NAME)
    files.write_atomically(path, render(collection, pairs, sheets, num_groups))
    return path, sheets.faults


def render(
    collection: Collection,
    pairs: list[Pair],
    sheets: SheetWriter,
    num_groups: int | None = None,
) -> str:
    """Renders the page as HTML; see `content_of`."""
    package = importlib.resources.files("vie_tf.explore.page")
    style = (package / "explore.css").read_text("utf-8")
    script = "".join((package / f"{name}.js").read_text("utf-8") for name in _SCRIPTS)
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=in_page
    )
    template = environment.from_string((package / "explore.html").read_text("utf-8"))
    count = len(collection.sources)
    content = content_of(collection, pairs, sheets, num_groups)
    return template.render(
        title=collection.name,
        subtitle=f"{count:,} video{'s' * (count != 1)} · {collection.network}",
        count=count,
        style=markupsafe.Markup(style),
        style_hash=_hash(style),
        script=markupsafe.Markup(script),
        script_hash=_hash(script),
        content=markupsafe.Markup(as_json(content)),
    )


def _hash(text: str) -> str:
    """Returns the name of a text in a content security policy."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _check_folder(folder: str) -> None:
    others = set(files.names_in(folder)) - set(_PARTS)
    if others:
        raise UserError(
            f"--page={folder} holds other files, such as {min(others)!r}; give a new"
            " folder, or that of an earlier page."
        )
