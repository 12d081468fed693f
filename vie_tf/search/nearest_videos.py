"""Loads the network that a folder of embeddings was made with, for its queries."""

from __future__ import annotations

import os

from vie_tf.config import RUN, EmbeddingConfig
from vie_tf.metrics.search_features import SEARCH_FEATURES
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.search import search_space
from vie_tf.search.baseline_embedder import make_embedder
from vie_tf.search.embedder import Embedder, row_shape
from vie_tf.search.embedding_index import ADVICE, INDEX_NAME, EmbeddingIndex
from vie_tf.storage import small_files
from vie_tf.storage.errors import UserError

_FIELDS = {"checkpoint": "str", "frames": "dict", "videos": "str"}
_FIELDS_OF_ROWS = {"checkpoint": "str", "num_clips": "int", "static_video": "bool"}


def endpoint_of(index: EmbeddingIndex, search_by: str) -> str:
    """Returns what the videos of an index are compared by.

    Args:
      index: index to be searched.
      search_by: `components` or `embedding`, see `vie_tf.config.SearchConfig`.

    Raises:
      UserError: the index has nothing to compare by.
    """
    if search_by == "components" and search_space.is_possible(index):
        return SEARCH_FEATURES
    return index.endpoint()


def _check_fields(index: EmbeddingIndex) -> None:
    metadata = index.metadata
    fault = small_files.fault_of_fields(metadata, _FIELDS)
    fault = fault or small_files.fault_of_fields(metadata["made_from"], _FIELDS_OF_ROWS)
    if fault:
        path = os.path.join(index.folder, INDEX_NAME)
        raise small_files.DamagedFile(path, fault, ADVICE)


def embedder_of_index(
    index: EmbeddingIndex, model_dir: str | None, endpoint: str
) -> Embedder:
    """Loads the network that an index was made with.

    Args:
      index: index to be searched.
      endpoint: result of `endpoint_of`.
      model_dir: another run, whatever its checkpoint; None for the index's own.

    Raises:
      UserError: the index's run has another checkpoint now, or features of another
        size; or a run is given for an index of a baseline.
    """
    _check_fields(index)
    metadata, made_from = index.metadata, index.metadata["made_from"]
    folder, name = model_dir or metadata["model_dir"], made_from.get("network", RUN)
    if model_dir is not None and name != RUN:
        raise UserError(
            f"The index {index.folder!r} was made by {name} and has no run: leave"
            " --model_dir out."
        )
    if name == RUN and model_dir is None and not RunDirectory(folder).exists():
        raise UserError(
            f"The index {index.folder!r} was made by the run {folder!r}, which is not"
            " there: if it was moved, give its new folder by --model_dir=RUN beside"
            " --index."
        )
    embedder = make_embedder(
        EmbeddingConfig(
            model_dir=folder,
            network=name,
            checkpoint=metadata["checkpoint"],
            endpoints=(endpoint,),
            num_clips=made_from["num_clips"],
            static_video=made_from["static_video"],
        )
    )
    if embedder.fingerprint != made_from["checkpoint"]:
        difference = (
            f"The index {index.folder!r} was made with the checkpoint of step"
            f" {metadata['step']}, but the {metadata['checkpoint']} checkpoint of"
            f" {folder!r} is another, of step {embedder.step}"
        )
        if model_dir is None:
            raise UserError(
                f"{difference}. Embed the videos again, or give --model_dir to compare"
                " features of two networks."
            )
        print(f"{difference}; similarities say little.")
    (size,), (_, known) = (
        row_shape(embedder, endpoint),
        metadata["arrays"][endpoint]["shape"],
    )
    if size != known:
        raise UserError(
            f"The index {index.folder!r} has {known} dimensions of {endpoint}, but the"
            f" network of {folder!r} has {size}."
        )
    return embedder
