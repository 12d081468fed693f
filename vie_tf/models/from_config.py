"""Network and clips of a run, from its settings, for training and for evaluation."""

from __future__ import annotations

import dataclasses

from vie_tf import models
from vie_tf.config import ModelConfig, RunConfig
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.keras import keras


def with_family_defaults(config: RunConfig) -> RunConfig:
    """Fills in the clip and the batch size that the network's family determines."""
    recipe = clip_recipe(config.model)
    model = dataclasses.replace(
        config.model,
        num_frames=recipe.num_frames,
        frame_interval=recipe.frame_interval,
        crop_size=recipe.crop_size,
    )
    batch_size = config.train.batch_size or models.family(config.model.name).batch_size
    train = dataclasses.replace(config.train, batch_size=batch_size)
    return dataclasses.replace(config, model=model, train=train)


def clip_recipe(model: ModelConfig) -> ClipRecipe:
    """Returns the recipe of the clips that a network with these settings takes."""
    recipe = models.clip_recipe(model.name)
    if model.input == "later":
        recipe = models.of_both_halves(recipe)
    return dataclasses.replace(
        recipe,
        num_frames=model.num_frames or recipe.num_frames,
        frame_interval=model.frame_interval or recipe.frame_interval,
        crop_size=model.crop_size or recipe.crop_size,
        frame_rate=model.frame_rate,
        # The network makes light and colors of the frames, or halves.
        input="frames" if model.input in ("lab", "later") else model.input,
    )


def build_model(model: ModelConfig, seed: int) -> keras.Model:
    """Makes an untrained network, the same one for the same seed."""
    keras.utils.set_random_seed(seed)
    return models.build(**dataclasses.asdict(model))
