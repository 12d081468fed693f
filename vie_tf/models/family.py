"""Description of a family of networks, as the registry lists it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal

from vie_tf.config import ModelConfig
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.keras import keras
from vie_tf.models.embedder import Classifier, ClipModel, Embedder

# Makes a network from the name of its family and settings whose `num_frames` is given.
Make = Callable[[str, ModelConfig], ClipModel]
Kind = Literal["frames", "clips", "streams"]


@dataclasses.dataclass(frozen=True)
class Family:
    """A row of the registry.

    Attributes:
        paper_name: Name in the paper.
        paper_row: Table of the paper, and top-1 accuracies in percent: of linear probes
            of conv3, conv4 and conv5 on Kinetics-400, or in table 2 of another method,
            fine-tuned on UCF101 and HMDB51.
        clip: Clip that the networks take.
        batch_size: Clips per step in the authors' runs.
        make: Makes a network, whose variables `build` creates.
        kind: What the network does with a clip. `frames`: it looks at each frame by
            itself. `clips`: frames meet in its layers. `streams`: it has a static and
            a dynamic stream.
    """

    paper_name: str
    paper_row: str
    clip: ClipRecipe
    batch_size: int
    make: Make
    kind: Kind = "clips"


def num_outputs(config: ModelConfig) -> int:
    """Returns the units of the head's dense layer, 0 for none.

    They are the logits of a classifier, or the D dimensions of an embedding.
    """
    return config.num_classes or (config.embedding_dim if config.has_head else 0)


def assemble(
    backbone: keras.layers.Layer,
    head: keras.layers.Layer,
    name: str,
    config: ModelConfig,
) -> Embedder:
    """Joins a backbone and a head: a `Classifier` if there are classes."""
    assert config.num_frames is not None
    kind = Classifier if config.num_classes else Embedder
    return kind(backbone, head, config.num_frames, name, config.input)
