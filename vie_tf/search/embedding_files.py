"""Writing a folder of embeddings: arrays, the list of their videos, and an index.

  ENDPOINT.npy   a row for every video, or for every clip of every video; float32
  videos.csv     videos of the rows, in the same order
  refused.csv    videos that could not be read, with the reason
  contents.csv   what every video was embedded from (`known_videos`)
  index.json     settings and sizes; written once the rest is complete
  progress.json  the complete part, until then

Rows are appended, and counted in progress.json once they are on the disk.  After a kill
the files may have more rows, which the next process cuts off.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from typing import Any, Mapping, Sequence

import numpy as np

from vie_tf.search import known_videos, stored_rows
from vie_tf.search.embedding_index import (
    CLIP_COLUMNS,
    INDEX_NAME,
    MERGED,
    NEW_ROWS,
    PROGRESS_NAME,
    VIDEO_COLUMNS,
    VIDEOS_NAME,
    read_metadata,
)
from vie_tf.search.embedding_progress import Progress
from vie_tf.search.known_videos import CONTENTS_NAME, KnownVideo
from vie_tf.storage import files, folder_lock, small_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import RefusedEntry
from vie_tf.storage.printable import cell, csv_text
from vie_tf.terminal.wording import counted

REFUSED_NAME = "refused.csv"

_REFUSED_COLUMNS = ("path", "reason")
_ADVICE = "Remove the folder, and give the command again."


class EmbeddingFiles:
    """Appends to a new or unfinished folder of embeddings.

    Args:
      folder: folder of the files, made if it is missing.
      made_from: everything that the content depends on, for JSON; `videos` may change.
      shapes: shapes of a row, by endpoint.
      has_clips: whether a row is a clip, not a video.

    Attributes:
      folder: folder of the files.
      shapes: shapes of a row, by endpoint.
      progress: complete part of the folder.
      is_complete: whether it holds all embeddings of `progress.made_from`.
      videos: its videos, in the order of the rows of those that have some.

    Raises:
      UserError: the folder holds something else.
    """

    def __init__(
        self,
        folder: str,
        made_from: Mapping[str, Any],
        shapes: Mapping[str, Sequence[int]],
        has_clips: bool,
    ) -> None:
        self.folder, self.shapes = folder, shapes
        self._columns = VIDEO_COLUMNS + (CLIP_COLUMNS if has_clips else ())
        # Through JSON, like the known ones.
        self._wanted: dict[str, Any] = json.loads(json.dumps(made_from))
        self._index = read_metadata(folder, INDEX_NAME)
        known = self._index or read_metadata(folder, PROGRESS_NAME)
        self._check(known)
        self.videos = known_videos.load(folder)
        if self._index is not None:
            counts = {n: self._index[n] for n in ("num_videos", "num_refused")}
            self.progress = Progress(self._index["made_from"], **counts)
            self._clean_up()
        elif known is not None:
            self.progress = Progress(**known)
            self._cut_to_progress()
        else:
            self.begin()

    @property
    def is_complete(self) -> bool:
        """Whether index.json exists, which is written last."""
        return self._index is not None

    @property
    def num_known(self) -> int:
        """Number of videos that were embedded or refused."""
        return self.progress.num_videos + self.progress.num_refused

    def damage(self) -> str:
        """Names a file of a complete folder that was damaged; empty if none was."""
        sums = self._index.get("crc32c", {}) if self._index is not None else {}
        for name in sorted(set(sums) - {CONTENTS_NAME}):
            path = self._path(name)
            if not os.path.isfile(path) or files.crc32c_of(path) != sums[name]:
                return name
        return ""

    @property
    def writes_contents(self) -> bool:
        """Whether the folder has a list of contents, unlike in an earlier version."""
        index = self._index if self._index is not None else {}
        return CONTENTS_NAME in {**index.get("crc32c", {}), **self.progress.sizes}

    def reasons(self) -> dict[str, str]:
        """Reads refused.csv: reasons by the names of videos."""
        path = self._path(REFUSED_NAME)
        if not os.path.exists(path):
            return {}
        return dict(small_files.read_csv(path, _REFUSED_COLUMNS, _ADVICE))

    def write_contents(self, videos: Sequence[KnownVideo]) -> None:
        """Replaces contents.csv."""
        files.write_atomically(
            self._path(CONTENTS_NAME), csv_text([known_videos.COLUMNS, *videos])
        )
        self.videos = list(videos)
        if self.is_complete:
            assert self._index is not None
            sums = self._index.setdefault("crc32c", {})
            sums[CONTENTS_NAME] = files.crc32c_of(self._path(CONTENTS_NAME))
            self._write_json(INDEX_NAME, self._index)
        else:
            self._save_progress()

    def rows(self, name: str, first: int, count: int) -> np.ndarray:
        """Reads rows of an endpoint, [count, ...] float32."""
        path = self._path(f"{name}.npy")
        return stored_rows.read(path, self.shapes[name], first, count)

    def clip_cells(self) -> list[list[str]]:
        """Reads the columns of videos.csv that belong to a clip, of all rows."""
        rows = small_files.read_csv(self._path(VIDEOS_NAME), self._columns, _ADVICE)
        return [row[len(VIDEO_COLUMNS) :] for row in rows]

    def append(
        self,
        values: Mapping[str, np.ndarray],
        rows: Sequence[Sequence[Any]],
        videos: Sequence[KnownVideo],
    ) -> None:
        """Appends rows, which are counted by the next `end_block`.

        Args:
          values: features by endpoint, [rows, ...] float32.
          rows: rows of videos.csv, [rows].
          videos: videos that the rows belong to.
        """
        for name, array in values.items():
            with open(self._path(f"{name}.npy"), "ab") as file:
                file.write(np.ascontiguousarray(array, "<f4").tobytes())
        self._append_csv(VIDEOS_NAME, rows)
        self._append_csv(CONTENTS_NAME, videos)
        self.videos += videos
        self.progress.num_rows += len(rows)

    def refuse(self, entry: RefusedEntry, video: KnownVideo) -> None:
        """Appends a video that could not be read."""
        refused = video._replace(path=cell(entry.source), reason=cell(entry.reason))
        self._append_csv(REFUSED_NAME, [[refused.path, refused.reason]])
        self._append_csv(CONTENTS_NAME, [refused])
        self.videos.append(refused)
        self.progress.num_refused += 1

    def end_block(self, num_videos: int) -> None:
        """Counts the rows since the last block, which belong to some more videos."""
        self.progress.blocks += 1
        self.progress.num_videos += num_videos
        self._save_progress()

    def finish(self, metadata: Mapping[str, Any]) -> None:
        """Writes the index, with metadata beside its own.

        Raises:
          UserError: no video could be embedded.
        """
        if not self.progress.num_videos:
            first = next(video for video in self.videos if video.reason)
            os.remove(self._path(PROGRESS_NAME))  # so that the user can try again
            raise UserError(
                "No video could be embedded:"
                f" {counted(self.progress.num_refused, 'video')} refused, such as"
                f" {first.path}: {first.reason}. All reasons are in"
                f" {self._path(REFUSED_NAME)}."
            )
        arrays = {}
        for name, shape in self.shapes.items():
            whole = (self.progress.num_rows, *shape)
            arrays[name] = {"file": f"{name}.npy", "shape": list(whole)}
            with open(self._path(f"{name}.npy"), "r+b") as file:
                file.write(stored_rows.header(whole))
        names = [VIDEOS_NAME, CONTENTS_NAME, *(f"{name}.npy" for name in self.shapes)]
        index = {
            **metadata,
            "arrays": arrays,
            "num_videos": self.progress.num_videos,
            "num_refused": self.progress.num_refused,
            "crc32c": {name: files.crc32c_of(self._path(name)) for name in names},
            "made_from": self._wanted,
        }
        self._write_json(INDEX_NAME, index)
        self._clean_up()

    def begin(self) -> None:
        """Makes the folder empty; what it held is embedded again."""
        os.makedirs(self.folder, exist_ok=True)
        for name in (INDEX_NAME, PROGRESS_NAME):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._path(name))
        self._index, self.videos = None, []
        self.progress = Progress(self._wanted)
        for name, shape in self.shapes.items():
            with open(self._path(f"{name}.npy"), "wb") as file:
                file.write(stored_rows.header((0, *shape)))
        for name, columns in (
            (VIDEOS_NAME, self._columns),
            (REFUSED_NAME, _REFUSED_COLUMNS),
            (CONTENTS_NAME, known_videos.COLUMNS),
        ):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._path(name))
            self._append_csv(name, [columns])
        self._save_progress()

    def _clean_up(self) -> None:
        """Removes files that a complete folder does not need."""
        names = [PROGRESS_NAME] + ([] if self.progress.num_refused else [REFUSED_NAME])
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._path(name))

    def _check(self, known: Mapping[str, Any] | None) -> None:
        """Refuses a folder of other files, or of other embeddings."""
        if known is None:
            there = os.listdir(self.folder) if os.path.isdir(self.folder) else []
            arrays = {f"{name}.npy" for name in self.shapes}
            own = {REFUSED_NAME, VIDEOS_NAME, CONTENTS_NAME, NEW_ROWS, MERGED}
            others = set(there) - {*own, folder_lock.NAME, *arrays}
            if others:
                raise UserError(
                    f"--output={self.folder} holds other files, such as"
                    f" {min(others)!r}; give a new folder."
                )
            return
        old, wanted = known["made_from"], self._wanted
        changed = [
            name
            for name in sorted({**old, **wanted})
            if old.get(name) != wanted.get(name) and name != "videos"
        ]
        if changed:
            raise UserError(
                f"--output={self.folder} holds embeddings with other"
                f" {', '.join(changed)}; give the same again, or a new folder."
            )

    def _cut_to_progress(self) -> None:
        """Leaves out what was not counted, or all where counted rows are missing."""
        for name, size in self.progress.sizes.items():
            path = self._path(name)
            if not os.path.exists(path) or os.path.getsize(path) < size:
                print(f"{path} is cut: all videos are embedded again.", flush=True)
                return self.begin()
            os.truncate(path, size)
        self.videos = known_videos.load(self.folder)

    def _save_progress(self) -> None:
        arrays = [f"{name}.npy" for name in self.shapes]
        for name in (VIDEOS_NAME, REFUSED_NAME, CONTENTS_NAME, *arrays):
            if not os.path.exists(self._path(name)):
                continue  # contents.csv, in a folder that an earlier version began
            files.flush_to_disk(self._path(name))
            self.progress.sizes[name] = os.path.getsize(self._path(name))
        self._write_json(PROGRESS_NAME, dataclasses.asdict(self.progress))

    def _write_json(self, name: str, content: Mapping[str, Any]) -> None:
        text = json.dumps(content, indent=1) + "\n"
        files.write_atomically(self._path(name), text)

    def _append_csv(self, name: str, rows: Sequence[Sequence[Any]]) -> None:
        with open(self._path(name), "ab") as file:
            file.write(csv_text(rows).encode())

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)
