"""Settings of the network and its clips."""

from __future__ import annotations

import dataclasses

from vie_tf.config.setting import Role, setting


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """The network and the clips that it is given."""

    name: str = setting(
        "single",
        "Network family of section 3 of the paper; a two-stream network is single"
        " beside slow or slowfast. c3d and alexnet: plain networks of other methods in"
        " table 2; alexnet_stacked sees several frames as channels of one."
        " package.module:function is one of your own (docs/extending.md).",
        role=Role.FIXED,
        flag="model",
        choices=(
            "single",
            "3dresnet",
            "trn",
            "slow",
            "slowfast",
            "two_stream_s",
            "two_stream_sf",
            "c3d",
            "alexnet",
            "alexnet_stacked",
        ),
        importable=True,
    )
    input: str = setting(
        "frames",
        "What the network sees of a clip. frames: the frames (the paper's)."
        " differences: each gray frame subtracted from the one four frames later, which"
        " leaves what moves and takes away the scene. both: a network of each, side by"
        " side. Color jitter changes the frames alone. lab: a network of the light of"
        " the frames beside one of their colors without it. later: a network of the"
        " first half of a clip beside one of the second; of one frame, beside a later"
        " one.",
        role=Role.FIXED,
        choices=("frames", "differences", "both", "lab", "later"),
    )
    resnet_size: int = setting(
        18,
        "Layers of the residual networks.",
        role=Role.FIXED,
        choices=(18, 34, 50, 101),
    )
    num_filters: int = setting(
        64,
        "Filters of the stem and the first stage; fewer make a faster, weaker network."
        " alexnet has one and a half times as many.",
        role=Role.FIXED,
        lower=1,
    )
    embedding_dim: int = setting(
        128, "Dimensions of the embedding (D).", role=Role.FIXED, lower=2
    )
    batch_norm_momentum: float = setting(
        0.997,
        "Momentum of batch norm's moving statistics, the authors' value: it averages"
        " over some 300 steps. Runs of a few hundred steps need less, such as 0.9.",
        lower=0,
        upper=1,
    )
    sync_batch_norm: bool = setting(
        False,
        "Compute batch norm's statistics over all devices; the authors compute them on"
        " each device.",
    )
    trn_head: str = setting(
        "concat",
        "Head of trn. concat: frames concatenated (the paper's). relation,"
        " relation_mean: multi-scale relations, whose subsets are added or averaged.",
        role=Role.FIXED,
        choices=("concat", "relation", "relation_mean"),
    )
    static_frames: str = setting(
        "one",
        "Input of the static stream of a two-stream network. one: the middle frame of"
        " the clip. all: every frame, whose embeddings are averaged.",
        role=Role.FIXED,
        choices=("one", "all"),
    )
    precision: str = setting(
        "float32",
        "Arithmetic of the network's layers; variables, head, loss and memory bank are"
        " float32. mixed_bfloat16 is for recent GPUs and CPUs with AVX512_BF16 or AMX"
        " (others are slower with it), mixed_float16 for older GPUs.",
        role=Role.FIXED,
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
    )
    has_head: bool = setting(
        True,
        "Whether a dense layer makes the embedding of the pooled features. It is these,"
        " at unit norm, where an objective has a head of its own.",
        flag=None,
    )
    num_classes: int | None = setting(
        None, "Classes of a supervised network, taken from the data.", flag=None
    )
    num_frames: int | None = setting(
        None,
        "Frames of a clip (T).",
        role=Role.FIXED,
        lower=1,
        otherwise=(
            "the family's (single and alexnet 1, trn, slow and alexnet_stacked 4,"
            " others 16)"
        ),
    )
    frame_interval: int | None = setting(
        None,
        "Distance between the frames of a clip, in frames at 25 fps.",
        role=Role.FIXED,
        lower=1,
        otherwise=(
            "the family's (single, 3dresnet, c3d and alexnet 1, slow 16, slowfast and"
            " alexnet_stacked 4; trn takes one frame from each bin)"
        ),
    )
    frame_rate: float | None = setting(
        None,
        "Frames of a clip per second, at most 25, in place of --frame_interval. Steps"
        " from frame to frame are neighboring whole numbers in random order. 3DRotNet"
        " has 16: steps of 1 and 2.",
        role=Role.FIXED,
        above=0,
        upper=25,
        otherwise="as --frame_interval says",
    )
    crop_size: int | None = setting(
        None,
        "Height and width of a clip in pixels.",
        lower=32,
        otherwise="the family's (224; 3dresnet and c3d 112)",
    )
