"""Shows a collection of videos: a page to look at, near-duplicates and outliers.

vie-tf explore --index=OUT --page=PAGE_DIR
vie-tf explore --index=OUT --duplicates=doubles.csv --outliers=odd.csv
vie-tf explore --model_dir=RUN --duplicates=doubles.csv

The collection is an index of embed.py, or the memory bank of a run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Sequence

from vie_tf.config.explore import CollectionConfig, ExploreConfig
from vie_tf.flags import cli
from vie_tf.flags import explore as explore_flags

if TYPE_CHECKING:
    from vie_tf.explore.collection import Collection
    from vie_tf.storage.thumbnails import ReadThumbnails


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes what is asked for, and returns the exit code."""
    return cli.run(_explore, explore_flags.GROUPS, __doc__, arguments)


def _explore(flags: cli.Flags) -> None:
    explore_flags.check(flags)
    asked, outputs = flags.config(CollectionConfig), flags.config(ExploreConfig)
    # Here, so that --help need not wait for TensorFlow.
    from vie_tf.explore import reports

    collection = load(asked)
    read = reader_of(collection, asked)
    if outputs.page:
        print(reports.write_page(collection, read, outputs))
    if outputs.duplicates:
        print(reports.write_duplicates(collection, read, outputs))
    if outputs.outliers:
        print(reports.write_outliers(collection, outputs))


def load(asked: CollectionConfig) -> Collection:
    """Loads the collection of an index or of a memory bank."""
    from vie_tf.explore import collection
    from vie_tf.search.embedding_index import EmbeddingIndex

    if asked.index:
        return collection.of_index(EmbeddingIndex.load(asked.index))
    model_dir = asked.model_dir or ""
    return collection.of_bank(model_dir, asked.data_dir, asked.checkpoint)


def reader_of(collection: Collection, asked: CollectionConfig) -> ReadThumbnails:
    """Makes the reader of a collection's videos, wherever they are now."""
    from data_prep.thumbnails.read_files import reader_of_files
    from vie_tf.explore.pictures.record_thumbnails import reader_of_records
    from vie_tf.storage.manifest import is_data_set

    videos = asked.videos or collection.videos
    if is_data_set(videos):
        return reader_of_records(videos, collection.sources)
    is_file = os.path.isfile(videos)
    paths = [
        videos if is_file else os.path.join(videos, source)
        for source in collection.sources
    ]
    return reader_of_files(paths, asked.num_processes)
