"""Progressive training: first steps on clips of half the size (`--progressive_steps`).

Weights do not depend on the size of a clip, and batch norm normalizes a batch by
its own statistics, so training goes on as it is when clips become large.  The moving
statistics, which validations use, follow within some hundred steps.

Source: after Wu et al. 2020, "A Multigrid Method for Efficiently Training Video
Models", whose long cycles also go from small clips to large ones.
"""

from __future__ import annotations

import dataclasses
import math

from vie_tf.config import RunConfig
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.models.clip_input import MIN_CROP_SIZE
from vie_tf.models.from_config import clip_recipe
from vie_tf.objectives import objective_class
from vie_tf.storage.errors import UserError

# Steps of full size, times 1 / (1 - momentum), after which a twentieth of batch norm's
# moving statistics is of small clips.
_SETTLING = 3
_FIXED_SIZE = ("alexnet", "alexnet_stacked", "c3d")  # dense layers on positions


def recipe_at(config: RunConfig, steps_taken: int) -> ClipRecipe:
    """Returns the recipe of the clips of the step that comes after so many."""
    recipe = clip_recipe(config.model)
    if steps_taken >= config.train.progressive_steps:
        return recipe
    return dataclasses.replace(recipe, crop_size=recipe.crop_size // 2)


def check(config: RunConfig) -> None:
    """Checks that a run can begin with small clips, if it is to.

    Raises:
      UserError: network or objective take one size alone, half of the size is too
        small, or too few steps of full size follow.
    """
    train, model = config.train, config.model
    num_steps, size = train.progressive_steps, clip_recipe(model).crop_size
    if not num_steps:
        return
    flag = f"--progressive_steps={num_steps}"
    if model.name in _FIXED_SIZE:
        raise UserError(
            f"{flag} begins with smaller clips, but --model={model.name} takes clips of"
            " one size: leave it out."
        )
    if objective_class(config.loss.name).has_own_head:
        raise UserError(
            f"{flag} begins with smaller clips, but --loss={config.loss.name} asks"
            " about clips of one size: leave it out."
        )
    if size // 2 < MIN_CROP_SIZE:
        raise UserError(
            f"{flag} begins with half of --crop_size={size}, but networks need"
            f" {MIN_CROP_SIZE} pixels: give --crop_size={2 * MIN_CROP_SIZE} or more."
        )
    momentum = model.batch_norm_momentum
    settling = math.ceil(round(_SETTLING / (1 - momentum), 6)) if momentum < 1 else 0
    if num_steps + settling > train.train_steps:
        raise UserError(
            f"{flag} leaves {max(train.train_steps - num_steps, 0)} of"
            f" --train_steps={train.train_steps} for clips of full size, but the"
            f" statistics of batch norm need {settling} of them to follow: give fewer"
            " small steps, or a lower --batch_norm_momentum."
        )


def describe(config: RunConfig, steps_taken: int) -> str:
    """Says which clips the next steps are taken on; empty without small ones."""
    num_steps, size = config.train.progressive_steps, clip_recipe(config.model)
    if steps_taken < num_steps:
        small = recipe_at(config, steps_taken).crop_size
        return f"Clips have {small} x {small} pixels until step {num_steps:,}."
    if not num_steps:
        return ""
    full = size.crop_size
    return f"From step {steps_taken + 1:,} on, clips have {full} x {full} pixels."
