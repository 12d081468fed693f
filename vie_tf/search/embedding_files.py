"""Writing a folder of embeddings: arrays, the list of their videos, and an index.

  ENDPOINT.npy   a row for every video, or for every clip of every video; float32
  videos.csv     videos of the rows, in the same order
  refused.csv    videos that could not be read, with the reason
  index.json     settings and sizes; written once the rest is complete
  progress.json  the complete part, until then

Rows are appended, and counted in progress.json once they are on the disk.  After a kill
the files may have more rows, which the next process cuts off.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
import os
from typing import Any, Mapping, Sequence

import numpy as np

from vie_tf.search.embedding_index import (
    INDEX_NAME,
    PROGRESS_NAME,
    VIDEOS_NAME,
    read_metadata,
)
from vie_tf.storage import files, folder_lock
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import RefusedEntry
from vie_tf.storage.printable import cell

REFUSED_NAME = "refused.csv"

_VIDEO_COLUMNS = ("id", "source", "label", "split")
CLIP_COLUMNS = ("clip", "frames")
_NPY_HEADER_BYTES = 256  # room for any number of rows, at a multiple of 64


@dataclasses.dataclass
class Progress:
    """Complete part of a folder of embeddings.

    Attributes:
      made_from: everything that the content depends on.
      blocks: number of complete blocks.
      num_videos: number of videos that have rows.
      num_refused: number of videos that could not be read.
      num_rows: number of rows.
      sizes: bytes of the files, by name.
    """

    made_from: dict[str, Any]
    blocks: int = 0
    num_videos: int = 0
    num_refused: int = 0
    num_rows: int = 0
    sizes: dict[str, int] = dataclasses.field(default_factory=dict)


class EmbeddingFiles:
    """Appends to a new or unfinished folder of embeddings.

    Args:
      folder: folder of the files, made if it is missing.
      made_from: everything that the content depends on, for JSON.
      shapes: shapes of a row, by endpoint.
      has_clips: whether a row is a clip, not a video.

    Attributes:
      progress: complete part of the folder.
      is_complete: whether it holds all embeddings.

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
        self._folder, self._shapes = folder, shapes
        self._columns = _VIDEO_COLUMNS + (CLIP_COLUMNS if has_clips else ())
        # Through JSON, like the known ones.
        wanted: dict[str, Any] = json.loads(json.dumps(made_from))
        index = read_metadata(folder, INDEX_NAME)
        known = index or read_metadata(folder, PROGRESS_NAME)
        self._check(known, wanted)
        self.is_complete = index is not None
        if index is not None:
            counts = {name: index[name] for name in ("num_videos", "num_refused")}
            self.progress = Progress(wanted, **counts)
            self._clean_up()
        elif known is not None:
            self.progress = Progress(**known)
            self._cut_to_progress()
        else:
            self.progress = Progress(wanted)
            self._begin()

    def append(
        self, values: Mapping[str, np.ndarray], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Appends rows, which are counted by the next `end_block`.

        Args:
          values: features by endpoint, [rows, ...] float32.
          rows: rows of videos.csv, [rows].
        """
        for name, array in values.items():
            with open(self._path(f"{name}.npy"), "ab") as file:
                file.write(np.ascontiguousarray(array, "<f4").tobytes())
        self._append_csv(VIDEOS_NAME, rows)
        self.progress.num_rows += len(rows)

    def refuse(self, entry: RefusedEntry) -> None:
        """Appends a video that could not be read."""
        self._append_csv(REFUSED_NAME, [[cell(entry.source), cell(entry.reason)]])
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
            with open(self._path(REFUSED_NAME), encoding="utf-8", newline="") as file:
                _, first = list(csv.reader(file))[:2]
            os.remove(self._path(PROGRESS_NAME))  # so that the user can try again
            raise UserError(
                f"None of the {self.progress.num_refused} videos could be embedded"
                f" (such as {first[0]}: {first[1]}); all reasons are in"
                f" {self._path(REFUSED_NAME)}."
            )
        arrays = {}
        for name, shape in self._shapes.items():
            whole = (self.progress.num_rows, *shape)
            arrays[name] = {"file": f"{name}.npy", "shape": list(whole)}
            with open(self._path(f"{name}.npy"), "r+b") as file:
                file.write(npy_header(whole))
        names = [VIDEOS_NAME, *(f"{name}.npy" for name in self._shapes)]
        index = {
            **metadata,
            "arrays": arrays,
            "num_videos": self.progress.num_videos,
            "num_refused": self.progress.num_refused,
            "crc32c": {name: files.crc32c_of(self._path(name)) for name in names},
            "made_from": self.progress.made_from,
        }
        self._write_json(INDEX_NAME, index)
        self._clean_up()

    def _clean_up(self) -> None:
        """Removes files that a complete folder does not need."""
        names = [PROGRESS_NAME] + ([] if self.progress.num_refused else [REFUSED_NAME])
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._path(name))

    def _check(self, known: Mapping[str, Any] | None, made_from: Any) -> None:
        """Refuses a folder of other files, or of other embeddings."""
        if known is None:
            there = os.listdir(self._folder) if os.path.isdir(self._folder) else []
            arrays = {f"{name}.npy" for name in self._shapes}
            others = set(there) - {REFUSED_NAME, VIDEOS_NAME, folder_lock.NAME, *arrays}
            if others:
                raise UserError(
                    f"--output={self._folder} holds other files, such as"
                    f" {min(others)!r}; give a new folder."
                )
            return
        old = known["made_from"]
        changed = [
            name
            for name in sorted({**old, **made_from})
            if old.get(name) != made_from.get(name)
        ]
        if changed:
            raise UserError(
                f"--output={self._folder} holds embeddings with other"
                f" {', '.join(changed)}; give the same again, or a new folder."
            )

    def _begin(self) -> None:
        os.makedirs(self._folder, exist_ok=True)
        for name, shape in self._shapes.items():
            with open(self._path(f"{name}.npy"), "wb") as file:
                file.write(npy_header((0, *shape)))
        refused_columns = ("path", "reason")
        for name, columns in (
            (VIDEOS_NAME, self._columns),
            (REFUSED_NAME, refused_columns),
        ):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._path(name))
            self._append_csv(name, [columns])
        self._save_progress()

    def _cut_to_progress(self) -> None:
        for name, size in self.progress.sizes.items():
            if os.path.getsize(self._path(name)) < size:
                raise UserError(
                    f"{self._path(name)} is shorter than {PROGRESS_NAME} beside it"
                    " says; remove the folder and begin again."
                )
            os.truncate(self._path(name), size)

    def _save_progress(self) -> None:
        names = [VIDEOS_NAME, REFUSED_NAME, *(f"{name}.npy" for name in self._shapes)]
        for name in names:
            files.flush_to_disk(self._path(name))
            self.progress.sizes[name] = os.path.getsize(self._path(name))
        self._write_json(PROGRESS_NAME, dataclasses.asdict(self.progress))

    def _write_json(self, name: str, content: Mapping[str, Any]) -> None:
        text = json.dumps(content, indent=1) + "\n"
        files.write_atomically(self._path(name), text)

    def _append_csv(self, name: str, rows: Sequence[Sequence[Any]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        with open(self._path(name), "ab") as file:
            file.write(text.getvalue().encode())

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)


def npy_header(shape: Sequence[int]) -> bytes:
    """Returns the header of a .npy file of float32.

    It has the same length for any shape, so that the number of rows can be filled in at
    the end.
    """
    content = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    start = b"\x93NUMPY\x01\x00"
    length = _NPY_HEADER_BYTES - len(start) - 2
    padded = content.ljust(length - 1) + "\n"
    return start + length.to_bytes(2, "little") + padded.encode("latin1")
