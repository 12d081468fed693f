"""Space-time cubic puzzles: where do four cells of a clip belong?

The input (`vie_tf.input.questions.puzzles`) cuts a clip into 2 x 2 cells in space or
into 4 in time, and gives them in one of 24 orders.  The network sees each cell by
itself; a head on the features of all four says which order it is.

Source: Kim et al. 2018, section 3 (the task, four towers of shared weights, and what
keeps short cuts out).

Letters: B videos of a replica, T frames of a cell, s its side, F features.
"""

from __future__ import annotations

import dataclasses
from typing import Mapping

import numpy as np
import tensorflow as tf

from vie_tf.config import RunConfig
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.input.questions.puzzles import NUM_CELLS, ORDERS, cell_size
from vie_tf.keras import keras
from vie_tf.models.clip_input import MIN_CROP_SIZE
from vie_tf.models.from_config import clip_recipe
from vie_tf.objectives.pretexts.pretext import (
    Pretext,
    check_moves,
    dense,
    softmax_parts,
)
from vie_tf.storage.errors import UserError

HIDDEN_UNITS = 512


class Puzzle(Pretext):
    """The softmax loss of the order of a clip's cells."""

    title = "puzzle"
    kinds = ("clips",)

    @classmethod
    def complete_config(cls, config: RunConfig) -> RunConfig:
        """Checks that there are cells, and that they are large enough."""
        config = super().complete_config(config)
        check_moves(config)
        size = clip_recipe(config.model).crop_size
        cell = cell_size(size)
        if cell < MIN_CROP_SIZE:
            least = next(n for n in range(size, 999) if cell_size(n) >= MIN_CROP_SIZE)
            raise UserError(
                f"--loss={config.loss.name} makes cells of {cell} x {cell} pixels with"
                f" --crop_size={size}, and networks take {MIN_CROP_SIZE} or more: give"
                f" --crop_size={least} or more."
            )
        return config

    @classmethod
    def from_config(cls, config: RunConfig, labels: np.ndarray) -> Puzzle:
        """Makes the objective; it has no settings."""
        del labels
        seed = config.train.seed
        layers = [dense(HIDDEN_UNITS, seed, "relu"), dense(len(ORDERS), seed + 1)]
        return cls(keras.Sequential(layers, name="head"))

    @classmethod
    def training_recipe(cls, recipe: ClipRecipe) -> ClipRecipe:
        """Asks for puzzles."""
        return dataclasses.replace(recipe, question="puzzle")

    def network_shape(self, num_videos: int, recipe: ClipRecipe) -> tuple[int, ...]:
        """Returns the shape of the cells of all clips."""
        num_frames, size, _, num_channels = recipe.shape
        side = cell_size(size)
        return NUM_CELLS * num_videos, num_frames, side, side, num_channels

    def prepare(self, batch: dict, step: tf.Tensor) -> dict:
        """Lists the first cells of all clips, then the second ones, and so on."""
        del step
        cells = tf.transpose(batch["clips"], [1, 0, 2, 3, 4, 5])
        return {**batch, "clips": tf.reshape(cells, [-1, *cells.shape[2:]])}

    def make_head(self, num_channels: Mapping[str, int]) -> None:
        """Makes the variables of the head."""
        self.head(tf.zeros([1, NUM_CELLS * num_channels["pooled"]]))

    def features(self, endpoints: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns the features of all cells of a clip, [B, 4 F] float32."""
        return tf.concat(tf.split(endpoints["pooled"], NUM_CELLS), axis=1)

    def loss(
        self, endpoints: dict[str, tf.Tensor], batch: dict, step: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Computes -log P(order)."""
        del step
        logits = self.head(self.features(endpoints))  # [B, 24]
        return softmax_parts(logits, batch["targets"], logits.shape[0])
