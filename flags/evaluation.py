"""Evaluation: which task, and its protocol."""

from __future__ import annotations

from absl import flags

from flags import knn
from vie_tf.config import KnnTaskConfig, RetrievalConfig

_TASK = flags.DEFINE_enum(
    "task",
    "knn",
    ["knn", "retrieval", "linear", "finetune", "all"],
    "knn: top-1 and top-5 of classification by nearest neighbors. retrieval: recalls"
    " and mean average precision, a picture and a page of queries and their nearest"
    " videos; the last two need no labels. linear: softmax read-outs of conv1 .. conv5"
    " of the frozen network. finetune: all layers trained on labels. all: all but"
    " finetune, and a report.",
)
_GALLERY = flags.DEFINE_enum(
    "gallery",
    KnnTaskConfig.gallery,
    ["features", "bank"],
    "What queries are compared with in knn: features of the training videos computed"
    " now, or the rows of the memory bank as in the authors' validation.",
)
_CLIPS_OF = flags.DEFINE_enum(
    "clips_of",
    None,
    ["trn", "slow", "slowfast"],
    "Gives a network of --model=single the clips of this family, frame by frame, and"
    " averages its outputs (Input-Single, table 4 of the paper).",
)
_CHECKPOINT = flags.DEFINE_enum(
    "checkpoint",
    "latest",
    ["latest", "best"],
    "Which checkpoint of the run, or of both runs of a two-stream network: the newest,"
    " or the one with the best top-1 in the validations during training.",
)
_COMPARE_UNTRAINED = flags.DEFINE_bool(
    "compare_untrained",
    KnnTaskConfig.compare_untrained,
    "Whether knn also evaluates the same network before its first step.",
)
_START_OVER = flags.DEFINE_bool(
    "start_over",
    False,
    "Whether linear and finetune remove a training that is there and begin anew,"
    " instead of going on with it.",
)
_ENDPOINT = flags.DEFINE_enum(
    "endpoint",
    RetrievalConfig.endpoint,
    ["embedding", "pooled"],
    "What retrieval compares videos by: the embedding, or what the network's last layer"
    " is given; averaged over clips, then normalized.",
)
_NUM_SHOWN = flags.DEFINE_integer(
    "num_shown",
    RetrievalConfig.num_shown,
    "Queries in the picture and on the page of retrieval, by turns from every class.",
    lower_bound=1,
)


def task() -> str:
    """Returns the name of the task."""
    return _TASK.value


def clips_of(of_two_streams: bool) -> str | None:
    """Returns the family whose clips a single-frame network is given.

    Args:
      of_two_streams: whether the network is made of two runs.

    Raises:
      ValueError: that takes no other clips.
    """
    if _CLIPS_OF.value and of_two_streams:
        raise ValueError(
            f"--clips_of={_CLIPS_OF.value} is for a run of --model=single alone, not"
            " for the streams of --single_from and --dynamic_from: leave one of them"
            " out."
        )
    return _CLIPS_OF.value


def checkpoint(from_scratch: bool) -> str:
    """Returns which checkpoint of the run is evaluated, `untrained` for none.

    Args:
      from_scratch: whether the network starts untrained.

    Raises:
      ValueError: a checkpoint was asked for, which that does not use.
    """
    if not from_scratch:
        return _CHECKPOINT.value
    if _CHECKPOINT.value != _CHECKPOINT.default:
        raise ValueError(
            f"--checkpoint={_CHECKPOINT.value} is for a network that starts trained,"
            " not for --from_scratch: leave one of them out."
        )
    return "untrained"


def start_over() -> bool:
    """Returns whether a training that is there is removed."""
    return _START_OVER.value


def knn_task_config() -> KnnTaskConfig:
    """Builds the settings of kNN."""
    return KnnTaskConfig(
        ks=knn.ks(),
        temperatures=knn.temperatures(),
        num_clips=knn.num_clips(),
        gallery=_GALLERY.value,
        compare_untrained=_COMPARE_UNTRAINED.value,
    )


def retrieval_config() -> RetrievalConfig:
    """Builds the settings of retrieval."""
    return RetrievalConfig(
        knn=knn.knn_config(),
        endpoint=_ENDPOINT.value,
        num_shown=_NUM_SHOWN.value,
    )
