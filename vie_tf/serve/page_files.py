"""The files of a page that a server shows: a fixed table, made when it starts.

Nothing else of the disk can be asked for, as a request is looked up and never joined to
a path.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from typing import Mapping, Sequence

from vie_tf.explore.page.write_page import PAGE_NAME, UPLOAD_MARK
from vie_tf.explore.pictures.sheets import STILLS, STRIPS
from vie_tf.search.embedding_index import INDEX_NAME
from vie_tf.storage import files
from vie_tf.storage.errors import UserError
from vie_tf.storage.printable import printable

_SHEET = re.compile(r"\d{4,}\.jpg")
_POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]*)"')
_CONTENT = re.compile(r'id="content">(.*?)</script>', re.DOTALL)
_HEAD = '<meta charset="utf-8">'


@dataclasses.dataclass(frozen=True)
class PageFiles:
    """A page, ready to be served.

    Attributes:
      html: page, with the mark by which it offers uploads.
      policy: content security policy of the page, for a header.
      sheets: paths of its pictures on the disk, by their addresses.
    """

    html: bytes
    policy: str
    sheets: Mapping[str, str]

    @classmethod
    def load(cls, folder: str, max_upload_bytes: int) -> PageFiles:
        """Reads the page in a folder.

        Args:
          folder: folder of the page.
          max_upload_bytes: largest upload, which the page says before one is sent.

        Raises:
          UserError: it is no page of vie-tf explore.
        """
        html = _read(folder)
        policy = _POLICY.search(html)
        if policy is None or _HEAD not in html:
            raise UserError(
                f"{os.path.join(folder, PAGE_NAME)!r} is not a page of vie-tf explore:"
                " give another --page."
            )
        mark = f'{_HEAD}\n<meta name="{UPLOAD_MARK}" content="{max_upload_bytes}">'
        sheets = {}
        for kind in (STILLS, STRIPS):
            with os.scandir(os.path.join(folder, kind.folder)) as entries:
                for entry in entries:
                    is_file = entry.is_file(follow_symlinks=False)
                    if is_file and _SHEET.fullmatch(entry.name):
                        sheets[f"/{kind.folder}/{entry.name}"] = entry.path
        return cls(
            html.replace(_HEAD, mark, 1).encode(),
            # A policy in the page cannot keep others from framing it.
            f"{policy[1].replace(' file:', '')}; frame-ancestors 'none'",
            sheets,
        )


def is_current(folder: str, index: str, sources: Sequence[str]) -> bool:
    """Tells whether the page in a folder is that of an index, and not older.

    Args:
      folder: folder of the page, which may be missing.
      index: folder of the index.
      sources: names of its videos.
    """
    path = os.path.join(folder, PAGE_NAME)
    if not os.path.isfile(path):
        return False
    index_time = os.path.getmtime(os.path.join(index, INDEX_NAME))
    if os.path.getmtime(path) < index_time:
        return False
    html = _read(folder)
    content = _CONTENT.search(html)
    if content is None or UPLOAD_MARK not in html:  # of an earlier version
        return False
    try:
        names = json.loads(content[1])["names"]
    except (ValueError, LookupError, TypeError):
        return False
    return bool(names == [printable(source) for source in sources])


def _read(folder: str) -> str:
    return files.read_bytes(os.path.join(folder, PAGE_NAME)).decode(errors="replace")
