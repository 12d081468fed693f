"""Finds the videos of a folder without a list, labeled by sub-folder."""

from __future__ import annotations

from data_prep.index.media_tree import MediaTree, check_name
from data_prep.index.video_row import FoundVideo
from vie_tf.storage.errors import UserError

# Singular, plural, and what is searched for.
_WORDS = {
    "videos": ("video", "videos", "files ending in"),
    "frames": ("folder of frames", "folders of frames", "folders with files ending in"),
    "images": ("picture", "pictures", "files ending in"),
}


def read_folder(tree: MediaTree) -> list[FoundVideo]:
    """Finds the videos of a folder, sorted by source.

    The label of a video is the first-level sub-folder that holds it, at any depth;
    videos (or folders of frames) directly in the root have none.

    Class folders of links label a collection without a copy.  A folder to which links
    lead in several ways counts once, which is printed.

    Raises:
      UserError: no video, videos both in the root and in sub-folders, a class folder
        without a video, or a name that is not UTF-8.
    """
    for source in tree.sources:
        check_name(source, tree.root)
    _check_frame_folders(tree)
    _check_layout(tree)
    tree.print_repeated()
    return [
        FoundVideo(
            path=tree.path(source),
            source=source,
            label=source.split("/")[0] if "/" in source else None,
        )
        for source in tree.sources
    ]


def _check_frame_folders(tree: MediaTree) -> None:
    if tree.media != "frames":
        return
    if "" in tree:
        raise UserError(
            f"The folder {tree.root!r} holds pictures itself; --media=frames takes one"
            " sub-folder of pictures per video, --media=images takes every picture as"
            " a video."
        )
    for source in tree.sources:
        parts = source.split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            if parent in tree:
                raise UserError(
                    f"In {tree.root!r}, both {parent!r} and {source!r} in it hold"
                    " pictures; a folder of frames must not lie in another."
                )


def _check_layout(tree: MediaTree) -> None:
    one, several, look = _WORDS[tree.media]
    if not tree.sources:
        hint = "; --media=frames takes extracted frames, --media=images pictures"
        raise UserError(
            f"There is no {one} in the folder {tree.root!r}; searched for {look}"
            f" {' '.join(sorted(tree.extensions))}"
            f"{hint if tree.media == 'videos' else ''}."
        )
    in_root = [source for source in tree.sources if "/" not in source]
    if len(in_root) == len(tree.sources):
        return
    if in_root:
        nested = next(source for source in tree.sources if "/" in source)
        raise UserError(
            f"The folder {tree.root!r} holds {len(in_root)} {several} itself (such as"
            f" {in_root[0]!r}) and {len(tree.sources) - len(in_root)} in sub-folders"
            f" (such as {nested!r}); put all of them into sub-folders, which become the"
            f" classes, or all into the folder itself, for {several} without labels."
        )
    classes = {source.split("/")[0] for source in tree.sources}
    empty = [name for name in tree.folders_in_root() if name not in classes]
    if empty:
        raise UserError(
            f"No {one} in the class folder{'s' if len(empty) > 1 else ''}"
            f" {', '.join(map(repr, empty))} of {tree.root!r}; put {several} in, or"
            " remove it."
        )
