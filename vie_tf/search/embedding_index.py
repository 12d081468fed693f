"""Reading a complete folder of embeddings, which `embedding_files` has written."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import numpy as np

from vie_tf.search import stored_rows
from vie_tf.search.embedder import DIRECTIONS
from vie_tf.storage import files, small_files
from vie_tf.storage.errors import UserError
from vie_tf.storage.printable import text_of_cell

INDEX_NAME = "index.json"
PROGRESS_NAME = "progress.json"
VIDEOS_NAME = "videos.csv"
VIDEO_COLUMNS: tuple[str, ...] = ("id", "source", "label", "split")
CLIP_COLUMNS = ("clip", "frames")
# Folders of an update, see `vie_tf.search.update`.
NEW_ROWS, MERGED = ".new_rows", ".merged"

ADVICE = (
    "If embed.py made this folder, remove the file and give the command again, which"
    " embeds all videos again; else give another folder."
)
_COUNTS = {"num_videos": "int", "num_refused": "int"}
_FIELDS_OF = {
    INDEX_NAME: {**_COUNTS, "arrays": "dict"},
    PROGRESS_NAME: {**_COUNTS, "num_rows": "int", "blocks": "int", "sizes": "dict"},
}
_ARRAY = {"file": "str", "shape": "list"}


@dataclasses.dataclass(frozen=True)
class EmbeddingIndex:
    """A complete folder of embeddings.

    Attributes:
      folder: folder of the files.
      metadata: content of index.json.
    """

    folder: str
    metadata: dict[str, Any]

    @classmethod
    def load(cls, folder: str) -> EmbeddingIndex:
        """Reads the index of a folder.

        Raises:
          UserError: there is none, or the folder is not complete.
        """
        metadata = read_metadata(folder, INDEX_NAME)
        if os.path.exists(os.path.join(folder, MERGED, INDEX_NAME)):
            raise UserError(
                f"An update of the embeddings in {folder!r} was interrupted in its last"
                " moment: repeat the command that makes them, and it ends."
            )
        if metadata is not None:
            return cls(folder, metadata)
        if read_metadata(folder, PROGRESS_NAME) is not None:
            raise UserError(
                f"The embeddings in {folder!r} are not complete: repeat the command"
                " that makes them, and it continues."
            )
        raise UserError(
            f"There are no embeddings in {folder!r}. Make some with: python embed.py"
            f" --videos=FOLDER --model_dir=RUN --output={folder}"
        )

    def array(self, endpoint: str) -> np.ndarray:
        """Maps the features of an endpoint into memory, [rows, ...] float32.

        Raises:
          UserError: the file was damaged since it was written, is missing, of another
            shape, or has numbers that no network gives.
        """
        entry = self.metadata["arrays"].get(endpoint)
        if entry is None:
            path = os.path.join(self.folder, INDEX_NAME)
            raise small_files.DamagedFile(path, f"it lacks {endpoint!r}", ADVICE)
        of_videos = self.metadata["made_from"].get("average") == "clips"
        return stored_rows.load(
            self._checked(entry["file"]),
            entry["shape"],
            has_unit_norm=of_videos and endpoint in DIRECTIONS,
        )

    def videos(self) -> list[dict[str, str]]:
        """Reads videos.csv, which has a row for every one of the arrays.

        Raises:
          UserError: the file was damaged since it was written.
        """
        path = self._checked(VIDEOS_NAME)
        columns = VIDEO_COLUMNS
        if self.metadata["made_from"].get("average") == "none":
            columns += CLIP_COLUMNS
        rows = small_files.read_csv(path, columns, ADVICE)
        return [dict(zip(columns, map(text_of_cell, row))) for row in rows]

    def _checked(self, name: str) -> str:
        """Returns the path of a file that is as it was written."""
        path = os.path.join(self.folder, name)
        files.check_crc32c(path, self.metadata.get("crc32c", {}).get(name))
        return path

    def endpoint(self) -> str:
        """Returns the name of the endpoint that videos are compared by.

        Raises:
          UserError: the index has none that is a direction.
        """
        for name in DIRECTIONS:
            if name in self.metadata["arrays"]:
                return name
        raise UserError(
            f"The embeddings in {self.folder!r} cannot be compared: that takes"
            " embedding or pooled among the --endpoints."
        )


def read_metadata(folder: str, name: str) -> dict[str, Any] | None:
    """Reads index.json or progress.json of a folder; None if there is none.

    Raises:
      DamagedFile: it was damaged, or not written by embed.py.
    """
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        return None
    content = small_files.read_object(path, {"made_from": "dict"}, ADVICE)
    try:
        fields = _FIELDS_OF[name]
        fault = small_files.fault_of_fields(content, fields)
        for array, entry in content.get("arrays", {}).items():
            fault = fault or small_files.fault_of_fields(entry, _ARRAY)
            small_files.check_plain_name(entry["file"])
            if not entry["shape"] or not all(type(n) is int for n in entry["shape"]):
                fault = f"the shape of {array} is {entry['shape']}"
        for file in {**content.get("crc32c", {}), **content.get("sizes", {})}:
            small_files.check_plain_name(file)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        fault = str(error)
    if fault:
        raise small_files.DamagedFile(path, fault, ADVICE)
    return content
