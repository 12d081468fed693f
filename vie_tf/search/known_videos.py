"""The videos whose rows exist already, by their content: `contents.csv`.

It has a line for every video of a folder of embeddings: first what it was embedded
from, and where it was not embedded, the reason.  So a folder can be updated: rows of
videos with the same content are kept, whatever the files are called by now.
"""

from __future__ import annotations

import os
from typing import Iterable, NamedTuple, Sequence

from vie_tf.search.video_source import ListedVideo, VideoSource
from vie_tf.storage import small_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.printable import cell

CONTENTS_NAME = "contents.csv"
COLUMNS = ("content", "stamp", "path", "reason")


class KnownVideo(NamedTuple):
    """A video of a folder of embeddings; a line of contents.csv.

    Attributes:
      content: hash of what its frames depend on; empty if it is not known.
      stamp: stamp of the file, see `ListedVideo`; empty if the file was changing.
      path: name of the video, as csv files have it.
      reason: why it has no row; empty if it has one.
    """

    content: str
    stamp: str
    path: str
    reason: str = ""


class Place(NamedTuple):
    """Place of a video: number of the folder, and of its row; None if it was refused.

    Attributes:
      folder: number of the folder of embeddings.
      row: place among its videos that have rows.
      video: the video as the folder knows it.
    """

    folder: int
    row: int | None
    video: KnownVideo


def load(folder: str) -> list[KnownVideo]:
    """Reads contents.csv; it is empty if the file is missing or damaged."""
    path = os.path.join(folder, CONTENTS_NAME)
    try:
        return [KnownVideo(*row) for row in small_files.read_csv(path, COLUMNS, "")]
    except UserError:
        return []


def describe(source: VideoSource, positions: Sequence[int]) -> list[KnownVideo]:
    """Returns videos of a source with their contents, which reads all of them."""
    contents = source.contents(positions)
    stamps = source.stamps(positions)
    known = []
    for position, content, stamp in zip(positions, contents, stamps):
        video = source.videos[position]
        # A file that has changed meanwhile is read again by the next call.
        if stamp != video.stamp:
            content = stamp = ""
        known.append(KnownVideo(content, stamp, cell(video.source)))
    return known


class KnownVideos:
    """Finds videos in folders of embeddings.

    Args:
      folders: videos of each folder, in the order of their rows.
      with_refused: whether refused videos are found; else they are tried again.
    """

    def __init__(
        self, folders: Iterable[Sequence[KnownVideo]], with_refused: bool = True
    ) -> None:
        self._of_file: dict[tuple[str, str], Place] = {}
        self._of_content: dict[str, Place] = {}
        self._of_name: dict[str, Place] = {}
        for number, videos in enumerate(folders):
            row = 0
            for video in videos:
                place = Place(number, None if video.reason else row, video)
                row += not video.reason
                self._of_name[video.path] = place
                if video.reason and not with_refused:
                    continue
                if video.stamp:
                    self._of_file[video.path, video.stamp] = place
                if video.content:
                    self._of_content[video.content] = place
        self._first_words = {_first_word(stamp) for _, stamp in self._of_file}

    def named(self, video: ListedVideo) -> Place:
        """Returns the place of a video by its name alone."""
        return self._of_name[cell(video.source)]

    def find(self, source: VideoSource) -> list[Place | None]:
        """Returns the place of each video of a source, None for a new one.

        Reads the files that have another name or time than before, and the size of a
        known one.
        """
        places = [self._of_file.get(_file(video)) for video in source.videos]
        unknown = [
            position
            for position, place in enumerate(places)
            if place is None
            and _first_word(source.videos[position].stamp) in self._first_words
        ]
        for position, content in zip(unknown, source.contents(unknown)):
            place = self._of_content.get(content)
            if place is not None:
                video = source.videos[position]
                same = KnownVideo(
                    content, video.stamp, cell(video.source), place.video.reason
                )
                places[position] = place._replace(video=same)
        return places


def _file(video: ListedVideo) -> tuple[str, str]:
    return cell(video.source), video.stamp


def _first_word(stamp: str) -> str:
    return stamp.partition(" ")[0]
