"""Model: which network, on which clips."""

from __future__ import annotations

from absl import flags

from vie_tf.config import ModelConfig

_MODEL = flags.DEFINE_enum(
    "model",
    ModelConfig.name,
    [
        "single",
        "3dresnet",
        "trn",
        "slow",
        "slowfast",
        "two_stream_s",
        "two_stream_sf",
    ],
    "Family of section 3 of the paper; the two-stream ones are single with slow or"
    " slowfast.",
)
_RESNET_SIZE = flags.DEFINE_enum(
    "resnet_size",
    str(ModelConfig.resnet_size),
    ["18", "34", "50", "101"],
    "Layers of the residual network.",
)
_NUM_FILTERS = flags.DEFINE_integer(
    "num_filters",
    ModelConfig.num_filters,
    "Filters of the stem and the first stage; fewer make a quicker, weaker network.",
    lower_bound=1,
)
_EMBEDDING_DIM = flags.DEFINE_integer(
    "embedding_dim",
    ModelConfig.embedding_dim,
    "Dimensions of the embedding.",
    lower_bound=2,
)
_TRN_HEAD = flags.DEFINE_enum(
    "trn_head",
    ModelConfig.trn_head,
    ["concat", "relation", "relation_mean"],
    "Head of trn: frames concatenated (the paper's), or multi-scale relations, whose"
    " subsets are added or averaged.",
)
_PRECISION = flags.DEFINE_enum(
    "precision",
    ModelConfig.precision,
    ["float32", "mixed_bfloat16", "mixed_float16"],
    "What the network's layers compute in; variables, head, loss and memory bank are"
    " float32. bfloat16 is for recent GPUs and CPUs with AVX512_BF16 or AMX (others are"
    " slower with it), float16 for older GPUs.",
)
_BATCH_NORM_MOMENTUM = flags.DEFINE_float(
    "batch_norm_momentum",
    ModelConfig.batch_norm_momentum,
    "Momentum of batch norm's moving statistics. Runs of a few hundred steps need less,"
    " such as 0.9.",
    lower_bound=0.0,
    upper_bound=1.0,
)
_SYNC_BATCH_NORM = flags.DEFINE_bool(
    "sync_batch_norm",
    ModelConfig.sync_batch_norm,
    "Whether batch norm takes its statistics over all devices; the authors' takes each"
    " device's own.",
)
_NUM_FRAMES = flags.DEFINE_integer(
    "num_frames",
    None,
    "Frames of a clip. Default: the family's (single 1, trn and slow 4, others 16).",
    lower_bound=1,
)
_FRAME_INTERVAL = flags.DEFINE_integer(
    "frame_interval",
    None,
    "Frames from one frame of a clip to the next, at 25 fps. Default: the family's"
    " (single and 3dresnet 1, slow 16, slowfast 4; trn takes its bins).",
    lower_bound=1,
)


def model_config(static_frames: str, crop_size: int | None) -> ModelConfig:
    """Builds the settings from the command line.

    Args:
      static_frames: from the station of two-stream networks.
      crop_size: from the station of the data.
    """
    return ModelConfig(
        name=_MODEL.value,
        resnet_size=int(_RESNET_SIZE.value),
        num_filters=_NUM_FILTERS.value,
        embedding_dim=_EMBEDDING_DIM.value,
        batch_norm_momentum=_BATCH_NORM_MOMENTUM.value,
        sync_batch_norm=_SYNC_BATCH_NORM.value,
        trn_head=_TRN_HEAD.value,
        static_frames=static_frames,
        precision=_PRECISION.value,
        num_frames=_NUM_FRAMES.value,
        frame_interval=_FRAME_INTERVAL.value,
        crop_size=crop_size,
    )
