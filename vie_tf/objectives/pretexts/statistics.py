"""Motion and appearance statistics: where does a clip move, where do colors change?

The input (`vie_tf.input.questions.clip_statistics`) computes the numbers of each clip;
a layer on the features of the network predicts them, and the loss is their squared
error.

Source: Wang et al. 2019, section 3; weights of motion and appearance and the squared
error of plain numbers are those of their code (video_repres_sts).

Letters: B videos of a replica, F features.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from vie_tf.config import RunConfig
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.questions.clip_statistics import choices
from vie_tf.models.from_config import clip_recipe
from vie_tf.objectives.pretexts.pretext import Pretext, check_moves, dense
from vie_tf.storage.errors import UserError

NUM_MOTION = 14
APPEARANCE_WEIGHT = 0.1


class Statistics(Pretext):
    """The squared error of a clip's statistics."""

    title = "statistics"
    kinds = ("clips",)

    @classmethod
    def complete_config(cls, config: RunConfig) -> RunConfig:
        """Checks that frames follow each other and that this process reads them."""
        config = super().complete_config(config)
        check_moves(config)
        if config.data.data_service:
            raise UserError(
                f"--loss={config.loss.name} computes optical flow by OpenCV, which a"
                " tf.data service cannot: leave --data_service out."
            )
        return config

    @classmethod
    def from_config(cls, config: RunConfig, labels: np.ndarray) -> Statistics:
        """Makes the objective; it has no settings."""
        del labels
        recipe = clip_recipe(config.model)
        counts = np.array(choices(recipe.num_frames, recipe.has_colors))
        # The mean of numbers that are drawn evenly, where theirs begins at 0.
        head = dense(len(counts), config.train.seed, bias=(counts + 1) / 2)
        return cls(head)

    @classmethod
    def training_recipe(cls, recipe: ClipRecipe) -> ClipRecipe:
        """Asks for statistics."""
        return dataclasses.replace(recipe, question="statistics")

    def loss(
        self, endpoints: dict[str, tf.Tensor], batch: dict, step: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Computes the mean squared error, that of appearance at a tenth."""
        del step
        errors = (self.head(self.features(endpoints)) - batch["targets"]) ** 2
        parts = {"motion_error": tf.reduce_mean(errors[:, :NUM_MOTION], axis=1)}
        loss = parts["motion_error"]
        if errors.shape[1] > NUM_MOTION:
            of_colors = tf.reduce_mean(errors[:, NUM_MOTION:], axis=1)
            parts["appearance_error"] = of_colors
            loss += APPEARANCE_WEIGHT * of_colors
        return loss, parts
