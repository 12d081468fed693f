"""Embedding: which videos, what is computed of them, and the search among them."""

from __future__ import annotations

from absl import flags

from vie_tf.config import EmbeddingConfig

_VIDEOS = flags.DEFINE_string(
    "videos",
    None,
    "What is embedded: the folder of a data set (it has a manifest.json), a folder of"
    " video files, whose sub-folders are labels, or one video file.",
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "Folder of the embeddings, made if it is missing."
)
_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Folder of the run whose network embeds. With --index, that of the index unless it"
    " is given.",
)
_CHECKPOINT = flags.DEFINE_enum(
    "checkpoint",
    EmbeddingConfig.checkpoint,
    ["latest", "best"],
    "Which checkpoint of the run: the newest, or the one with the best top-1 in the"
    " validations during training.",
)
_ENDPOINTS = flags.DEFINE_list(
    "endpoints",
    list(EmbeddingConfig.endpoints),
    "Layers whose responses are written: embedding, pooled, conv1 .. conv5; each to a"
    " file of its name.",
)
_AVERAGE = flags.DEFINE_enum(
    "average",
    EmbeddingConfig.average,
    ["clips", "none"],
    "clips: a row is a video, the mean of its clips (of embedding and pooled, scaled to"
    " unit norm). none: a row is a clip.",
)
_NUM_CLIPS = flags.DEFINE_integer(
    "num_clips",
    EmbeddingConfig.num_clips,
    "Equally spaced clips of a video.",
    lower_bound=1,
)
_STATIC_VIDEO = flags.DEFINE_bool(
    "static_video",
    EmbeddingConfig.static_video,
    "Whether a clip shows one frame of its video again and again, as images are shown"
    " to networks of several frames.",
)
_FRAMES_LIKE = flags.DEFINE_string(
    "frames_like",
    None,
    "Data set at whose frame rate and size video files are decoded; that of the run"
    " unless it is given.",
)
_NUM_PROCESSES = flags.DEFINE_integer(
    "num_processes",
    0,
    "Worker processes that decode video files; 0: one for each core, 1: no workers.",
    lower_bound=0,
)
_QUERY = flags.DEFINE_string(
    "query", None, "Video file whose nearest videos are looked for in an --index."
)
_INDEX = flags.DEFINE_string(
    "index", None, "Folder of embeddings, the --output of an earlier call."
)
_NEAREST = flags.DEFINE_integer(
    "nearest", 10, "Videos that a --query finds, at most.", lower_bound=1
)


def is_query() -> bool:
    """Returns whether a video is looked for, or videos are embedded.

    Raises:
      ValueError: both, or neither.
    """
    if (_QUERY.value is None) != (_INDEX.value is None):
        raise ValueError("--query and --index are given together.")
    if _QUERY.value is not None and (_VIDEOS.value or _OUTPUT.value):
        raise ValueError(
            "--query and --index search, --videos and --output embed: give one pair."
        )
    return _QUERY.value is not None


def query() -> str:
    """Returns the video that is looked for."""
    return _QUERY.value


def index() -> str:
    """Returns the folder that is searched."""
    return _INDEX.value


def nearest() -> int:
    """Returns how many videos are found."""
    return _NEAREST.value


def videos() -> str:
    """Returns what is embedded."""
    return _VIDEOS.value


def output() -> str:
    """Returns the folder of the embeddings."""
    return _OUTPUT.value


def model_dir() -> str | None:
    """Returns the folder of the run if it was given."""
    return _MODEL_DIR.value


def frames_like() -> str | None:
    """Returns the data set whose frame rate and size are taken if it was given."""
    return _FRAMES_LIKE.value


def num_processes() -> int:
    """Returns the number of worker processes."""
    return _NUM_PROCESSES.value


def embedding_config() -> EmbeddingConfig:
    """Builds the settings from the command line.

    Raises:
      ValueError: a flag is missing, or an endpoint named twice.
    """
    for flag in (_VIDEOS, _MODEL_DIR, _OUTPUT):
        if not flag.value:
            raise ValueError(
                f"--{flag.name} is missing: python embed.py --videos=FOLDER"
                " --model_dir=RUN --output=OUT"
            )
    endpoints = tuple(_ENDPOINTS.value)
    if not endpoints or len(set(endpoints)) < len(endpoints):
        raise ValueError(
            f"--endpoints={','.join(endpoints)}: give one or more, each once."
        )
    return EmbeddingConfig(
        model_dir=_MODEL_DIR.value,
        checkpoint=_CHECKPOINT.value,
        endpoints=endpoints,
        average=_AVERAGE.value,
        num_clips=_NUM_CLIPS.value,
        static_video=_STATIC_VIDEO.value,
    )
