"""The registry: each model family's name, clip, and how it is made.

Comes in: a name.  Goes out: a model with fresh variables, or the clip that it is
given.  Whoever needs to tell families apart looks them up here, once.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator

import tensorflow as tf

from vie_tf.input.sampling import BIN_FRAMES, ClipRecipe
from vie_tf.models.blocks import BN_MOMENTUM, BatchNormRelu
from vie_tf.models.clip_input import MIN_CROP_SIZE
from vie_tf.models.embedder import Classifier, ClipModel, Embedder
from vie_tf.models.heads import FrameConcat, FrameMean, MultiScaleRelation
from vie_tf.models.resnet import ARCHITECTURES, RESNET_SIZES, ResNet
from vie_tf.models.slowfast import FRAME_RATIO, SlowFast
from vie_tf.models.two_stream import TwoStream


@dataclasses.dataclass(frozen=True)
class Options:
    """What `build` was asked for; see there."""

    resnet_size: int
    embedding_dim: int
    num_filters: int
    num_frames: int
    trn_head: str
    static_frames: str
    num_classes: int | None

    @property
    def num_outputs(self) -> int:
        """Logits of a supervised network, or dimensions of an embedding."""
        return self.num_classes or self.embedding_dim


@dataclasses.dataclass(frozen=True)
class Family:
    """A row of the registry.

    Attributes:
        paper_name: Name in the paper.
        paper_row: Where its numbers are, and the top-1 accuracies of read-outs of
            conv3, conv4 and conv5 on Kinetics-400, in percent.
        clip: The clip that it is given.
        batch_size: Clips per step in the authors' runs.
        make: Makes the model, without variables yet.
    """

    paper_name: str
    paper_row: str
    clip: ClipRecipe
    batch_size: int
    make: Callable[[str, Options], ClipModel]


def _resnet(architecture: str, options: Options) -> ResNet:
    return ResNet(ARCHITECTURES[architecture], options.resnet_size, options.num_filters)


def _model(
    backbone: tf.keras.layers.Layer,
    head: tf.keras.layers.Layer,
    name: str,
    options: Options,
) -> Embedder:
    kind = Classifier if options.num_classes else Embedder
    return kind(backbone, head, options.num_frames, name)


def _single(name: str, options: Options) -> Embedder:
    head = FrameMean(options.num_outputs, of_unit_vectors=not options.num_classes)
    return _model(_resnet("frames", options), head, name, options)


# Concatenation is the paper's (appendix B); the relation modules are Zhou et al.'s,
# with the relations of a scale added, as theirs, or averaged.
TRN_HEADS: dict[str, Callable[[Options], tf.keras.layers.Layer]] = {
    "concat": lambda options: FrameConcat(options.num_outputs),
    "relation": lambda options: MultiScaleRelation(
        options.num_outputs, options.num_frames, average=False
    ),
    "relation_mean": lambda options: MultiScaleRelation(
        options.num_outputs, options.num_frames, average=True
    ),
}


def _trn(name: str, options: Options) -> Embedder:
    head = TRN_HEADS[options.trn_head](options)
    return _model(_resnet("frames", options), head, name, options)


def _3dresnet(name: str, options: Options) -> Embedder:
    head = FrameConcat(options.num_outputs)
    return _model(_resnet("3dresnet", options), head, name, options)


def _slow(name: str, options: Options) -> Embedder:
    head = FrameConcat(options.num_outputs)
    return _model(_resnet("slow", options), head, name, options)


def _slowfast(name: str, options: Options) -> Embedder:
    if options.num_frames % FRAME_RATIO:
        raise ValueError(
            f"{name} takes a multiple of {FRAME_RATIO} frames, not "
            f"{options.num_frames}."
        )
    backbone = SlowFast(options.resnet_size, options.num_filters)
    return _model(backbone, FrameConcat(options.num_outputs), name, options)


def _two_stream(
    dynamic: Callable[[str, Options], Embedder], name: str, options: Options
) -> TwoStream:
    if options.embedding_dim % 2:
        raise ValueError(
            f"{name} shares embedding_dim between two streams, so it is even, not "
            f"{options.embedding_dim}."
        )
    options = dataclasses.replace(options, embedding_dim=options.embedding_dim // 2)
    num_static = options.num_frames if options.static_frames == "all" else 1
    static_options = dataclasses.replace(options, num_frames=num_static)
    return TwoStream(
        _single("static", static_options), dynamic("dynamic", options), name
    )


def _two_stream_s(name: str, options: Options) -> TwoStream:
    return _two_stream(_slow, name, options)


def _two_stream_sf(name: str, options: Options) -> TwoStream:
    return _two_stream(_slowfast, name, options)


# Appendix B; intervals are in frames at 25 fps.
_SINGLE_CLIP = ClipRecipe(1, 1, 224, "single")
_TRN_CLIP = ClipRecipe(4, BIN_FRAMES, 224, "binned")
_3DRESNET_CLIP = ClipRecipe(16, 1, 112, "dense")
_SLOW_CLIP = ClipRecipe(4, 16, 224, "sparse")
_SLOWFAST_CLIP = ClipRecipe(16, 4, 224, "sparse")

MODELS = {
    "single": Family(
        "VIE-Single", "table 1: 23.84 38.25 44.41", _SINGLE_CLIP, 128, _single
    ),
    "3dresnet": Family(
        "VIE-3DResNet", "table 1: 33.01 41.34 43.40", _3DRESNET_CLIP, 64, _3dresnet
    ),
    "trn": Family("VIE-TRN", "table 1: 25.72 39.38 44.91", _TRN_CLIP, 64, _trn),
    "slow": Family("VIE-Slow", "table 1: 24.80 40.48 46.36", _SLOW_CLIP, 64, _slow),
    "slowfast": Family(
        "VIE-SlowFast", "table 1: 28.68 42.07 47.37", _SLOWFAST_CLIP, 64, _slowfast
    ),
    "two_stream_s": Family(
        "VIE-TwoStream-S", "table 1: 26.38 41.80 47.13", _SLOW_CLIP, 64, _two_stream_s
    ),
    "two_stream_sf": Family(
        "VIE-TwoStream-SF",
        "table 1: 29.89 43.50 48.53",
        _SLOWFAST_CLIP,
        64,
        _two_stream_sf,
    ),
    # The variables are those of `single`, so its checkpoints can be restored.
    "input_single_trn": Family(
        "TRN-Input-Single", "table 4: 25.52 39.25 44.27", _TRN_CLIP, 64, _single
    ),
    "input_single_slow": Family(
        "Slow-Input-Single", "table 4: 26.17 39.24 44.62", _SLOW_CLIP, 64, _single
    ),
    "input_single_slowfast": Family(
        "Sf-Input-Single", "table 4: 25.72 39.38 44.29", _SLOWFAST_CLIP, 64, _single
    ),
}


STATIC_FRAMES = ("one", "all")
# What convolutions and batch norm compute in.  Variables, heads, embeddings, losses
# and the memory bank are float32 under all of them.
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@contextlib.contextmanager
def _policy(precision: str) -> Iterator[None]:
    """Layers that are made inside compute in this precision."""
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(precision)
    try:
        yield
    finally:
        tf.keras.mixed_precision.set_global_policy(before)


def _check_choice(what: str, value: object, allowed: object) -> None:
    assert isinstance(allowed, (dict, tuple))
    if value not in allowed:
        choices = ", ".join(map(str, allowed))
        raise ValueError(f"{what} is one of {choices}, not {value!r}.")


def clip_recipe(name: str) -> ClipRecipe:
    """Looks up which clip a model is given.

    Args:
        name: A key of `MODELS`.

    Returns:
        The recipe.

    Raises:
        ValueError: If there is no such model.
    """
    _check_choice("a model", name, MODELS)
    return MODELS[name].clip


def build(
    name: str,
    *,
    resnet_size: int = 18,
    embedding_dim: int = 128,
    num_filters: int = 64,
    num_frames: int | None = None,
    trn_head: str = "concat",
    static_frames: str = "one",
    num_classes: int | None = None,
    batch_norm_momentum: float = BN_MOMENTUM,
    sync_batch_norm: bool = False,
    precision: str = "float32",
) -> ClipModel:
    """Makes a model with fresh variables.

    Args:
        name: A key of `MODELS`.
        resnet_size: Depth of the network: 18 (the paper's), 34, 50 or 101.
        embedding_dim: D.  Two-stream models give half of it to each stream, so ask
            for 256 to restore two streams of 128.
        num_filters: Channels of the stem; fewer than 64 make a toy for tests and
            demonstrations.
        num_frames: Frames of a clip, if not those of the recipe.
        trn_head: Head of `trn`: a key of `TRN_HEADS`.
        static_frames: What the static stream of two-stream models is given: the
            middle frame ('one'), or 'all' frames, whose embeddings are averaged.
            Table 4 finds little gain in more frames, at T times the cost.
        num_classes: Makes a supervised network, a `Classifier`, with as many logits
            in place of the embedding.
        batch_norm_momentum: Of the moving statistics.
        sync_batch_norm: Whether statistics are those of all replicas together.
        precision: What the layers of the network compute in: a value of
            `PRECISIONS`.

    Returns:
        A model to be called with clips [B, T, H, W, 3] uint8 and `training`, which
        returns a dict of endpoints; see `Embedder`, `Classifier` and `TwoStream`.

    Raises:
        ValueError: If an argument is not among the choices, or the number of frames
            or dimensions does not suit the family.
    """
    recipe = clip_recipe(name)
    _check_choice("resnet_size", resnet_size, RESNET_SIZES)
    _check_choice("trn_head", trn_head, TRN_HEADS)
    _check_choice("static_frames", static_frames, STATIC_FRAMES)
    _check_choice("precision", precision, PRECISIONS)
    num_frames = num_frames or recipe.num_frames
    options = Options(
        resnet_size=resnet_size,
        embedding_dim=embedding_dim,
        num_filters=num_filters,
        num_frames=num_frames,
        trn_head=trn_head,
        static_frames=static_frames,
        num_classes=num_classes,
    )
    with _policy(precision):
        model = MODELS[name].make(name, options)
    for module in model.submodules:
        if isinstance(module, BatchNormRelu):
            module.momentum = batch_norm_momentum
            if sync_batch_norm:
                module.synchronize()
    # Variables are created by the first call; the smallest clip is the cheapest.
    model(tf.zeros([1, num_frames, MIN_CROP_SIZE, MIN_CROP_SIZE, 3], tf.uint8))
    return model
