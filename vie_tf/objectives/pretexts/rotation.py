"""Rotation (3DRotNet): by how much was the clip turned?

Every clip of the batch is shown four times: as it is, and turned by 90, 180 and 270
degrees.  A head of two layers says which is which.

Sources: Jing et al. 2018, section 3 (the task); `rot_model.py` of the authors of VIE,
who trained it again (all four rotations of a clip in a batch, 64 units without a ReLU).

Letters: B videos of a replica, T frames of S x S pixels, C channels.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from vie_tf.config import RunConfig
from vie_tf.input.clip_recipe import ClipRecipe
from vie_tf.keras import keras
from vie_tf.objectives.pretexts.pretext import Pretext, dense, softmax_parts

NUM_ROTATIONS = 4
HIDDEN_UNITS = 64


class Rotation(Pretext):
    """The softmax loss of the rotations of each clip."""

    title = "rotation"

    @classmethod
    def from_config(cls, config: RunConfig, labels: np.ndarray) -> Rotation:
        """Makes the objective; it has no settings."""
        del labels
        seed = config.train.seed
        # Two layers without a ReLU in between, as the authors have them.
        layers = [dense(HIDDEN_UNITS, seed), dense(NUM_ROTATIONS, seed + 1)]
        return cls(keras.Sequential(layers, name="head"))

    def network_shape(self, num_videos: int, recipe: ClipRecipe) -> tuple[int, ...]:
        """Returns the shape of the rotations of all clips."""
        return (NUM_ROTATIONS * num_videos, *recipe.shape)

    def prepare(self, batch: dict, step: tf.Tensor) -> dict:
        """Turns the clips: all as they are, then all by 90 degrees, and so on."""
        del step
        return {**batch, "clips": tf.concat(rotations(batch["clips"]), axis=0)}

    def loss(
        self, endpoints: dict[str, tf.Tensor], batch: dict, step: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Computes -log P(rotation), the mean of a video's four rotations."""
        del step
        logits = self.head(self.features(endpoints))  # [4 B, 4]
        num_videos = logits.shape[0] // NUM_ROTATIONS
        targets = tf.repeat(tf.range(NUM_ROTATIONS), num_videos)
        return softmax_parts(logits, targets, num_videos)


def rotations(clips: tf.Tensor) -> list[tf.Tensor]:
    """Turns clips counterclockwise by 0, 90, 180 and 270 degrees.

    Rows and columns are swapped and reversed, so that no pixel is computed again and
    the content alone tells the rotations apart (Gidaris et al. 2018, section 2.2).

    Args:
      clips: [B, T, S, S, C], any dtype.

    Returns:
      Four tensors of the same shape.
    """
    swapped = tf.transpose(clips, [0, 1, 3, 2, 4])
    return [
        clips,
        tf.reverse(swapped, axis=[2]),
        tf.reverse(clips, axis=[2, 3]),
        tf.reverse(swapped, axis=[3]),
    ]
