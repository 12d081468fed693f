"""Settings of vie-tf serve: the page of an index, and queries that are uploaded."""

from __future__ import annotations

import dataclasses

from vie_tf.config.explore import CollectionConfig, ExploreConfig
from vie_tf.config.search import SearchConfig
from vie_tf.config.setting import like, setting


@dataclasses.dataclass(frozen=True)
class ServedConfig:
    """What vie-tf serve shows, and how queries are answered."""

    index: str = like(SearchConfig, "index")
    page: str | None = setting(
        None,
        "Folder of the page. It is made as by vie-tf explore if it is missing or older"
        " than the index.",
        otherwise="beside the index, with _page at the end of its name",
        path=True,
    )
    model_dir: str | None = setting(
        None,
        "Run that made the index, if it has moved.",
        otherwise="that of the index",
        path=True,
    )
    videos: str | None = like(CollectionConfig, "videos")
    num_processes: int = like(
        CollectionConfig,
        "num_processes",
        help="Processes that read video files for the page; 0: one for each core, 1: no"
        " workers.",
    )
    check_frames: bool = like(ExploreConfig, "check_frames")
    nearest: int = like(SearchConfig, "nearest")
    search_by: str = like(SearchConfig, "search_by")


@dataclasses.dataclass(frozen=True)
class ServerConfig:
    """Where vie-tf serve listens, and what it accepts."""

    host: str = setting(
        "127.0.0.1",
        "Address that is listened on. 127.0.0.1: this machine alone. Others let"
        " everyone in who reaches it, without a password: 0.0.0.0 for all networks.",
    )
    port: int = setting(8765, "Port; 0: any that is free.", lower=0, upper=65535)
    max_upload_mb: float = setting(
        256.0, "Largest video that can be uploaded, in millions of bytes.", above=0
    )
    max_query_secs: float = setting(
        60.0,
        "Longest time for decoding and embedding a query in seconds, after which its"
        " process is killed.",
        above=0,
    )
    max_queries: int = setting(
        4,
        "Largest number of queries at once: one is answered, and the others are"
        " uploaded or wait. More are refused.",
        lower=1,
    )
