"""The registry of network families, and `build`, which makes a network by name.

Code that distinguishes families looks them up in `MODELS`.  A new family is a file
with a function like `make_slowfast`, and a row of that table.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Iterator
from typing import Any

import tensorflow as tf

from vie_tf.config import ModelConfig, settings_of
from vie_tf.config.importing import import_named
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.fixed_clips import BIN_FRAMES
from vie_tf.keras import keras
from vie_tf.models.clip_input import MIN_CROP_SIZE, NUM_CHANNELS, PAIRED_INPUTS
from vie_tf.models.embedder import ClipModel
from vie_tf.models.family import Family, Kind, Make, assemble, num_outputs
from vie_tf.models.heads import FrameConcat, FrameMean, MultiScaleRelation
from vie_tf.models.layers import BatchNormRelu
from vie_tf.models.plain import make_plain
from vie_tf.models.resnet import ARCHITECTURES, ResNet
from vie_tf.models.slowfast import make_slowfast
from vie_tf.models.two_stream import make_both, make_two_stream
from vie_tf.storage.errors import UserError

# Frames of the video, at 25 fps, from a frame to the later one of `--input=later`.
LATER_INTERVAL = 10

MakeHead = Callable[[ModelConfig], keras.layers.Layer]


def _mean(config: ModelConfig) -> FrameMean:
    return FrameMean(num_outputs(config), of_unit_vectors=not config.num_classes)


def _concat(config: ModelConfig) -> FrameConcat:
    return FrameConcat(num_outputs(config))


def _relation(average: bool) -> MakeHead:
    def make_head(config: ModelConfig) -> MultiScaleRelation:
        assert config.num_frames is not None
        if not num_outputs(config):
            raise UserError(
                f"--trn_head={config.trn_head} has layers of the embedding, which"
                " objectives with a head of their own do not train: leave it out."
            )
        return MultiScaleRelation(num_outputs(config), config.num_frames, average)

    return make_head


# The paper concatenates (appendix B).  Zhou et al. add up the relations of a scale;
# `relation_mean` averages them.
TRN_HEADS: dict[str, MakeHead] = {
    "concat": _concat,
    "relation": _relation(average=False),
    "relation_mean": _relation(average=True),
}


def _resnet(architecture: str, make_head: MakeHead = _concat) -> Make:
    def make(name: str, config: ModelConfig) -> ClipModel:
        backbone = ResNet(
            ARCHITECTURES[architecture], config.resnet_size, config.num_filters
        )
        return assemble(backbone, make_head(config), name, config)

    return make


def _input_single(family: str, accuracies: str, clip: ClipRecipe) -> Family:
    """Returns the family of `single` on the clips of another one."""
    return Family(
        f"{family}-Input-Single", f"table 4: {accuracies}", clip, 64, _single, "frames"
    )


_single = _resnet("frames", _mean)
_slow = _resnet("slow")

# Appendix B; intervals are in frames at 25 fps.
_SINGLE_CLIP = ClipRecipe(1, 1, 224, "single")
_TRN_CLIP = ClipRecipe(4, BIN_FRAMES, 224, "binned")
_3DRESNET_CLIP = ClipRecipe(16, 1, 112, "dense")
_SLOW_CLIP = ClipRecipe(4, 16, 224, "sparse")
_SLOWFAST_CLIP = ClipRecipe(16, 4, 224, "dense")
_C3D_CLIP = ClipRecipe(16, 1, 112, "dense")  # Tran et al. 2015, section 3.2
_STACKED_CLIP = ClipRecipe(4, 4, 224, "dense")

MODELS = {
    "single": Family(
        "VIE-Single", "table 1: 23.84 38.25 44.41", _SINGLE_CLIP, 128, _single, "frames"
    ),
    "3dresnet": Family(
        "VIE-3DResNet",
        "table 1: 33.01 41.34 43.40",
        _3DRESNET_CLIP,
        64,
        _resnet("3dresnet"),
    ),
    "trn": Family(
        "VIE-TRN",
        "table 1: 25.72 39.38 44.91",
        _TRN_CLIP,
        64,
        _resnet("frames", lambda config: TRN_HEADS[config.trn_head](config)),
        "frames",
    ),
    "slow": Family("VIE-Slow", "table 1: 24.80 40.48 46.36", _SLOW_CLIP, 64, _slow),
    "slowfast": Family(
        "VIE-SlowFast", "table 1: 28.68 42.07 47.37", _SLOWFAST_CLIP, 64, make_slowfast
    ),
    "two_stream_s": Family(
        "VIE-TwoStream-S",
        "table 1: 26.38 41.80 47.13",
        _SLOW_CLIP,
        64,
        make_two_stream(_single, _slow),
        kind="streams",
    ),
    "two_stream_sf": Family(
        "VIE-TwoStream-SF",
        "table 1: 29.89 43.50 48.53",
        _SLOWFAST_CLIP,
        64,
        make_two_stream(_single, make_slowfast),
        kind="streams",
    ),
    # Networks of other methods in table 2.
    "c3d": Family("C3D", "table 2, MoAp: 61.2 33.4", _C3D_CLIP, 64, make_plain("c3d")),
    "alexnet": Family(
        "AlexNet",
        "table 2, CMC: 59.1 26.7",
        _SINGLE_CLIP,
        128,
        make_plain("alexnet"),
        "frames",
    ),
    "alexnet_stacked": Family(
        "AlexNet of stacked frames",
        "not in the paper",
        _STACKED_CLIP,
        128,
        make_plain("alexnet", stacks_frames=True),
    ),
    # Their variables are those of `single`, whose checkpoints they restore.
    "input_single_trn": _input_single("TRN", "25.52 39.25 44.27", _TRN_CLIP),
    "input_single_slow": _input_single("Slow", "26.17 39.24 44.62", _SLOW_CLIP),
    "input_single_slowfast": _input_single("Sf", "25.72 39.38 44.29", _SLOWFAST_CLIP),
}


@contextlib.contextmanager
def _policy(precision: str) -> Iterator[None]:
    """Sets the precision of the layers that are made in the context."""
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(precision)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)


def _check_choice(what: str, value: object, allowed: Collection[object]) -> None:
    if value not in allowed:
        choices = ", ".join(map(str, allowed))
        raise UserError(f"{what} is one of {choices}, not {value!r}.")


def register_model(
    name: str, clip: ClipRecipe, batch_size: int = 64, kind: Kind = "clips"
) -> Callable[[Make], Make]:
    """Adds a family of networks to those of `build`, as a decorator.

    The command line finds it as `--model=package.module:function`.

    Args:
        name: Name of the family.
        clip: Clip that the networks take.
        batch_size: Clips per step, where none are asked for.
        kind: What they do with a clip, as `Family.kind`.

    Returns:
        A decorator of a function that makes a network from the name of its family and
        a `ModelConfig`, most often by `vie_tf.models.family.assemble`.

    Raises:
        UserError: If there is another family of this name.
    """

    def register(make: Make) -> Make:
        found = Family("", "", clip, batch_size, make, kind)
        before = MODELS.get(name)
        if before is not None and not _is_same(before.make, make):
            raise UserError(f"there is a model {name!r} already: give another name.")
        MODELS[name] = MODELS[f"{make.__module__}:{make.__name__}"] = found
        return make

    return register


def _is_same(make: Make, other: Make) -> bool:
    """Returns whether a module, or a cell of a notebook, was run again."""
    names = ("__module__", "__qualname__")
    return all(getattr(make, n, None) == getattr(other, n, None) for n in names)


def family(name: str) -> Family:
    """Looks up a family of `MODELS`, or one of a user's module.

    Args:
        name: A key of `MODELS`, or `package.module:function`, which is imported.

    Raises:
        UserError: If there is no such family.
    """
    if ":" in name and name not in MODELS:
        import_named(name)  # which registers it
        if name not in MODELS:
            raise UserError(f"{name} has no decorator @vie_tf.register_model.")
    _check_choice("a model", name, MODELS)
    return MODELS[name]


def clip_recipe(name: str) -> ClipRecipe:
    """Looks up the clip that a family takes; errors as of `family`."""
    return family(name).clip


def of_both_halves(recipe: ClipRecipe) -> ClipRecipe:
    """Returns the clip of which each of two streams is given one half.

    Args:
        recipe: Clip of one stream.
    """
    step = recipe.frame_interval
    if recipe.num_frames == 1:  # where there is no interval
        step = LATER_INTERVAL
    return dataclasses.replace(
        recipe, num_frames=2 * recipe.num_frames, frame_interval=step
    )


def build(name: str, **settings: Any) -> ClipModel:
    """Makes a network with fresh variables.

    Args:
        name: A key of `MODELS`.
        **settings: Fields of `vie_tf.config.ModelConfig`.  Two-stream networks give
            half of `embedding_dim` to each stream, so 256 restores two streams of 128.
            Fewer than 64 `num_filters` make a toy network for demonstrations.

    Returns:
        A model that maps clips [B, T, H, W, C] uint8 and `training` to a dict of
        endpoints; see `Embedder`, `Classifier` and `TwoStream`.

    Raises:
        UserError: If a setting is not among its choices, or the number of frames or
            dimensions does not suit the family.
    """
    config = ModelConfig(name, **settings)
    recipe = clip_recipe(name)
    if config.input == "later":
        recipe = of_both_halves(recipe)
    num_frames = config.num_frames or recipe.num_frames
    for field, declared in settings_of(ModelConfig).items():
        if declared.choices and field != "name":
            _check_choice(field, getattr(config, field), declared.choices)
    kind = family(name)
    is_pair = config.input in PAIRED_INPUTS and kind.kind != "streams"
    make = make_both(kind.make) if is_pair else kind.make
    with _policy(config.precision):
        short_name = name.rpartition(":")[2]  # Keras allows no colon
        complete = dataclasses.replace(config, num_frames=num_frames)
        model = make(short_name, complete)
    for module in model.submodules:
        if isinstance(module, BatchNormRelu):
            module.momentum = config.batch_norm_momentum
            if config.sync_batch_norm:
                module.synchronize()
    model.build_arguments = dataclasses.asdict(config)
    channels = NUM_CHANNELS[config.input]
    # Keras would save graphs for clips of the size of the first call alone.
    any_clips = tf.TensorSpec([None, num_frames, None, None, channels], tf.uint8)
    model._set_save_spec(any_clips)
    # The first call creates the variables; the smallest clip makes it cheap.
    size = [num_frames, MIN_CROP_SIZE, MIN_CROP_SIZE, channels]
    endpoints = model(tf.zeros([1, *size], tf.uint8))
    model.num_channels = {name: int(one.shape[-1]) for name, one in endpoints.items()}
    return model
