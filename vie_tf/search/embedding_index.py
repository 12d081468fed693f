"""Reading a complete folder of embeddings, which `embedding_files` has written."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
from typing import Any

import numpy as np

from vie_tf.search import stored_rows
from vie_tf.search.embedder import DIRECTIONS
from vie_tf.storage import files
from vie_tf.storage.errors import UserError

INDEX_NAME = "index.json"
PROGRESS_NAME = "progress.json"
VIDEOS_NAME = "videos.csv"
# Folders of an update, see `vie_tf.search.update`.
NEW_ROWS, MERGED = ".new_rows", ".merged"


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
        entry = self.metadata["arrays"][endpoint]
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
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def _checked(self, name: str) -> str:
        """Returns the path of a file that is as it was written."""
        path = os.path.join(self.folder, name)
        files.check_crc32c(path, self.metadata.get("crc32c", {}).get(name))
        return path

    def searchable(self) -> tuple[str, np.ndarray]:
        """Returns an endpoint to compare videos by, and its features, [V, D] float32.

        Raises:
          UserError: the index has no such endpoint.
        """
        if self.metadata["made_from"]["average"] == "clips":
            for name in DIRECTIONS:
                if name in self.metadata["arrays"]:
                    return name, np.asarray(self.array(name))
        raise UserError(
            f"The embeddings in {self.folder!r} cannot be searched: that takes"
            " --average=clips, and embedding or pooled among the --endpoints."
        )


def read_metadata(folder: str, name: str) -> dict[str, Any] | None:
    """Reads index.json or progress.json of a folder; None if there is none.

    Raises:
      UserError: the file was not written by embed.py.
    """
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
    raise UserError(f"{path} was not written by embed.py; give another folder.")
