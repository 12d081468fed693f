"""A folder of embeddings: arrays, the list of their videos, and how they were made.

  ENDPOINT.npy   a row for every video, or for every clip of every video; float32
  videos.csv     what the rows belong to, in the same order
  refused.csv    videos that could not be read, with the reason
  index.json     how all of it was made; there once the rest is complete
  progress.json  how far it has come, until then

Rows are appended, and counted in progress.json after they are on the disk.  A process
that is killed leaves rows behind the count, which the next one cuts off.
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

from vie_tf.storage import files, folder_lock
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import RefusedEntry

INDEX_NAME = "index.json"
VIDEOS_NAME = "videos.csv"
REFUSED_NAME = "refused.csv"
_PROGRESS_NAME = "progress.json"

_VIDEO_COLUMNS = ("id", "source", "label", "split")
CLIP_COLUMNS = ("clip", "frames")
_NPY_HEADER_BYTES = 256  # room for any number of rows, at a multiple of 64


@dataclasses.dataclass
class _Progress:
    """What is on the disk: `sizes` are of the files, in bytes, by name."""

    made_from: dict[str, Any]
    blocks: int
    num_videos: int
    num_refused: int
    num_rows: int
    sizes: dict[str, int]


class EmbeddingFiles:
    """Appends to a folder of embeddings, a new one or one that was left unfinished.

    Args:
      folder: made if it is missing.
      made_from: everything that the content depends on, for JSON.
      shapes: of a row of every endpoint.
      has_clips: whether rows are clips.

    Attributes:
      is_complete: whether there is nothing left to do.

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
        # As it is when it was written and read.
        wanted: dict[str, Any] = json.loads(json.dumps(made_from))
        index = _read_json(folder, INDEX_NAME)
        known = index or _read_json(folder, _PROGRESS_NAME)
        self._check(known, wanted)
        self.is_complete = index is not None
        if index is not None:
            counts = {name: index[name] for name in ("num_videos", "num_refused")}
            self._state = _Progress(wanted, 0, num_rows=0, sizes={}, **counts)
            self._clean_up()
        elif known is not None:
            self._state = _Progress(**known)
            self._cut_to_progress()
        else:
            self._state = _Progress(wanted, 0, 0, 0, 0, {})
            self._begin()

    @property
    def num_blocks(self) -> int:
        """Blocks that are on the disk."""
        return self._state.blocks

    @property
    def num_videos(self) -> int:
        """Videos that have rows."""
        return self._state.num_videos

    @property
    def num_refused(self) -> int:
        """Videos that have none."""
        return self._state.num_refused

    def append(
        self, values: Mapping[str, np.ndarray], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Appends rows, which count with the next `end_block`.

        Args:
          values: of every endpoint, [R, ...] float32.
          rows: what stands in videos.csv for each, [R].
        """
        for name, array in values.items():
            with open(self._path(f"{name}.npy"), "ab") as file:
                file.write(np.ascontiguousarray(array, "<f4").tobytes())
        self._write_csv(VIDEOS_NAME, rows)
        self._state.num_rows += len(rows)

    def refuse(self, entry: RefusedEntry) -> None:
        """Notes a video that could not be read."""
        self._write_csv(REFUSED_NAME, [[entry.source, entry.reason]])
        self._state.num_refused += 1

    def end_block(self, num_videos: int) -> None:
        """Makes what was appended count.

        Args:
          num_videos: that have got rows since the last block.
        """
        self._state.blocks += 1
        self._state.num_videos += num_videos
        self._save_progress()

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Writes the index.

        Args:
          facts: for those who read it, beside what it was made from.

        Raises:
          UserError: there is not one video.
        """
        if not self.num_videos:
            with open(self._path(REFUSED_NAME), encoding="utf-8", newline="") as file:
                _, first = list(csv.reader(file))[:2]
            os.remove(self._path(_PROGRESS_NAME))  # so that it can be tried again
            raise UserError(
                f"None of the {self.num_refused} videos could be embedded (such as"
                f" {first[0]}: {first[1]}); all reasons are in"
                f" {self._path(REFUSED_NAME)}."
            )
        for name, shape in self._shapes.items():
            with open(self._path(f"{name}.npy"), "r+b") as file:
                file.write(npy_header((self._state.num_rows, *shape)))
        arrays = {
            name: {"file": f"{name}.npy", "shape": [self._state.num_rows, *shape]}
            for name, shape in self._shapes.items()
        }
        index = {
            **facts,
            "arrays": arrays,
            "num_videos": self.num_videos,
            "num_refused": self.num_refused,
            "made_from": self._state.made_from,
        }
        text = json.dumps(index, indent=1) + "\n"
        files.write_atomically(self._path(INDEX_NAME), text)
        self._clean_up()

    def _clean_up(self) -> None:
        """Removes what a complete folder does not need; a kill may have come before."""
        names = [_PROGRESS_NAME] + ([] if self.num_refused else [REFUSED_NAME])
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._path(name))

    def _check(self, known: Mapping[str, Any] | None, made_from: Any) -> None:
        if known is None:
            there = os.listdir(self._folder) if os.path.isdir(self._folder) else []
            arrays = {f"{name}.npy" for name in self._shapes}
            ours = {REFUSED_NAME, VIDEOS_NAME, folder_lock.NAME, *arrays}
            if set(there) - ours:
                raise UserError(
                    f"--output={self._folder} holds other files, such as"
                    f" {min(set(there) - ours)!r}; give a new folder."
                )
            return
        old = known["made_from"]
        changed = sorted(
            name
            for name in {**old, **made_from}
            if old.get(name) != made_from.get(name)
        )
        if changed:
            raise UserError(
                f"--output={self._folder} holds embeddings of something else (other"
                f" {', '.join(changed)}); give the same again, or a new folder."
            )

    def _begin(self) -> None:
        os.makedirs(self._folder, exist_ok=True)
        for name in self._shapes:
            with open(self._path(f"{name}.npy"), "wb") as file:
                file.write(npy_header((0, *self._shapes[name])))
        for name, columns in (
            (VIDEOS_NAME, self._columns),
            (REFUSED_NAME, ("path", "reason")),
        ):
            with open(self._path(name), "wb"):
                pass
            self._write_csv(name, [columns])
        self._save_progress()

    def _cut_to_progress(self) -> None:
        for name, size in self._state.sizes.items():
            if os.path.getsize(self._path(name)) < size:
                raise UserError(
                    f"{self._path(name)} is shorter than {_PROGRESS_NAME} beside it"
                    " says; remove the folder and begin again."
                )
            os.truncate(self._path(name), size)

    def _save_progress(self) -> None:
        names = [VIDEOS_NAME, REFUSED_NAME, *(f"{name}.npy" for name in self._shapes)]
        for name in names:
            with open(self._path(name), "rb") as file:
                os.fsync(file.fileno())
            self._state.sizes[name] = os.path.getsize(self._path(name))
        text = json.dumps(dataclasses.asdict(self._state), indent=1) + "\n"
        files.write_atomically(self._path(_PROGRESS_NAME), text)

    def _write_csv(self, name: str, rows: Sequence[Sequence[Any]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        with open(self._path(name), "ab") as file:
            file.write(text.getvalue().encode())

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)


@dataclasses.dataclass(frozen=True)
class EmbeddingIndex:
    """A complete folder of embeddings.

    Attributes:
      folder: of the files.
      facts: content of index.json.
    """

    folder: str
    facts: dict[str, Any]

    @classmethod
    def load(cls, folder: str) -> EmbeddingIndex:
        """Reads the index of a folder.

        Raises:
          UserError: there is none, or the folder is not complete.
        """
        facts = _read_json(folder, INDEX_NAME)
        if facts is not None:
            return cls(folder, facts)
        if _read_json(folder, _PROGRESS_NAME) is not None:
            raise UserError(
                f"The embeddings in {folder!r} are not complete: give the command that"
                " makes them again, and it goes on."
            )
        raise UserError(
            f"There are no embeddings in {folder!r}. Make some with: python embed.py"
            f" --videos=FOLDER --model_dir=RUN --output={folder}"
        )

    def array(self, endpoint: str) -> np.ndarray:
        """The rows of an endpoint, [R, ...] float32, which stay on the disk."""
        path = os.path.join(self.folder, self.facts["arrays"][endpoint]["file"])
        return np.load(path, mmap_mode="r", allow_pickle=False)

    def videos(self) -> list[dict[str, str]]:
        """What stands in videos.csv, a row for every one of the arrays."""
        path = os.path.join(self.folder, VIDEOS_NAME)
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def npy_header(shape: Sequence[int]) -> bytes:
    """The header of a .npy file of float32, always of the same length.

    So the number of rows can be filled in when it is known.
    """
    facts = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    start = b"\x93NUMPY\x01\x00"
    length = _NPY_HEADER_BYTES - len(start) - 2
    padded = facts.ljust(length - 1) + "\n"
    return start + length.to_bytes(2, "little") + padded.encode("latin1")


def _read_json(folder: str, name: str) -> dict[str, Any] | None:
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        if isinstance(content, dict) and isinstance(content["made_from"], dict):
            return content
    except (json.JSONDecodeError, KeyError):
        pass
    raise UserError(f"{path} is not of embed.py; give another folder.")
