"""Settings of embed.py: the features of videos, and the search among them."""

from __future__ import annotations

import dataclasses

from vie_tf.config.data import DataConfig
from vie_tf.config.evaluation import DISTINCT
from vie_tf.config.optimization import FolderConfig, KnnConfig
from vie_tf.config.setting import Role, like, setting

RUN = "run"
# Networks that come with the package, see vie_tf.runs.ready.
READY_NETWORKS = ("people",)
# Embeddings without a network, see vie_tf.metrics.baselines.
BASELINES = ("pixels", "difference_pixels", "motion_map", "flow_histogram")


@dataclasses.dataclass(frozen=True)
class EmbeddingConfig(FolderConfig):
    """The features that embed.py computes of every video."""

    model_dir: str = setting(
        "",
        "Folder of the run.",
        role=Role.PLACE,
        otherwise="required, unless there is another --network",
    )
    network: str = setting(
        RUN,
        "What embeds the videos. run: the network of --model_dir. people: a network"
        " that comes with this package, trained on rendered people"
        " (docs/people_network.md). The others have learned nothing. pixels: gray"
        " thumbnails of five frames. difference_pixels: of differences of frames at"
        " five moments. motion_map: the mean difference of frames. flow_histogram:"
        " directions of the optical flow.",
        choices=(RUN, *READY_NETWORKS, *BASELINES),
    )
    checkpoint: str = setting(
        "latest",
        "Checkpoint of the run. latest: the newest. best: the one with the best top-1"
        " in the validations during training.",
        choices=("latest", "best"),
    )
    endpoints: tuple[str, ...] = setting(
        ("embedding",),
        "Layers whose features are written, each to a file of its name: embedding,"
        " pooled, conv1 .. conv5.",
        check=DISTINCT,
    )
    average: str = setting(
        "clips",
        "Rows of the files. clips: one for each video, the mean of its clips (embedding"
        " and pooled are scaled to unit norm). none: one for each clip.",
        choices=("clips", "none"),
    )
    # The paper's 5 find 3 of 100 fewer neighbors (docs/small_collections.md).
    num_clips: int = like(
        KnnConfig, "num_clips", default=10, help="Equally spaced clips of a video."
    )
    static_video: bool = like(DataConfig, "static_video")


@dataclasses.dataclass(frozen=True)
class VideosConfig:
    """The videos that embed.py embeds, and where their embeddings go."""

    videos: str = setting(
        dataclasses.MISSING,
        "What is embedded: the folder of a data set (it has a manifest.json), a folder"
        " of video files or of pictures, whose sub-folders are labels, or one file.",
        path=True,
    )
    output: str = setting(
        dataclasses.MISSING,
        "Folder of the embeddings, made if it is missing.",
        path=True,
    )
    frames_like: str | None = setting(
        None,
        "Data set at whose frame rate and size video files are decoded.",
        otherwise="that of the run",
        path=True,
    )
    num_processes: int = setting(
        0,
        "Processes that decode video files; 0: one for each core, 1: no workers.",
        lower=0,
    )


@dataclasses.dataclass(frozen=True)
class SearchConfig:
    """A search for the videos nearest to others."""

    query: tuple[str, ...] = setting(
        dataclasses.MISSING,
        "Videos whose nearest videos are looked up: video or picture files, separated"
        " by commas, or a folder of them.",
        path=True,
    )
    index: str = setting(
        dataclasses.MISSING,
        "Folder of embeddings, the --output of an earlier call.",
        path=True,
    )
    nearest: int = setting(10, "Maximum number of videos that are found.", lower=1)
    find_itself: bool = setting(
        False, "Whether a query that is in the index is among what is found."
    )
    csv: str | None = setting(
        None, "csv file of what is found.", none="none", path=True
    )
    html: str | None = setting(
        None,
        "HTML file that shows queries and what is found, with moving thumbnails.",
        none="none",
        path=True,
    )
    search_by: str = setting(
        "components",
        "What videos are compared by. components: 128 principal components of conv3"
        " and conv4 with their places (search.npy), or the embedding where the index"
        " has none. embedding: the embedding, or else pooled.",
        choices=("components", "embedding"),
    )
