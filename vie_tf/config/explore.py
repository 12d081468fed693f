"""Settings of vie-tf explore: a collection as people look at it."""

from __future__ import annotations

import dataclasses

from vie_tf.config.search import EmbeddingConfig
from vie_tf.config.setting import like, setting


@dataclasses.dataclass(frozen=True)
class CollectionConfig:
    """The collection that vie-tf explore looks at."""

    index: str | None = setting(
        None,
        "Folder of embeddings, the --output of embed.py.",
        otherwise="the memory bank of --model_dir",
        path=True,
    )
    model_dir: str | None = setting(
        None,
        "Run whose memory bank is the collection: its training videos, before they are"
        " embedded.",
        none="none",
        path=True,
    )
    checkpoint: str = like(EmbeddingConfig, "checkpoint", help="Checkpoint of the run.")
    data_dir: str | None = setting(
        None,
        "Data set that the run was trained on.",
        otherwise="that of the run",
        path=True,
    )
    videos: str | None = setting(
        None,
        "Folder of the videos, or of their data set, if it has moved.",
        otherwise="where they were embedded",
        path=True,
    )
    num_processes: int = setting(
        0,
        "Processes that read video files; 0: one for each core, 1: no workers.",
        lower=0,
    )


@dataclasses.dataclass(frozen=True)
class ExploreConfig:
    """What vie-tf explore writes."""

    page: str | None = setting(
        None,
        "Folder of a page with a map, groups, near-duplicates, outliers and nearest"
        " videos, which opens from the disk. Up to 5,000 videos.",
        none="none",
        path=True,
    )
    num_groups: int = setting(
        0,
        "Groups on the page; 0: more for larger collections, up to 24.",
        lower=0,
    )
    duplicates: str | None = setting(
        None, "csv file of the videos that are there twice.", none="none", path=True
    )
    outliers: str | None = setting(
        None,
        "csv file of all videos, those that are like no other first.",
        none="none",
        path=True,
    )
    projector: str | None = setting(
        None,
        "Folder of the collection for TensorBoard's embedding projector.",
        none="none",
        path=True,
    )
    check_frames: bool = setting(
        True,
        "Compares the frames of likely duplicates; without it, distances alone decide.",
    )
