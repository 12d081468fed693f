"""Paths as lists write them, and the videos that they mean."""

from __future__ import annotations

import os
import posixpath
import re

from data_prep.index.media_tree import MediaTree
from vie_tf.storage.errors import UserError

_DRIVE = re.compile(r"[A-Za-z]:/")


class ListedPaths:
    """Looks up the paths of a list in the folder of videos, which they cannot leave.

    A path is relative to the folder, or an absolute one that lies in it.  Its extension
    may be left out, and it may be written as on Windows.

    Attributes:
      tree: the folder of videos.
    """

    def __init__(self, tree: MediaTree) -> None:
        self.tree = tree

    def find(self, text: str) -> str | None:
        """Returns the source of the video that a text names; None if there is none."""
        if text in self.tree:
            return text
        source = self._relative(text)
        found = self.tree.meant_by(source) if source else []
        return found[0] if found else None

    def is_medium(self, text: str) -> bool:
        """Tells whether a text ends as the name of a video or picture does."""
        return self.tree.is_medium(text)

    def source(self, place: str, text: str) -> str:
        """Returns the source that a path means; the video may be missing.

        Args:
          place: place of the row, for messages.
          text: path as the list has it.

        Raises:
          UserError: the path leaves the folder, or may mean several videos.
        """
        if not text:
            raise UserError(f"{place}: the path of the video is empty.")
        if text in self.tree:
            return text
        shown = text.replace("\\", "/")  # Written on Windows.
        if ".." in shown.split("/"):
            raise UserError(
                f"{place}: {shown!r} leaves a folder by '..'; write the path relative"
                " to --videos, which must hold all videos."
            )
        source = self._relative(text)
        if source is None:
            raise UserError(
                f"{place}: {shown!r} is an absolute path that does not lie in --videos;"
                " give a folder that holds all videos, or write the path relative to"
                " it."
            )
        if source == ".":
            raise UserError(f"{place}: {text!r} is the folder --videos itself.")
        found = self.tree.meant_by(source)
        if len(found) > 1:
            raise UserError(
                f"{place}: {source!r} may be {' or '.join(map(ascii, found))}; write"
                " the extension, or rename one of them."
            )
        if found:
            return found[0]
        if self.tree.leads_outside(source):
            raise UserError(
                f"{place}: {source!r} leaves --videos through a hidden folder; give the"
                " folder that holds the files as --videos."
            )
        return self.tree.on_disk(source)

    def _relative(self, text: str) -> str | None:
        """Returns a path relative to the folder; None if it does not lie in it."""
        path = text.replace("\\", "/")
        if ".." in path.split("/") or _DRIVE.match(path):
            return None
        path = posixpath.normpath(path)
        if not posixpath.isabs(path):
            return path
        for root, below in (
            (self.tree.root, path),
            (self.tree.real_root, path),
            (self.tree.real_root, os.path.realpath(path)),
        ):
            if os.path.commonpath([root, below]) == root:
                return os.path.relpath(below, root)
        return None
