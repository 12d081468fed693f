"""Shows a collection of videos: a page to look at, near-duplicates and outliers.

vie-tf explore --index=OUT --page=PAGE_DIR
vie-tf explore --index=OUT --duplicates=doubles.csv --outliers=odd.csv
vie-tf explore --model_dir=RUN --duplicates=doubles.csv

The collection is an index of embed.py, or the memory bank of a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

from vie_tf.config.explore import CollectionConfig, ExploreConfig
from vie_tf.flags import cli
from vie_tf.flags import explore as explore_flags

if TYPE_CHECKING:
    from vie_tf.explore.collection import Collection


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes what is asked for, and returns the exit code."""
    return cli.run(_explore, explore_flags.GROUPS, __doc__, arguments)


def _explore(flags: cli.Flags) -> None:
    explore_flags.check(flags)
    asked, outputs = flags.config(CollectionConfig), flags.config(ExploreConfig)
    # Here, so that --help need not wait for TensorFlow.
    from vie_tf.commands.video_files.collection_videos import reader_of
    from vie_tf.explore import projector_files, reports
    from vie_tf.explore.pictures.remembered import remembering
    from vie_tf.storage import files

    for table in filter(None, (outputs.duplicates, outputs.outliers)):
        files.check_writable(table)
    collection = load(asked)
    videos = asked.videos or collection.videos
    read = reader_of(videos, collection.sources, asked.num_processes)
    if outputs.page and outputs.duplicates:
        read = remembering(read)
    if outputs.page:
        print(reports.write_page(collection, read, outputs))
    if outputs.duplicates:
        print(reports.write_duplicates(collection, read, outputs))
    if outputs.outliers:
        print(reports.write_outliers(collection, outputs))
    if outputs.projector:
        print(projector_files.write(collection, read, outputs.projector))


def load(asked: CollectionConfig) -> Collection:
    """Loads the collection of an index or of a memory bank."""
    from vie_tf.explore import collection
    from vie_tf.search.embedding_index import EmbeddingIndex

    if asked.index:
        return collection.of_index(EmbeddingIndex.load(asked.index))
    model_dir = asked.model_dir or ""
    return collection.of_bank(model_dir, asked.data_dir, asked.checkpoint)
