"""A folder with all videos, frame folders or pictures in it, found in one walk.

The readers of lists look up their entries here, so that a list of 240,000 videos costs
one walk and no search per row.
"""

from __future__ import annotations

import collections
import functools
import os
from typing import Iterator

from vie_tf.storage.errors import UserError

VIDEO_EXTENSIONS = frozenset(
    ".3g2 .3gp .asf .avi .divx .f4v .flv .gif .m1v .m2ts .m2v .m4v .mjpeg .mjpg .mkv"
    " .mov .mp4 .mpe .mpeg .mpg .mts .mxf .ogg .ogv .qt .rm .rmvb .ts .vob .webm .wmv"
    " .y4m".split()
)
PICTURE_EXTENSIONS = frozenset(".bmp .jpeg .jpg .png .ppm .tif .tiff .webp".split())
# Made by operating systems; some cannot be read.
_SYSTEM_FOLDERS = frozenset(
    ("lost+found", "$RECYCLE.BIN", "System Volume Information", "@eaDir", "__MACOSX")
)


class MediaTree:
    """All possible videos in a folder and its sub-folders.

    A source is the path of a video relative to the folder, with `/` between the parts.
    Depending on `media`, a video is a file, a folder that directly holds pictures, or a
    picture.

    Attributes:
      root: absolute path of the folder.
      media: one of `data_prep.config.MEDIA`.
      extensions: extensions of the files of this medium, in lower case.
      sources: sources of all videos, sorted.  If `root` itself directly holds pictures,
        its source is empty.
    """

    def __init__(self, root: str, media: str, *, links_may_leave: bool = True) -> None:
        """Walks through a folder.

        Hidden files and folders are skipped.  Links are followed, but not in circles.

        Args:
          root: folder.
          media: see the class.
          links_may_leave: whether links to places outside of `root` are followed.

        Raises:
          UserError: the folder does not exist or cannot be read.
        """
        if not os.path.isdir(root):
            what = "is a file" if os.path.exists(root) else "does not exist"
            raise UserError(
                f"The folder of videos {root!r} {what}; give a folder with videos in"
                " it, or with one sub-folder of videos per class."
            )
        self.root = os.path.abspath(root)
        self.media = media
        self._real_root = os.path.realpath(root)
        self._links_may_leave = links_may_leave
        self._real_folders: dict[str, str] = {}
        self.extensions = VIDEO_EXTENSIONS if media == "videos" else PICTURE_EXTENSIONS
        try:
            found = sorted(self._walk(self.root, "", parents=(self._real_root,)))
        except OSError as error:
            raise UserError(
                f"The folder {error.filename!r} cannot be read ({error.strerror});"
                " change its permissions, or move it elsewhere."
            ) from error
        self.sources = tuple(found)
        self._known = frozenset(self.sources)

    def __contains__(self, source: str) -> bool:
        return source in self._known

    def path(self, source: str) -> str:
        """Returns the absolute path of a source, which may be missing."""
        return os.path.join(self.root, source)

    def completions(self, source: str) -> list[str]:
        """Returns the videos that a source without an extension can mean."""
        return self._by_stem.get(source, [])

    def named(self, name: str) -> list[str]:
        """Returns the videos of a name, in any folder.

        Args:
          name: file name without the extension, or name of a folder of pictures.
        """
        return self._by_name.get(name, [])

    def named_in_any_case(self, name: str) -> list[str]:
        """Returns the videos of a name in upper or lower case, in any folder."""
        return self._by_folded_name.get(name.casefold(), [])

    def folders_in_root(self) -> list[str]:
        """Returns the names of the first-level sub-folders that the walk visits."""
        with os.scandir(self.root) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.is_dir()
                and not entry.name.startswith(".")
                and entry.name not in _SYSTEM_FOLDERS
            )

    def is_medium(self, name: str) -> bool:
        """Tells whether a file of this name is a video or picture, by its extension."""
        return (
            self.media != "frames"
            and os.path.splitext(name)[1].lower() in self.extensions
        )

    def leads_outside(self, source: str) -> bool:
        """Tells whether a path in the root leads outside of it through links."""
        folder, _, name = source.rpartition("/")
        if folder not in self._real_folders:
            self._real_folders[folder] = os.path.realpath(self.path(folder))
        real = os.path.join(self._real_folders[folder], name)
        if os.path.islink(real):
            real = os.path.realpath(real)
        return not self._is_inside(real)

    @functools.cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        return _grouped((self._stem(source), source) for source in self.sources)

    @functools.cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return _grouped(
            (self._stem(source).rpartition("/")[2], source) for source in self.sources
        )

    @functools.cached_property
    def _by_folded_name(self) -> dict[str, list[str]]:
        return _grouped(
            (name.casefold(), source)
            for name, sources in self._by_name.items()
            for source in sources
        )

    def _stem(self, source: str) -> str:
        """Returns a source without its extension."""
        return source if self.media == "frames" else source.rpartition(".")[0]

    def _is_inside(self, real: str) -> bool:
        return os.path.commonpath([self._real_root, real]) == self._real_root

    def _walk(
        self, folder: str, prefix: str, parents: tuple[str, ...]
    ) -> Iterator[str]:
        """Yields the sources in a folder."""
        holds_pictures = False
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                real = os.path.join(parents[-1], entry.name)
                if entry.is_symlink():
                    real = os.path.realpath(real)
                    if not self._links_may_leave and not self._is_inside(real):
                        continue
                source = prefix + entry.name
                if entry.is_dir():
                    if real not in parents and entry.name not in _SYSTEM_FOLDERS:
                        below = (*parents, real)
                        yield from self._walk(entry.path, f"{source}/", below)
                elif os.path.splitext(entry.name)[1].lower() in self.extensions:
                    if self.media != "frames":
                        yield source
                    holds_pictures = True
        if holds_pictures and self.media == "frames":
            yield prefix[:-1]


def check_name(source: str, root: str) -> None:
    """Raises UserError if a name is not valid UTF-8."""
    try:
        source.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"The file name {source!r} in {root!r} is not valid UTF-8; rename it."
        ) from None


def _grouped(pairs: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = collections.defaultdict(list)
    for key, source in pairs:
        groups[key].append(source)
    return dict(groups)
