"""A folder of videos -> rows: id, path, source, label, split.

The first step of the data path; `decode_frames` is the next one.  A reader
(`read_folder` here) finds the videos, `make_rows` gives them ids and splits.  This
is the only place where an id is given.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import os
from typing import Iterable

from vie_tf import records

VIDEO_EXTENSIONS = frozenset(
    ".3g2 .3gp .asf .avi .divx .f4v .flv .gif .m1v .m2ts .m2v .m4v .mjpeg .mjpg .mkv"
    " .mov .mp4 .mpe .mpeg .mpg .mts .mxf .ogg .ogv .qt .rm .rmvb .ts .vob .webm .wmv"
    " .y4m".split()
)


@dataclasses.dataclass(frozen=True)
class FoundVideo:
    """What a reader knows of a video.

    Attributes:
      path: absolute path, to open it.
      source: path relative to the root with `/` between the parts; names the video
        in messages, in the records and in the manifest.
      label: name of its class, or None.
    """

    path: str
    source: str
    label: str | None


@dataclasses.dataclass(frozen=True)
class Row(FoundVideo):
    """A video that has its place in the data set.

    Attributes:
      id: unique, 0 .. number of videos - 1, in an order that mixes the classes.
      split: `train` or `val`.
    """

    id: int
    split: str


def index_folder(root: str, *, val_fraction: float, seed: int) -> tuple[Row, ...]:
    """Returns the rows of a folder of videos, sorted by source.

    Args:
      root: folder; videos lie either in one sub-folder per class (at any depth
        below it) or all directly in it, without labels.
      val_fraction: see `make_rows`.
      seed: see `make_rows`.

    Raises:
      ValueError: `root` cannot be read as a data set; says how to mend it.
    """
    return make_rows(read_folder(root), val_fraction=val_fraction, seed=seed)


def read_folder(root: str) -> list[FoundVideo]:
    """Finds the videos of a folder, sorted by source.

    Hidden files and folders are skipped.  Links are followed, out of the root too:
    making class folders out of links is how a collection is labelled without a
    copy, and whoever gives the folder has made the links.  (A path that is read
    from a file is another matter.)  A folder that links back to one it lies in is
    skipped.

    Args:
      root: folder, see `index_folder`.

    Raises:
      ValueError: no such folder, no video, videos both in the root and in
        sub-folders, a class folder without a video, or a name that is not UTF-8.
    """
    if not os.path.isdir(root):
        what = "is a file" if os.path.exists(root) else "does not exist"
        raise ValueError(
            f"The folder of videos {root!r} {what}; give a folder with videos in it,"
            " or with one sub-folder of videos per class."
        )
    root = os.path.abspath(root)
    sources = sorted(_walk(root, prefix="", parents=()))
    _check_layout(root, sources)
    return [
        FoundVideo(
            path=os.path.join(root, *source.split("/")),
            source=source,
            label=source.split("/")[0] if "/" in source else None,
        )
        for source in sources
    ]


def make_rows(
    videos: Iterable[FoundVideo], *, val_fraction: float, seed: int
) -> tuple[Row, ...]:
    """Gives every video its id and its split.

    Both follow from a hash of (seed, source): neither depends on the order in which
    the videos were listed, and the ids do not depend on `val_fraction`.  The split
    is made within each class (over all videos where there are no labels); a class
    of two or more videos has at least one on each side, a class of one is trained
    on.

    Args:
      videos: as found by a reader, each source once.
      val_fraction: share of each class that is validated on, in [0, 1).
      seed: another seed gives another split and other ids.

    Returns:
      The rows, sorted by source.
    """
    videos = sorted(videos, key=lambda video: video.source)
    by_class: dict[str | None, list[str]] = collections.defaultdict(list)
    for video in videos:
        by_class[video.label].append(video.source)
    held_out: set[str] = set()
    for sources in by_class.values():
        count = _num_val(len(sources), val_fraction)
        held_out.update(_shuffled(sources, f"split {seed}")[:count])
    order = _shuffled([video.source for video in videos], f"id {seed}")
    ids = {source: number for number, source in enumerate(order)}
    return tuple(
        Row(
            path=video.path,
            source=video.source,
            label=video.label,
            id=ids[video.source],
            split=(
                records.VAL_SPLIT if video.source in held_out else records.TRAIN_SPLIT
            ),
        )
        for video in videos
    )


def _num_val(count: int, val_fraction: float) -> int:
    if val_fraction == 0 or count < 2:
        return 0
    return min(max(1, round(count * val_fraction)), count - 1)


def _shuffled(sources: Iterable[str], salt: str) -> list[str]:
    def key(source: str) -> tuple[bytes, str]:
        return hashlib.sha256(f"{salt} {source}".encode()).digest(), source

    return sorted(sources, key=key)


def _walk(folder: str, prefix: str, parents: tuple[str, ...]) -> Iterable[str]:
    """Yields the sources below `folder`; `parents` are the real paths above it."""
    real = os.path.realpath(folder)
    if real in parents:
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            source = prefix + entry.name
            if entry.is_dir():
                yield from _walk(entry.path, f"{source}/", (*parents, real))
            elif os.path.splitext(entry.name)[1].lower() in VIDEO_EXTENSIONS:
                yield source


def _check_layout(root: str, sources: list[str]) -> None:
    if not sources:
        raise ValueError(
            f"There is no video in the folder {root!r}; looked for files ending in"
            f" {' '.join(sorted(VIDEO_EXTENSIONS))}."
        )
    for source in sources:
        try:
            source.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"The file name {source!r} in {root!r} is not valid UTF-8; rename it."
            ) from None
    in_root = [source for source in sources if "/" not in source]
    if len(in_root) == len(sources):
        return
    if in_root:
        nested = next(source for source in sources if "/" in source)
        raise ValueError(
            f"The folder {root!r} holds {len(in_root)} videos itself (such as"
            f" {in_root[0]!r}) and {len(sources) - len(in_root)} in sub-folders (such"
            f" as {nested!r}); put all of them into sub-folders, which become the"
            " classes, or all into the folder itself, for videos without labels."
        )
    classes = {source.split("/")[0] for source in sources}
    empty = [
        name
        for name in sorted(os.listdir(root))
        if not name.startswith(".")
        and os.path.isdir(os.path.join(root, name))
        and name not in classes
    ]
    if empty:
        raise ValueError(
            f"No video in the class folder{'s' if len(empty) > 1 else ''}"
            f" {', '.join(map(repr, empty))} of {root!r}; put videos in, or remove it."
        )
