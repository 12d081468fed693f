"""A folder with all videos, frame folders or pictures in it, found in one walk.

The readers of lists look up their entries here, so that a list of 240,000 videos costs
one walk and no search per row.
"""

from __future__ import annotations

import collections
import functools
import os
from typing import Iterator

from data_prep.index import file_content
from data_prep.index.folder_walk import is_folder, is_skipped, walk
from data_prep.index.labels import normalized
from vie_tf.storage.errors import UserError

VIDEO_EXTENSIONS = frozenset(
    ".264 .265 .3g2 .3gp .3gpp .apng .asf .avc .avi .dav .divx .dv .f4v .flv .gif .h264"
    " .h265 .hevc .insv .ivf .lrv .m1v .m2p .m2t .m2ts .m2v .m4v .mjpeg .mjpg .mkv .mod"
    " .mov .mp4 .mpe .mpeg .mpg .mts .mxf .nut .ogg .ogm .ogv .qt .rm .rmvb .tod .tp"
    " .trp .ts .vob .webm .wmv .wtv .y4m".split()
)
PICTURE_EXTENSIONS = frozenset(
    ".avif .bmp .heic .heif .jfif .jp2 .jpeg .jpg .pgm .png .ppm .tif .tiff .webp"
    "".split()
)


class MediaTree:
    """All possible videos in a folder and its sub-folders.

    A source is the path of a video relative to the folder, with `/` between the parts.
    Depending on `media`, a video is a file, a folder that directly holds pictures, or a
    picture.  Files of other endings are taken if their first bytes are those of a video
    (or picture).

    Links are followed, even out of the folder, since the user who made them could also
    have copied what they lead to.  Names are compared in NFC: on a disk of a Mac they
    may be in NFD.

    Attributes:
      root: absolute path of the folder.
      real_root: the same without links.
      media: one of `data_prep.config.MEDIA`.
      extensions: extensions of the files of this medium, in lower case.
      sources: sources of all videos, sorted.  If `root` itself directly holds pictures,
        its source is empty.
      repeated: sources of folders that were not entered, since links lead to them in
        several ways.
      left_out: files relative to the folder that are not of this medium, sorted; none
        for folders of frames.
    """

    def __init__(self, root: str, media: str) -> None:
        """Walks through a folder; see `folder_walk.walk` for what is skipped.

        Args:
          root: folder.
          media: see the class.

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
        self.real_root = os.path.realpath(root)
        self._real_folders: dict[str, str] = {}
        self._names: dict[str, dict[str, str]] = {}
        self.extensions = VIDEO_EXTENSIONS if media == "videos" else PICTURE_EXTENSIONS
        try:
            found = walk(self.root, self.extensions)
        except OSError as error:
            raise UserError(
                f"The folder {error.filename!r} cannot be read ({error.strerror});"
                " change its permissions, or move it elsewhere."
            ) from error
        files, others = found.files, []
        if media == "frames":
            files = sorted({source.rpartition("/")[0] for source in files})
        else:
            known = [source for source in found.others if self._holds_medium(source)]
            files = sorted([*files, *known])
            others = sorted(set(found.others) - set(known))
        self.sources = tuple(files)
        self.left_out = tuple(others)
        self.repeated = tuple(found.repeated)
        self._known = frozenset(self.sources)

    def __contains__(self, source: str) -> bool:
        return source in self._known

    def path(self, source: str) -> str:
        """Returns the absolute path of a source, which may be missing."""
        return os.path.join(self.root, source)

    def meant_by(self, source: str) -> list[str]:
        """Returns the videos that a source can mean, if it is written differently.

        Its letters may be composed in another way, and its extension be left out.
        """
        if source in self._known:
            return [source]
        same = self._by_source.get(normalized(source), [])
        if same:
            return same
        completed = self._by_stem.get(normalized(source), [])
        exact = [one for one in completed if self._stem(one) == source]
        return exact or completed

    def on_disk(self, source: str) -> str:
        """Returns the source of a file that the walk left out, as the disk spells it.

        A source that does not exist is returned as it is.
        """
        if source.isascii() or os.path.exists(self.path(source)):
            return source
        spelled = ""
        for part in source.split("/"):
            names = self._names_in(spelled)
            spelled = os.path.join(spelled, names.get(normalized(part), part))
        return spelled

    def _names_in(self, folder: str) -> dict[str, str]:
        """Names in a folder by what they are in NFC; none if there is no folder."""
        if folder not in self._names:
            try:
                names = os.listdir(self.path(folder))
            except OSError:
                names = []
            self._names[folder] = {normalized(name): name for name in names}
        return self._names[folder]

    def named(self, name: str) -> list[str]:
        """Returns the videos of a name, in any folder.

        Args:
          name: file name without the extension, or name of a folder of pictures.
        """
        return self._by_name.get(normalized(name), [])

    def named_in_any_case(self, name: str) -> list[str]:
        """Returns the videos of a name in upper or lower case, in any folder."""
        return self._by_folded_name.get(normalized(name).casefold(), [])

    def folders_in_root(self) -> list[str]:
        """Returns the names of the first-level sub-folders that the walk entered."""
        with os.scandir(self.root) as entries:
            return sorted(
                entry.name
                for entry in entries
                if is_folder(entry)
                and not is_skipped(entry.name)
                and entry.name not in self.repeated
            )

    def print_repeated(self) -> None:
        """Prints how many folders were not entered, if there are any."""
        if self.repeated:
            several = len(self.repeated) > 1
            print(
                f"Links lead to {len(self.repeated)} folder{'s' if several else ''}"
                f" that {'were' if several else 'was'} read already (such as"
                f" {self.repeated[0]!r}): each folder counts once."
            )

    def is_medium(self, name: str) -> bool:
        """Tells whether a file of this name is a video or picture, by its extension."""
        return (
            self.media != "frames"
            and os.path.splitext(name)[1].lower() in self.extensions
        )

    def leads_outside(self, source: str) -> bool:
        """Tells whether a source leads out of the root where the walk did not go.

        The walk follows links, but passes by hidden folders and those of the system.
        """
        folder, _, name = source.rpartition("/")
        if not any(map(is_skipped, source.split("/"))):
            return False
        if folder not in self._real_folders:
            self._real_folders[folder] = os.path.realpath(self.path(folder))
        real = os.path.realpath(os.path.join(self._real_folders[folder], name))
        return os.path.commonpath([self.real_root, real]) != self.real_root

    @functools.cached_property
    def _by_source(self) -> dict[str, list[str]]:
        return _grouped((normalized(source), source) for source in self.sources)

    @functools.cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        return _grouped(
            (normalized(self._stem(source)), source) for source in self.sources
        )

    @functools.cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return _grouped(
            (normalized(self._stem(source).rpartition("/")[2]), source)
            for source in self.sources
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
        return source if self.media == "frames" else os.path.splitext(source)[0]

    def _holds_medium(self, source: str) -> bool:
        """Tells whether the first bytes of a file are those of this medium."""
        path = self.path(source)
        return os.path.isfile(path) and file_content.holds(self.media, path)


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
